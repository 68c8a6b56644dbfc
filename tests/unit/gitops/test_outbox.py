from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from reconciler.gitops.git import Git
from reconciler.gitops.journal import Journal
from reconciler.gitops.mirror import Mirror
from reconciler.gitops.outbox import Outbox, Push
from reconciler.gitops.stream import Draft
from reconciler.gitops.transport import Refusal
from tests.remotes.origin import Origin
from tests.remotes.writers import event, journal_of, mirror_of, patient

BRANCH = "reconciler/production"


@pytest.fixture
def origin(tmp_path: Path) -> Origin:
    origin = Origin(tmp_path / "origin.git")
    origin.commit("production", {"farm.yaml": b"kind: Farm\n"})
    return origin


@pytest.fixture
def mirror(origin: Origin, tmp_path: Path) -> Iterator[Mirror]:
    with mirror_of(origin, tmp_path / "state") as mirror:
        yield mirror


@pytest.fixture
def other(origin: Origin, tmp_path: Path) -> Iterator[Mirror]:
    with mirror_of(origin, tmp_path / "other") as mirror:
        yield mirror


def subjects(origin: Origin) -> list[str]:
    return [line.removeprefix("drift(production): ") for line in origin.messages(BRANCH)]


def write(journal: Journal, *words: str) -> None:
    for word in words:
        journal.append(event(word, **{word: b"x"}))


def test_who_is_slower_makes_its_records_again_on_top(
    mirror: Mirror, other: Mirror, origin: Origin
) -> None:
    ours, theirs = journal_of(mirror), journal_of(other)
    write(ours, "a", "b")
    write(theirs, "c", "d")
    assert theirs.flush().state is Push.PUSHED
    assert ours.flush().state is Push.PUSHED
    assert subjects(origin) == ["c", "d", "a", "b"]
    assert origin.git("rev-list", "--merges", BRANCH) == ""


def test_a_record_that_is_made_again_keeps_its_words_its_time_and_its_changes(
    mirror: Mirror, other: Mirror, origin: Origin
) -> None:
    ours, theirs = journal_of(mirror), journal_of(other)
    write(ours, "a")
    before = origin_view(mirror, ours)
    write(theirs, "b")
    theirs.flush()
    ours.flush()
    assert origin_view(mirror, ours) == before
    assert origin.git("show", "--format=", "--name-only", BRANCH) == "a"


def origin_view(mirror: Mirror, journal: Journal) -> str:
    head = journal.head()
    assert head is not None
    done = mirror.git().call("reading", "log", "-1", "--format=%an %ae %at %cn %ct %B", head)
    return done.output.decode()


def test_a_removal_is_made_again_too(mirror: Mirror, other: Mirror, origin: Origin) -> None:
    ours, theirs = journal_of(mirror), journal_of(other)
    write(ours, "a")
    ours.flush()
    other.fetch()
    ours.append(event("clear"))
    theirs.append(event("d", a=b"x", d=b"x"))
    theirs.flush()
    ours.flush()
    assert origin.git("ls-tree", "--name-only", BRANCH) == "d"


class Overtaken(Mirror):
    """A mirror whose every push comes a moment too late."""

    def __init__(self, origin: Origin, state: Path, rival: Journal) -> None:
        super().__init__(origin.url, state)
        self.rival: Journal | None = rival

    def push(self, updates: Mapping[str, str]) -> Mapping[str, Refusal]:
        if self.rival is not None:
            self.rival.append(event("rival"))
            self.rival.flush()
        return super().push(updates)


def test_after_the_last_attempt_the_records_wait(
    other: Mirror, origin: Origin, tmp_path: Path
) -> None:
    waits: list[float] = []
    with Overtaken(origin, tmp_path / "state", journal_of(other)) as mirror:
        mirror.fetch()
        ours = journal_of(mirror, retry=patient(waits, attempts=3))
        write(ours, "a")
        outcome = ours.flush()
        assert (outcome.state, outcome.waiting, outcome.ok) == (Push.SPOOLED, 1, False)
        assert "fetch first" in outcome.reason
        assert len(waits) == 2
        mirror.rival = None
        assert ours.flush().state is Push.PUSHED
    assert subjects(origin) == ["rival", "rival", "rival", "a"]


def test_waiting_grows_and_differs_from_time_to_time() -> None:
    waits: list[float] = []
    retry = patient(waits)
    for attempt in (1, 2, 3, 1):
        retry.wait(attempt)
    assert all(0.2 * 2**n / 2 <= waits[n - 1] <= 0.2 * 2**n for n in (1, 2, 3))
    assert waits[0] != waits[3]


def test_an_answer_that_was_lost_makes_no_double(mirror: Mirror, origin: Origin) -> None:
    """The push arrived, and then the process was killed before it could note that."""
    journal = journal_of(mirror)
    write(journal, "a")
    head = journal.head()
    assert head is not None
    mirror.push({f"refs/heads/{BRANCH}": head})
    write(journal, "b")
    assert journal.flush().state is Push.PUSHED
    assert subjects(origin) == ["a", "b"]


def test_a_remote_that_was_set_back_gets_the_records_again(mirror: Mirror, origin: Origin) -> None:
    journal = journal_of(mirror)
    write(journal, "a")
    journal.flush()
    early = origin.head(BRANCH)
    assert early is not None
    write(journal, "b")
    journal.flush()
    origin.git("update-ref", f"refs/heads/{BRANCH}", early)
    mirror.fetch()
    assert journal.flush().state is Push.PUSHED
    assert subjects(origin) == ["a", "b"]


@pytest.mark.parametrize("notice", [True, False])
def test_a_branch_that_was_deleted_is_made_again(
    mirror: Mirror, origin: Origin, notice: bool
) -> None:
    journal = journal_of(mirror)
    write(journal, "a")
    journal.flush()
    origin.git("update-ref", "-d", f"refs/heads/{BRANCH}")
    if notice:
        mirror.fetch()
    write(journal, "b")
    assert journal.flush().state is Push.PUSHED
    assert subjects(origin) == ["a", "b"]


def test_a_journal_that_was_rewritten_is_respected_and_ours_kept_aside(
    mirror: Mirror, origin: Origin
) -> None:
    journal = journal_of(mirror)
    write(journal, "secret")
    journal.flush()
    old = origin.head(BRANCH)
    write(journal, "waiting")
    origin.commit(BRANCH, {"status.json": b"{}"}, message="cleaned", parents=())
    mirror.fetch()
    assert journal.flush().state is Push.PUSHED
    assert subjects(origin) == ["cleaned", "waiting"]
    aside = mirror.git().refs("refs/replaced/")
    assert len(aside) == 1
    assert mirror.is_ancestor(old or "", next(iter(aside.values())))


def test_two_who_begin_at_once_lose_nothing(mirror: Mirror, other: Mirror, origin: Origin) -> None:
    ours, theirs = journal_of(mirror), journal_of(other)
    write(ours, "a")
    write(theirs, "b")
    assert [theirs.flush().state, ours.flush().state] == [Push.PUSHED, Push.PUSHED]
    assert subjects(origin) == ["b", "a"]


def test_two_processes_on_one_state_directory_lose_nothing(
    mirror: Mirror, origin: Origin, tmp_path: Path
) -> None:
    with mirror_of(origin, tmp_path / "state") as second:
        journals = (journal_of(mirror), journal_of(second))
        for number in range(6):
            write(journals[number % 2], f"n{number}")
        assert journals[0].flush().state is Push.PUSHED
    assert subjects(origin) == [f"n{number}" for number in range(6)]


def test_a_writer_that_is_overtaken_here_writes_again_on_top(
    mirror: Mirror, origin: Origin, tmp_path: Path
) -> None:
    with mirror_of(origin, tmp_path / "state") as second:
        rival = journal_of(second)
        outbox = Outbox(mirror, f"refs/heads/{BRANCH}", patient())
        draft = overtaken(journal_of(mirror), rival)
        outbox.commit(draft)
        outbox.flush()
    assert subjects(origin) == ["rival", "ours"]


def overtaken(journal: Journal, rival: Journal) -> Callable[[Git, str | None], Draft]:
    """A draft during whose making another process writes, once."""
    done: list[str] = []

    def draft(git: Git, base: str | None) -> Draft:
        if not done:
            done.append(rival.append(event("rival", rival=b"x")))
        message = journal._message(event("ours"))
        return journal._draft(git, base, event("ours", ours=b"x"), message)

    return draft


@pytest.mark.parametrize(
    "ref", ["refs/heads/production", "refs/heads/reconciler", "refs/tags/reconciler/x", "x"]
)
def test_no_other_ref_can_be_written(mirror: Mirror, ref: str) -> None:
    with pytest.raises(ValueError, match=r"not a ref of the journal|not a full name"):
        Outbox(mirror, ref, patient())
