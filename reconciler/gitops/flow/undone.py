"""Rollbacks as git tells of them: which commits took back what, and what a change had touched.

A rollback is known by its trailer, or by what it does: on the branch after the bad commit it is the
first commit in whose tree all that the bad commit had touched is again as it was before. So it is
found too when people merged its branch by a squash or a rebase.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from reconciler.gitops.commits import CommitInfo, log
from reconciler.gitops.git import Git
from reconciler.gitops.lineage import steps
from reconciler.gitops.merging import Maker, commit_tree, merge_trees, tree_of
from reconciler.gitops.refs import check_object_id
from reconciler.gitops.stream import Identity

REVERTS = "Reconciler-Reverts"
RESTORES = "Reconciler-Restores"
REASON = "Reconciler-Reason"
BACK_MERGE = "Reconciler-Back-Merge"
SEARCHED_AT_MOST = 200
_NOBODY = Maker(Identity("reconciler", "reconciler@localhost"), datetime.fromtimestamp(0, UTC))


@dataclass(frozen=True, slots=True)
class Undone:
    """Work that was taken back: `commit` restored the tree of `good`, the head was `bad`."""

    commit: str
    bad: str
    good: str


@dataclass(frozen=True, slots=True)
class GitHistories:
    """The questions of this package to one repository; commits are given by full id."""

    here: Git

    def is_ancestor(self, old: str, new: str) -> bool:
        """Whether `new` is `old` or descends from it."""
        return self.here.is_ancestor(old, new)

    def between(self, new: str, known: Collection[str]) -> tuple[str, ...]:
        """The commits that lead to `new` and to none of `known`, oldest first."""
        return self.here.commits_between(new, known)

    def undone_between(self, new: str, known: Collection[str]) -> tuple[Undone, ...]:
        """The rollbacks, by their trailers, that lead to `new` and to none of `known`."""
        excluded = tuple("^" + check_object_id(each) for each in known)
        finished = self.here.call(
            "looking for rollbacks",
            "rev-list",
            "--reverse",
            "--topo-order",
            f"--grep=^{REVERTS}: ",
            "--end-of-options",
            check_object_id(new),
            *excluded,
        )
        found = (self.info(each) for each in finished.output.decode().split())
        return tuple(each for info in found for each in _undone_by(info) if self._here(each))

    def differing(self, one: str, other: str) -> frozenset[str]:
        """The paths at which two commits or trees differ."""
        finished = self.here.call(
            "comparing trees",
            "diff-tree",
            "-r",
            "-z",
            "--name-only",
            "--no-renames",
            "--end-of-options",
            check_object_id(one),
            check_object_id(other),
        )
        return frozenset(finished.output.decode("utf-8", "backslashreplace").split("\0")[:-1])

    def merged(self, ours: str, theirs: str, base: str = "") -> str | None:
        """The tree of a merge of two commits; None if both changed the same differently.

        With a `base` all three are commits or trees, and `base` is what both began with.
        """
        if base:
            ours, theirs = self._as_children(base, ours, theirs)
        merged = merge_trees(self.here, ours, theirs)
        return merged.tree if merged.is_clean else None

    def parents(self, commit: str) -> tuple[str, ...]:
        """The parents of a commit."""
        return steps(self.here, commit, limit=1)[0].parents

    def _as_children(self, base: str, *others: str) -> tuple[str, ...]:
        """Commits with the trees of `others` whose only history is one with the tree of `base`."""
        root = commit_tree(self.here, tree_of(self.here, base), (), b"Begin", _NOBODY)
        return tuple(
            commit_tree(self.here, tree_of(self.here, each), (root,), b"Go on", _NOBODY)
            for each in others
        )

    def info(self, commit: str) -> CommitInfo:
        """Who made a commit, when, and what its message says."""
        return log(self.here, commit, 1)[0]

    def restorer(self, bad: str, good: str, head: str) -> str | None:
        """The commit between `bad` and `head` that took `bad` back; None if there is none."""
        if bad == head or not self.here.is_ancestor(bad, head):
            return None
        for each in self.undone_between(head, (bad,)):
            if each.bad == bad or each.good == good:
                return each.commit
        return self._restores(bad, good, head)

    def _restores(self, bad: str, good: str, head: str) -> str | None:
        touched = self.differing(good, bad)
        for commit in self._first_parents(bad, head)[:SEARCHED_AT_MOST] if touched else ():
            if touched.isdisjoint(self.differing(good, commit)):
                return commit
        return None

    def _first_parents(self, old: str, new: str) -> list[str]:
        finished = self.here.call(
            "listing commits",
            "rev-list",
            "--reverse",
            "--first-parent",
            "--end-of-options",
            check_object_id(new),
            "^" + check_object_id(old),
        )
        return finished.output.decode().split()

    def _here(self, undone: Undone) -> bool:
        return self.here.has_commit(undone.bad) and self.here.has_commit(undone.good)


def _undone_by(info: CommitInfo) -> Iterator[Undone]:
    """What a commit says that it takes back, also where a forge has made a body of the trailers."""
    said = dict(_said(info))
    try:
        yield Undone(info.sha, check_object_id(said[REVERTS]), check_object_id(said[RESTORES]))
    except (KeyError, ValueError):
        return  # anybody can write such a line; it then says nothing


def _said(info: CommitInfo) -> Iterator[tuple[str, str]]:
    lines: Iterable[str] = info.body.splitlines()
    for line in lines:
        key, colon, value = line.strip().partition(": ")
        if colon and key in {REVERTS, RESTORES}:
            yield key, value.strip()
