"""Where work has gone, by ancestry and by tree, in real repositories."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.gitops.git import Git
from reconciler.gitops.lineage import (
    arrival_by_tree,
    follows,
    has_arrived,
    merge_base,
    missing,
    newest_on,
    steps,
)
from tests.remotes.origin import Origin
from tests.remotes.writers import mirror_of


class Line:
    """A lower branch `dev` with three commits, and an upper branch `prod` from the first one."""

    def __init__(self, root: Path) -> None:
        self.origin = Origin(root / "origin.git")
        self.commits = [self.add("dev", n) for n in range(3)]
        self.origin.git("branch", "prod", self.commits[0])
        self.root = root

    def add(self, branch: str, number: int, *others: str) -> str:
        head = self.origin.head(branch)
        parents = ((head,) if head else ()) + others
        return self.origin.commit(
            branch, {"file": b"%d" % number}, parents=parents, message=f"Commit {number}"
        )


@pytest.fixture
def line(tmp_path: Path) -> Line:
    return Line(tmp_path)


def git_of(line: Line) -> Git:
    with mirror_of(line.origin, line.root / "state") as mirror:
        return mirror.git()


@pytest.mark.parametrize(
    ("upper", "lower", "expected"),
    [
        ("", "abc", True),
        ("b", "abc", True),
        ("ac", "abc", True),
        ("aab", "abc", True),
        ("ba", "abc", False),
        ("aba", "aba", True),
        ("aba", "abc", False),
        ("x", "abc", False),
        ("ax", "abc", False),
    ],
)
def test_one_line_follows_another_if_its_trees_come_in_the_same_order(
    upper: str, lower: str, expected: bool
) -> None:
    assert follows(upper, lower) is expected


def test_steps_are_told_oldest_first_and_the_newest_are_kept(line: Line) -> None:
    git = git_of(line)
    assert [step.commit for step in steps(git, line.commits[2])] == line.commits
    assert [step.subject for step in steps(git, line.commits[2], limit=1)] == ["Commit 2"]
    assert [step.commit for step in steps(git, line.commits[2], line.commits[:1])] == line.commits[
        1:
    ]


def test_a_merge_is_known_by_its_parents(line: Line) -> None:
    merged = line.add("prod", 2, line.commits[2])
    own = steps(git_of(line), merged, (line.commits[0],), first_parent=True)
    assert [(step.commit, step.is_merge) for step in own] == [(merged, True)]


def test_a_squash_is_known_by_its_tree(line: Line) -> None:
    squash = line.add("prod", 2)
    later = line.add("prod", 9)
    git = git_of(line)
    assert arrival_by_tree(git, line.commits[2], later) == squash
    assert has_arrived(git, line.commits[2], later)
    assert not has_arrived(git, line.commits[1], later), "its very tree never was there"
    assert newest_on(git, later, line.commits[2]) == line.commits[2]
    assert missing(git, later, line.commits[2]) == ()


def test_a_tree_that_was_there_before_has_not_arrived(line: Line) -> None:
    """A release that goes back to an old tree is new work all the same."""
    line.add("prod", 1)
    head = line.add("prod", 2)
    again = line.origin.commit("release", {"file": b"1"}, parents=(head,))
    git = git_of(line)
    assert not has_arrived(git, again, head)


def test_what_was_reverted_is_missing_again(line: Line) -> None:
    line.add("prod", 2)
    reverted = line.add("prod", 0)
    git = git_of(line)
    assert newest_on(git, reverted, line.commits[2]) is None
    assert [each.commit for each in missing(git, reverted, line.commits[2])] == line.commits[1:]


def test_what_came_after_a_squash_is_missing(line: Line) -> None:
    squash = line.add("prod", 1)
    assert [each.commit for each in missing(git_of(line), squash, line.commits[2])] == [
        line.commits[2]
    ]


def test_unrelated_histories_have_no_base(line: Line) -> None:
    orphan = line.origin.commit("orphan", {"file": b"2"}, parents=())
    git = git_of(line)
    assert merge_base(git, orphan, line.commits[2]) is None
    assert newest_on(git, orphan, line.commits[2]) is None
    assert merge_base(git, line.commits[1], line.commits[2]) == line.commits[1]


def test_names_that_are_no_ids_never_reach_git(line: Line) -> None:
    with pytest.raises(ValueError, match="not a full commit id"):
        steps(git_of(line), "--all")
