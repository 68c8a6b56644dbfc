"""F09: several push records at once. Nothing is forced, nothing is lost, nothing is there twice."""

from __future__ import annotations

import random
import threading
from pathlib import Path

import pytest

from reconciler.gitops.journal import Journal
from reconciler.gitops.mirror import Mirror
from reconciler.gitops.outbox import Push, PushOutcome, Retry
from tests.remotes.origin import Origin
from tests.remotes.writers import event, journal_of, mirror_of, notes_of

WRITERS, RECORDS = 4, 6


@pytest.fixture
def origin(tmp_path: Path) -> Origin:
    origin = Origin(tmp_path / "origin.git")
    origin.commit("production", {"farm.yaml": b"kind: Farm\n"})
    return origin


def test_concurrent_writers_lose_no_record(origin: Origin, tmp_path: Path) -> None:
    outcomes: dict[int, PushOutcome] = {}
    failures: list[BaseException] = []

    def write(number: int) -> None:
        try:
            with mirror_of(origin, tmp_path / f"state-{number}") as mirror:
                outcomes[number] = write_records(number, mirror)
        except BaseException as error:  # noqa: BLE001 - it is told in the test's own thread
            failures.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(100)
    assert failures == []
    assert all(outcome.ok for outcome in outcomes.values()), outcomes
    assert len(outcomes) == WRITERS
    expected = {f"drift(production): w{w} r{r}" for w in range(WRITERS) for r in range(RECORDS)}
    written = origin.messages("reconciler/production")
    assert sorted(written) == sorted(expected)
    assert origin.git("rev-list", "--merges", "--count", "reconciler/production") == "0"
    assert origin.git("fsck", "--strict", "--no-dangling") == ""


def write_records(number: int, mirror: Mirror) -> PushOutcome:
    """Write records and push after each; at the end push until nothing is left to push."""
    retry = Retry(wait_shortly, random.Random(number))
    journal = journal_of(mirror, retry=retry)
    for record in range(RECORDS):
        journal.append(event(f"w{number} r{record}", **{f"w{number}": b"%d" % record}))
        journal.flush()
    return last_push(journal)


def wait_shortly(seconds: float) -> None:
    threading.Event().wait(seconds / 20)


def last_push(journal: Journal) -> PushOutcome:
    outcome = journal.flush()
    for _ in range(20):
        if outcome.ok:
            break
        outcome = journal.flush()
    return outcome


def test_each_writers_records_stay_in_their_order(origin: Origin, tmp_path: Path) -> None:
    with (
        mirror_of(origin, tmp_path / "one") as one,
        mirror_of(origin, tmp_path / "two") as two,
    ):
        journals = {"a": journal_of(one), "b": journal_of(two)}
        for number in range(4):
            for name, journal in journals.items():
                journal.append(event(f"{name}{number}"))
                if number % 2:
                    assert journal.flush().state is Push.PUSHED
    written = [line.rpartition(" ")[2] for line in origin.messages("reconciler/production")]
    assert [each for each in written if each.startswith("a")] == ["a0", "a1", "a2", "a3"]
    assert [each for each in written if each.startswith("b")] == ["b0", "b1", "b2", "b3"]


def test_the_journal_and_the_notes_race_apart(origin: Origin, tmp_path: Path) -> None:
    head = origin.head("production") or ""
    with (
        mirror_of(origin, tmp_path / "one") as one,
        mirror_of(origin, tmp_path / "two") as two,
    ):
        for number, mirror in enumerate((one, two, one)):
            sha = journal_of(mirror).append(event(str(number)))
            notes_of(mirror).write(head, f"outcome {number}", sha)
        assert journal_of(two).flush().ok
        assert notes_of(one).flush().ok
        assert notes_of(two).flush().ok
        assert journal_of(one).flush().ok
    assert len(origin.messages("reconciler/production")) == 3
    assert len(origin.messages("refs/notes/reconciler/production")) == 3
