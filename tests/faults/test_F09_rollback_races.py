"""F09, S32: people push while a rollback is pushed. Theirs is never lost, ours is never forced."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reconciler.gitops.branches import DEFAULT_PATTERNS
from reconciler.gitops.flow.back_merge import BackMerges
from reconciler.gitops.flow.rollback import Push, Rollbacks, Standing
from reconciler.gitops.mirror import Mirror
from reconciler.gitops.source import ConfigSource
from reconciler.gitops.stream import Identity
from reconciler.model.standing import Quarantined
from reconciler.plan.show.status import Status
from tests.remotes.origin import Origin, git

WHEN = datetime(2025, 6, 2, tzinfo=UTC)
NO_FORCE = """
case $2 in 0000*) exit 0;; esac
git merge-base --is-ancestor "$2" "$3" || { echo forced >> forced; exit 1; }
"""
PERSON = ("-c", "user.name=Ada", "-c", "user.email=ada@farm.internal")


@dataclass
class Town:
    """A remote with a good and a bad commit on production, and who takes it back."""

    origin: Origin
    rollbacks: Rollbacks
    good: str
    bad: str

    def decide(self) -> Quarantined:
        return self.rollbacks.decide("production", self.bad, self.good, "it fails", WHEN)

    def push(self) -> Push:
        return self.rollbacks.push("production", self.decide())

    def back_merges(self) -> tuple[str, ...]:
        status = Status("production", quarantined=(self.decide(),))
        return BackMerges(self.rollbacks).catch_up("production", status)

    def history(self, branch: str) -> list[str]:
        return self.origin.git("rev-list", f"refs/heads/{branch}").split()


@contextmanager
def town_at(root: Path) -> Iterator[Town]:
    origin = Origin(root / "origin.git")
    good = origin.commit("production", {"farm.yaml": b"good\n"}, message="Good")
    origin.git("branch", "development", good)
    work = origin.commit("development", {"web.yaml": b"work\n"}, message="Work")
    bad = origin.commit(
        "production", {"web.yaml": b"work\n"}, message="Release", parents=(good, work)
    )
    origin.hook("update", NO_FORCE)
    with Mirror(str(origin.path), root / "mirror") as mirror:
        mirror.fetch()
        source = ConfigSource(mirror, DEFAULT_PATTERNS)
        identity = Identity("reconciler", "reconciler@farm.internal")
        yield Town(origin, Rollbacks(source, identity), good, bad)


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with town_at(tmp_path) as town:
        yield town


def test_a_person_who_was_there_first_has_decided(town: Town) -> None:
    fix = town.origin.commit("production", {"web.yaml": b"mended\n"}, message="Mend")
    assert town.push().standing is Standing.OVERTAKEN
    assert town.origin.head("production") == fix


def test_the_same_tree_on_top_is_taken_back_there(town: Town) -> None:
    empty = town.origin.commit("production", {}, message="Nothing")
    push = town.push()
    assert push.standing is Standing.DONE
    assert town.origin.git("rev-parse", f"{push.commit}^") == empty
    assert "web.yaml" not in town.origin.git("ls-tree", "--name-only", push.commit)


def test_a_rollback_of_people_is_as_good_as_ours(town: Town) -> None:
    theirs = town.origin.commit("production", {"web.yaml": None}, message="Back!")
    assert town.push().standing is Standing.OVERTAKEN
    told = town.back_merges()
    assert [line.partition(":")[0] for line in told] == ["development"]
    assert theirs in town.history("development")
    assert town.origin.git("show", "development:web.yaml") == "work"


def test_a_branch_that_is_gone_is_not_made_again(town: Town) -> None:
    town.origin.git("update-ref", "-d", "refs/heads/production")
    town.rollbacks.mirror.fetch()
    assert town.push().standing is Standing.OVERTAKEN
    assert town.origin.head("production") is None


@pytest.mark.timeout(120)
def test_S32_people_who_push_without_pause_lose_nothing(tmp_path: Path) -> None:
    """Somebody hammers both branches with pushes of his own while we push and merge back."""
    with town_at(tmp_path) as town:
        clones = {name: clone_of(town, tmp_path, name) for name in ("production", "development")}
        stop, pushed = threading.Event(), dict[str, list[str]]()
        threads = [
            threading.Thread(target=hammer, args=(clone, name, stop, pushed.setdefault(name, [])))
            for name, clone in clones.items()
        ]
        for thread in threads:
            thread.start()
        try:
            for _ in range(2):
                town.push()
                town.back_merges()
        finally:
            stop.set()
            for thread in threads:
                thread.join(60)
        for name, commits in pushed.items():
            assert len(commits) > 0
            assert set(commits) <= set(town.history(name)), name
        assert not (town.origin.path / "forced").exists()
        assert town.origin.git("fsck", "--no-dangling") == ""


def clone_of(town: Town, root: Path, branch: str) -> Path:
    clone = root / f"clone-{branch}"
    git(root, "clone", "--quiet", "--branch", branch, str(town.origin.path), str(clone))
    return clone


def hammer(clone: Path, branch: str, stop: threading.Event, pushed: list[str]) -> None:
    """Commit and push twenty times a second until told to stop; what was taken is remembered."""
    number = 0
    while not pushed or not stop.wait(0.05):
        number += 1
        git(clone, *PERSON, "commit", "--quiet", "--allow-empty", f"--message={branch} {number}")
        try:
            git(clone, "push", "--quiet", "origin", f"HEAD:{branch}")
        except subprocess.CalledProcessError:
            git(clone, "fetch", "--quiet", "origin", branch)
            git(clone, "reset", "--quiet", "--hard", "FETCH_HEAD")
        else:
            pushed.append(git(clone, "rev-parse", "HEAD"))


def test_S32_only_branches_of_rollbacks_are_pushed_where_no_other_is_taken(town: Town) -> None:
    town.origin.hook(
        "update", 'echo "$1" >> pushed\ncase $1 in refs/heads/*/*/*) exit 0;; esac\nexit 1'
    )
    push = town.push()
    assert push.standing is Standing.BESIDE
    assert push.branch == f"rollback/production/{town.bad[:7]}"
    assert town.push() == Push(Standing.BESIDE, push.branch, push.commit), "it is not tried again"
    assert town.origin.head("production") == town.bad
