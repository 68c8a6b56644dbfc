from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.errors import SourceUnavailable
from reconciler.gitops.journal import Event
from reconciler.gitops.mirror import Mirror
from reconciler.gitops.outbox import Push
from tests.remotes.origin import NOON, Origin, link
from tests.remotes.writers import event, journal_of, mirror_of

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


def test_a_journal_that_has_not_begun_is_none(mirror: Mirror) -> None:
    journal = journal_of(mirror)
    assert (journal.head(), journal.read(), journal.entries(9)) == (None, None, ())


def test_a_record_is_kept_here_and_pushed_on_demand(mirror: Mirror, origin: Origin) -> None:
    journal = journal_of(mirror)
    sha = journal.append(event(status_json=b"{}"))
    assert (journal.head(), journal.waiting(), origin.head(BRANCH)) == (sha, 1, None)
    assert journal.flush().state is Push.PUSHED
    assert (journal.waiting(), origin.head(BRANCH)) == (0, sha)
    assert journal.flush().state is Push.NOTHING


def test_the_journal_has_a_history_of_its_own(mirror: Mirror, origin: Origin) -> None:
    journal = journal_of(mirror)
    journal.append(event("first"))
    journal.append(event("second"))
    journal.flush()
    assert origin.messages(BRANCH) == [
        "drift(production): first",
        "drift(production): second",
    ]
    with pytest.raises(subprocess.CalledProcessError):
        origin.git("merge-base", "production", BRANCH)


def test_files_are_what_the_event_says_and_nothing_else(mirror: Mirror) -> None:
    journal = journal_of(mirror)
    world = {"world/virt1.yaml": b"a: 1\n", "status.json": b"{}"}
    journal.append(Event("sync", "one", files={**world, "drift.md": b"gone tomorrow"}))
    journal.append(Event("sync", "two", files={**world, "status.json": b'{"a": 1}'}))
    assert journal.read() == {"world/virt1.yaml": b"a: 1\n", "status.json": b'{"a": 1}'}


def test_a_commit_shows_only_what_changed(mirror: Mirror, origin: Origin) -> None:
    journal = journal_of(mirror)
    journal.append(Event("sync", "one", files={"world/a.yaml": b"1", "world/b.yaml": b"1"}))
    journal.append(Event("sync", "two", files={"world/a.yaml": b"1", "world/b.yaml": b"2"}))
    journal.flush()
    assert origin.git("show", "--format=", "--name-only", BRANCH) == "world/b.yaml"


def test_a_record_is_read_back_as_it_was_written(mirror: Mirror, origin: Origin) -> None:
    journal = journal_of(mirror)
    revision = origin.head("production")
    sha = journal.append(
        Event(
            word="heal",
            subject="1 resource set right",
            body="cpus 2 -> 4",
            revision=revision,
            resources=("domain/web-1", "zone/farm.internal"),
            trailers=(("Reconciler-Run", "7"),),
        )
    )
    (record,) = journal.entries(1)
    assert (record.sha, record.time, record.event) == (sha, NOON, "heal")
    assert record.subject == "heal(production): 1 resource set right"
    assert record.body.startswith("cpus 2 -> 4\n\n[skip ci]\n\nReconciler-Environment: production")
    assert record.revision == revision
    assert record.resources == ("domain/web-1", "zone/farm.internal")
    assert record.trailers[-1] == ("Reconciler-Run", "7")


def test_many_resources_are_capped_and_counted(mirror: Mirror) -> None:
    journal = journal_of(mirror)
    journal.append(Event("sync", "much", resources=tuple(f"domain/v{n}" for n in range(60))))
    (record,) = journal.entries(1)
    assert len(record.resources) == 50
    assert "and 10 more resources" in record.body


def test_records_are_listed_newest_first_and_limited(mirror: Mirror) -> None:
    journal = journal_of(mirror)
    shas = [journal.append(event(str(number))) for number in range(4)]
    assert [record.sha for record in journal.entries(3)] == shas[:0:-1]


def test_a_new_machine_goes_on_where_the_old_one_stopped(
    mirror: Mirror, origin: Origin, tmp_path: Path
) -> None:
    old = journal_of(mirror)
    old.append(event("one", status_json=b"1"))
    old.flush()
    with mirror_of(origin, tmp_path / "elsewhere") as other:
        new = journal_of(other)
        assert new.read() == {"status.json": b"1"}
        new.append(event("two"))
        assert new.flush().state is Push.PUSHED
    assert origin.messages(BRANCH) == ["drift(production): one", "drift(production): two"]


def test_what_another_wrote_is_read_after_a_fetch(
    mirror: Mirror, origin: Origin, tmp_path: Path
) -> None:
    ours = journal_of(mirror)
    ours.append(event("one", status_json=b"1"))
    ours.flush()
    with mirror_of(origin, tmp_path / "elsewhere") as other:
        theirs = journal_of(other)
        theirs.append(event("two", status_json=b"2"))
        theirs.flush()
    assert ours.read() == {"status.json": b"1"}
    mirror.fetch()
    assert ours.read() == {"status.json": b"2"}


def test_environments_have_journals_apart(mirror: Mirror, origin: Origin) -> None:
    for environment in ("staging", "production"):
        journal = journal_of(mirror, environment)
        journal.append(event(environment))
        journal.flush()
    assert origin.messages("reconciler/staging") == ["drift(staging): staging"]
    assert origin.messages(BRANCH) == ["drift(production): production"]


def test_a_journal_may_have_a_repository_of_its_own(mirror: Mirror, tmp_path: Path) -> None:
    own = Origin(tmp_path / "journal.git")
    with mirror_of(own, tmp_path / "journal-state") as place:
        journal = journal_of(place)
        journal.append(event("one"))
        assert journal.flush().ok
    assert own.messages(BRANCH) == ["drift(production): one"]
    assert journal_of(mirror).read() is None


def test_a_journal_whose_repository_was_never_reached_is_not_taken_for_empty(
    tmp_path: Path,
) -> None:
    with mirror_of(str(tmp_path / "away"), tmp_path / "s", fetched=False) as mirror:
        journal = journal_of(mirror)
        for use in (journal.read, lambda: journal.append(event())):
            with pytest.raises(SourceUnavailable, match="nothing was fetched"):
                use()


def test_what_others_put_into_the_journal_is_left_alone(mirror: Mirror, origin: Origin) -> None:
    origin.commit(BRANCH, {"read me.md": b"hello", "l": link("/etc/passwd"), "status.json": b"1"})
    mirror.fetch()
    journal = journal_of(mirror)
    assert journal.read() == {"status.json": b"1"}
    journal.append(event("two", status_json=b"2"))
    journal.flush()
    assert origin.git("show", f"{BRANCH}:read me.md") == "hello"


GOOD = event("fine")


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (replace(GOOD, word="Drift"), "not a word"),
        (replace(GOOD, word="drift\nx"), "not a word"),
        (replace(GOOD, files={"../x": b""}), "no path"),
        (replace(GOOD, files={".git/x": b""}), "no path"),
        (replace(GOOD, files={"a b": b""}), "no path"),
        (replace(GOOD, files={'"a"': b""}), "no path"),
        (replace(GOOD, files={"a\nD b": b""}), "no path"),
        (replace(GOOD, trailers=(("Reconciler-Event", "x"),)), "the journal writes itself"),
        (replace(GOOD, trailers=(("reconciler-event", "x"),)), "the journal writes itself"),
    ],
)
def test_an_event_that_is_not_plain_is_refused(mirror: Mirror, bad: Event, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        journal_of(mirror).append(bad)


@pytest.mark.parametrize("environment", ["", "-x", "a b", "../heads/production", "a..b"])
def test_an_environment_must_have_the_name_of_a_branch(mirror: Mirror, environment: str) -> None:
    with pytest.raises(ValueError, match="not a full name"):
        journal_of(mirror, environment)
