"""The revert trap: which rolled back work a merge would silently leave out. Pure.

A branch took work in and took it back by a rollback. Who merges a branch that has the work but not
the rollback gets everything but that work: for git it is merged already, and the taking back is
news. Once the rollback is merged back, keeping the tree, an ordinary merge brings the work again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from reconciler.gitops.flow.undone import GitHistories, Undone
from reconciler.gitops.mirror import Mirror
from reconciler.gitops.refs import short
from reconciler.plan.guards import ALLOW_TRAILER, Violation
from reconciler.plan.policy import Policy
from reconciler.plan.show.status import Status

GATE = "lost-work"
_NAMED = 5


class Histories(Protocol):
    """What is asked of the repository. Commits and trees are full ids."""

    def is_ancestor(self, old: str, new: str) -> bool:
        """Whether `new` is `old` or descends from it."""
        ...

    def between(self, new: str, known: Collection[str]) -> tuple[str, ...]:
        """The commits that lead to `new` and to none of `known`, oldest first."""
        ...

    def undone_between(self, new: str, known: Collection[str]) -> tuple[Undone, ...]:
        """The rollbacks that lead to `new` and to none of `known`."""
        ...

    def differing(self, one: str, other: str) -> frozenset[str]:
        """The paths at which two commits or trees differ."""
        ...

    def merged(self, ours: str, theirs: str, base: str = "") -> str | None:
        """The tree of a merge of two commits; None if both changed the same differently.

        With a `base` all three are commits or trees, and `base` is what both began with.
        """
        ...

    def parents(self, commit: str) -> tuple[str, ...]:
        """The parents of a commit."""
        ...


@dataclass(frozen=True, slots=True)
class Lost:
    """Work that a merge leaves out: `commits` of `source`, taken back by `undone`."""

    source: str
    target: str
    undone: Undone
    commits: tuple[str, ...]
    paths: tuple[str, ...] = ()

    def __str__(self) -> str:
        count = len(self.commits)
        named = ", ".join(short(each) for each in self.commits[:_NAMED])
        more = f" and {count - _NAMED} more" if count > _NAMED else ""
        return (
            f"the merge of {short(self.source)} leaves out the work of {named}{more}, which "
            f"{short(self.undone.commit)} had taken back from {short(self.undone.bad)}"
        )


def lost_work(
    histories: Histories,
    source: str,
    target: str,
    result: str | None = None,
    known: Iterable[Undone] = (),
) -> tuple[Lost, ...]:
    """What merging the commit `source` into the commit `target` would leave out.

    `result` is the merge itself, or its tree, where it is there. `known` are rollbacks that
    `target` has without saying so, as after a squash merge.

    Raises:
        SourceError: an object is missing, or git failed.
    """
    if histories.is_ancestor(target, source) or histories.is_ancestor(source, target):
        return ()
    found = {each.bad: each for each in (*known, *histories.undone_between(target, (source,)))}
    missing = [each for each in found.values() if not histories.is_ancestor(each.commit, source)]
    if missing and result is None:
        result = histories.merged(target, source) or target
    return tuple(
        lost
        for each in missing
        for lost in _lost(histories, source, target, result or target, each)
    )


def _lost(
    histories: Histories, source: str, target: str, result: str, undone: Undone
) -> Iterator[Lost]:
    """What of the work that was taken back `source` has and `result` has not."""
    others = {*histories.between(undone.bad, (undone.good, source))}
    mine = tuple(c for c in histories.between(undone.bad, (undone.good,)) if c not in others)
    wanted = histories.differing(undone.good, source) if mine else frozenset()
    paths = wanted & _absent(histories, result, undone) if wanted else frozenset()
    if paths:
        yield Lost(source, target, undone, mine, tuple(sorted(paths)))


def _absent(histories: Histories, result: str, undone: Undone) -> frozenset[str]:
    """The paths at which work that was taken back is not in a tree.

    Doing the work there again changes them. Where that cannot be told, because they were changed
    otherwise meanwhile, it is the paths that are just as they were before the work.
    """
    if again := histories.merged(result, undone.bad, undone.good):
        return histories.differing(again, result)
    touched = histories.differing(undone.good, undone.bad)
    return touched - histories.differing(undone.good, result)


def lost_in(
    histories: Histories, head: str, since: str, known: Iterable[Undone] = ()
) -> tuple[Lost, ...]:
    """What the merges after the commit `since` have left out of `head`.

    Work that a later commit brought back is not lost.

    Raises:
        SourceError: an object is missing, or git failed.
    """
    rollbacks = tuple(known)
    lost: list[Lost] = []
    if not rollbacks and not histories.undone_between(head, ()):
        return ()
    for commit in histories.between(head, (since,)):
        target, *sources = histories.parents(commit) or ("",)
        for source in sources:
            lost += lost_work(histories, source, target, head, rollbacks)
    return tuple(lost)


def violations(found: Iterable[Lost], target: str) -> tuple[Violation, ...]:
    """The gate's answer, with the way out; `target` names the branch or environment merged into."""
    return tuple(_violation(each, target) for each in found)


def _violation(lost: Lost, target: str) -> Violation:
    rollback = short(lost.undone.commit)
    more = f" and {len(lost.paths) - _NAMED} more" if len(lost.paths) > _NAMED else ""
    paths = ", ".join(lost.paths[:_NAMED]) + more
    return Violation(
        GATE,
        f"{lost}; {paths} would be as before that work",
        f"merge the rollback {rollback} into the branch that is merged into {target}, keeping its "
        f"tree (git merge -s ours {rollback}), and merge again; where the merge is made already, "
        f"git revert {rollback} on {target}; or say in a commit {ALLOW_TRAILER}: {GATE}",
    )


def check_lost_work(
    mirror: Mirror, head: str, past: Status, policy: Policy
) -> tuple[Violation, ...]:
    """The gate for a new head of an environment: what its merges have left out.

    Raises:
        SourceError: an object is missing, or git failed.
    """
    if GATE in policy.allowed or not past.revision or not mirror.has_commit(past.revision):
        return ()
    histories = GitHistories(mirror.git())
    known = [
        Undone(commit, each.commit, each.good)
        for each in past.quarantined
        if mirror.has_commit(each.commit)
        and mirror.has_commit(each.good)
        and (commit := histories.restorer(each.commit, each.good, past.revision))
    ]
    return violations(lost_in(histories, head, past.revision, known), past.environment)
