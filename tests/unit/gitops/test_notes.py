from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.errors import SourceError
from reconciler.gitops.mirror import Mirror
from reconciler.gitops.outbox import Push
from tests.remotes.origin import Origin
from tests.remotes.writers import event, journal_of, mirror_of, notes_of

REF = "refs/notes/reconciler/production"


@pytest.fixture
def origin(tmp_path: Path) -> Origin:
    origin = Origin(tmp_path / "origin.git")
    origin.commit("production", {"farm.yaml": b"kind: Farm\n"})
    return origin


@pytest.fixture
def mirror(origin: Origin, tmp_path: Path) -> Iterator[Mirror]:
    with mirror_of(origin, tmp_path / "state") as mirror:
        yield mirror


def shown(origin: Origin, commit: str) -> str:
    command = ("log", "-1", "--notes=reconciler/production", "--format=%N", commit)
    return origin.git(*command)


def test_git_log_shows_what_became_of_a_commit(mirror: Mirror, origin: Origin) -> None:
    head = mirror.heads()["production"]
    record = journal_of(mirror).append(event())
    notes = notes_of(mirror)
    notes.write(head, "Ready: 2 resources updated", record)
    assert notes.flush().state is Push.PUSHED
    assert shown(origin, head) == f"Ready: 2 resources updated (journal {record[:7]})"
    assert notes.read(head) == shown(origin, head)


def test_the_last_word_on_a_commit_stands(mirror: Mirror) -> None:
    head = mirror.heads()["production"]
    notes = notes_of(mirror)
    notes.write(head, "Refused")
    notes.write(head, "Ready")
    assert notes.read(head) == "Ready"


def test_an_outcome_is_one_line(mirror: Mirror) -> None:
    head = mirror.heads()["production"]
    notes = notes_of(mirror)
    notes.write(head, "Ready\n\nforged\x1b[2J")
    assert notes.read(head) == "Ready forged [2J"


def test_a_commit_without_a_note_has_none(mirror: Mirror, origin: Origin) -> None:
    notes = notes_of(mirror)
    first = mirror.heads()["production"]
    assert notes.read(first) is None
    notes.write(first, "Ready")
    second = origin.commit("production", {"farm.yaml": b"two"})
    mirror.fetch()
    assert notes.read(second) is None


def test_only_a_commit_that_is_here_can_be_noted(mirror: Mirror) -> None:
    notes = notes_of(mirror)
    with pytest.raises(SourceError):
        notes.write("1" * 40, "Ready")
    with pytest.raises(ValueError, match="not a full commit id"):
        notes.write("HEAD", "Ready")


def test_two_writers_lose_no_note(mirror: Mirror, origin: Origin, tmp_path: Path) -> None:
    first = mirror.heads()["production"]
    second = origin.commit("production", {"farm.yaml": b"two"})
    mirror.fetch()
    with mirror_of(origin, tmp_path / "elsewhere") as other:
        ours, theirs = notes_of(mirror), notes_of(other)
        ours.write(first, "ours")
        theirs.write(second, "theirs")
        assert theirs.flush().state is Push.PUSHED
        assert ours.flush().state is Push.PUSHED
    assert (shown(origin, first), shown(origin, second)) == ("ours", "theirs")


def test_notes_that_git_sorted_into_folders_are_found_and_kept(
    mirror: Mirror, origin: Origin
) -> None:
    commits = with_many_notes(origin, 300)
    mirror.fetch()
    notes = notes_of(mirror)
    notes.write(commits[150], "ours")
    assert notes.flush().state is Push.PUSHED
    assert [shown(origin, commits[number]) for number in (0, 150, 299)] == [
        "note 1",
        "ours",
        "note 300",
    ]
    assert len(origin.git("notes", f"--ref={REF}", "list").splitlines()) == 300


def with_many_notes(origin: Origin, count: int) -> list[str]:
    """Commits that each have a note, all made at once."""
    person = "Person <person@farm.internal> 1748779200 +0000"
    stream = "".join(
        f"commit refs/heads/many\nmark :{number}\ncommitter {person}\ndata 4\n{number:04}\n"
        for number in range(1, count + 1)
    )
    stream += f"commit {REF}\ncommitter {person}\ndata 0\n\n"
    for number in range(1, count + 1):
        text = f"note {number}\n"
        stream += f"N inline :{number}\ndata {len(text)}\n{text}\n"
    origin.git("fast-import", "--quiet", "--force", given=stream.encode())
    return origin.git("rev-list", "--reverse", "refs/heads/many").split()
