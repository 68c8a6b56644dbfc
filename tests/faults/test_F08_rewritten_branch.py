"""F08: a branch is forced, deleted or unrelated. The last good commit stays, and stays readable."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.errors import HistoryRewritten
from reconciler.gitops.history import check_descends
from reconciler.gitops.mirror import Mirror
from tests.remotes.origin import Origin, git
from tests.remotes.writers import event, journal_of, mirror_of

GOOD = {"farm.yaml": b"good\n"}


def force(origin: Origin) -> None:
    origin.commit("production", {"farm.yaml": b"forced\n"}, parents=())


def delete(origin: Origin) -> None:
    origin.git("update-ref", "-d", "refs/heads/production")


def move_back(origin: Origin) -> None:
    origin.git("update-ref", "refs/heads/production", "refs/heads/production~1")


REWRITES: dict[str, Callable[[Origin], None]] = {
    "forced": force,
    "deleted": delete,
    "moved back": move_back,
}


@pytest.fixture
def origin(tmp_path: Path) -> Origin:
    origin = Origin(tmp_path / "origin.git")
    origin.commit("development", GOOD)
    origin.commit("production", {"farm.yaml": b"first\n"})
    return origin


@pytest.mark.parametrize("how", REWRITES)
def test_the_last_good_commit_can_be_repaired_to_for_as_long_as_it_takes(
    origin: Origin, tmp_path: Path, how: str
) -> None:
    applied = origin.commit("production", GOOD)
    with mirror_of(origin, tmp_path / "state") as mirror:
        mirror.keep("production", applied)
        REWRITES[how](origin)
        origin.git("gc", "--quiet", "--prune=now")
        mirror.fetch()
        mirror.git().call("packing", "gc", "--quiet", "--prune=now")
        assert_held(mirror, applied)
        assert contents(mirror, applied) == [b"good\n"]


def test_it_outlives_a_mirror_that_is_made_anew(origin: Origin, tmp_path: Path) -> None:
    """The remote does not have it any more, so it is carried over."""
    applied = origin.commit("production", GOOD)
    with mirror_of(origin, tmp_path / "state") as mirror:
        mirror.keep("production", applied)
        force(origin)
        origin.git("reflog", "expire", "--expire=now", "--all")
        origin.git("gc", "--quiet", "--prune=now")
        mirror.fetch()
        before = mirror.git().directory
        break_newest_pack(before, mirror.heads()["production"])
        new = mirror.tree(mirror.heads()["production"])
        assert new.read(new.entries().values())
        assert mirror.git().directory != before
        assert contents(mirror, applied) == [b"good\n"]


def break_newest_pack(repository: Path, commit: str) -> None:
    """Break what came with the last fetch: the pack that holds a commit."""
    for index in (repository / "objects/pack").glob("*.idx"):
        listed = git(repository, "verify-pack", "-v", str(index))
        if listed.startswith(commit) or f"\n{commit} " in listed:
            index.with_suffix(".pack").unlink()
            return
    (repository / "objects" / commit[:2] / commit[2:]).unlink()


def assert_held(mirror: Mirror, applied: str) -> None:
    head = mirror.head("production")
    if head != applied:
        with pytest.raises(HistoryRewritten):
            check_descends(mirror, "production", applied, head)


def contents(mirror: Mirror, commit: str) -> list[bytes]:
    tree = mirror.tree(commit)
    return sorted(tree.read(tree.entries().values()).values())


def test_other_environments_and_the_journal_go_on(origin: Origin, tmp_path: Path) -> None:
    applied = origin.commit("production", GOOD)
    with mirror_of(origin, tmp_path / "state") as mirror:
        force(origin)
        new = origin.commit("development", {"farm.yaml": b"new\n"})
        mirror.fetch()
        check_descends(mirror, "development", mirror.log("development", 2)[1].sha, new)
        journal = journal_of(mirror)
        journal.append(event("held", status_json=applied.encode()))
        assert journal.flush().ok


def test_restoring_the_branch_ends_it(origin: Origin, tmp_path: Path) -> None:
    applied = origin.commit("production", GOOD)
    with mirror_of(origin, tmp_path / "state") as mirror:
        force(origin)
        mirror.fetch()
        origin.git("update-ref", "refs/heads/production", applied)
        later = origin.commit("production", {"farm.yaml": b"later\n"})
        mirror.fetch()
        check_descends(mirror, "production", applied, later)
