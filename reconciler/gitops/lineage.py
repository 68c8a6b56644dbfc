"""What the history says about where work has gone: by ancestry, and by tree.

A squash merge or a rebase gives work a new commit id, and its tree stays what it was. So work has
arrived on a line if the line contains its commit, or a newer commit that has just its tree.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from reconciler.gitops.commits import rows
from reconciler.gitops.git import Git
from reconciler.gitops.refs import check_object_id

LIMIT = 500
_FIELDS = ("%H", "%T", "%P", "%s")


@dataclass(frozen=True, slots=True)
class Step:
    """One commit of a line: its tree, its parents, and its subject."""

    commit: str
    tree: str
    parents: tuple[str, ...]
    subject: str = ""

    @property
    def is_merge(self) -> bool:
        """Whether it only brings together what other commits have done."""
        return len(self.parents) > 1


def steps(
    git: Git,
    commit: str,
    known: Collection[str] = (),
    *,
    first_parent: bool = False,
    limit: int = LIMIT,
) -> tuple[Step, ...]:
    """The commits that lead to `commit` and to none of `known`, oldest first.

    At most the newest `limit`; with `first_parent` only those of the branch's own line.

    Raises:
        SourceError: a commit is missing or broken.
    """
    options = ("--topo-order", "--reverse", f"--max-count={int(limit)}")
    own_line = ("--first-parent",) if first_parent else ()
    found = rows(git, commit, _FIELDS, *options, *own_line, known=known)
    return tuple(
        Step(sha, tree, tuple(parents.split()), subject) for sha, tree, parents, subject in found
    )


def has_arrived(git: Git, commit: str, line: str) -> bool:
    """Whether the work of a commit is on the line that ends at `line`.

    Raises:
        SourceError: a commit is missing or broken.
    """
    return git.is_ancestor(commit, line) or arrival_by_tree(git, commit, line) is not None


def arrival_by_tree(git: Git, commit: str, line: str) -> str | None:
    """The first commit of the line, of those the commit does not know, that has its tree.

    Raises:
        SourceError: a commit is missing or broken.
    """
    [itself] = steps(git, commit, limit=1)
    newer = steps(git, line, (commit,), first_parent=True)
    return next((step.commit for step in newer if step.tree == itself.tree), None)


def newest_on(git: Git, line: str, of: str) -> str | None:
    """The newest commit of one line whose tree another line has come to, under another id.

    What the second line (which ends at `line`) did last counts: a tree that it has left again by a
    revert has not arrived. None if there is no such commit after the last common one.

    Raises:
        SourceError: a commit is missing or broken.
    """
    base = merge_base(git, of, line)
    if base is None:
        return None
    [common] = steps(git, base, limit=1)
    known = {step.tree: step.commit for step in (common, *steps(git, of, (base,)))}
    theirs = steps(git, line, (base,), first_parent=True)
    found = next((known[step.tree] for step in reversed(theirs) if step.tree in known), None)
    return None if found == base else found


def missing(git: Git, line: str, of: str) -> tuple[Step, ...]:
    """The commits that lead to `of` and whose work is not on the line, oldest first.

    Raises:
        SourceError: a commit is missing or broken.
    """
    if git.is_ancestor(of, line):
        return ()
    arrived = newest_on(git, line, of)
    return steps(git, of, (line, arrived) if arrived else (line,))


def merge_base(git: Git, one: str, other: str) -> str | None:
    """The newest commit that both have; None if the histories are unrelated.

    Raises:
        SourceError: a commit is missing or broken.
    """
    finished = git.call(
        "comparing histories",
        "merge-base",
        check_object_id(one),
        check_object_id(other),
        good=(0, 1),
    )
    return finished.output.decode().strip() or None


def follows(upper: Iterable[str], lower: Iterable[str]) -> bool:
    """Whether the trees of one line are trees of the other, in the same order.

    Then the first line holds nothing that the second did not have, whatever its commits are called.
    """
    rest = iter(lower)
    last = ""
    for tree in upper:
        if tree != last and tree not in rest:  # which searches on from where it stands
            return False
        last = tree
    return True
