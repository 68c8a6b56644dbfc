"""What became of a commit in each environment, as a comment on the pull request that brought it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from reconciler.errors import SourceError
from reconciler.gitops.git import Git
from reconciler.gitops.lineage import steps
from reconciler.gitops.merging import tree_of
from reconciler.gitops.refs import short
from reconciler.model.condition import ConditionType
from reconciler.model.standing import Quarantined
from reconciler.plan.show.escape import code_span, shortened
from reconciler.plan.show.status import Status

MARKER = "reconciler/fate"
MOST_COMMITS, MOST_STEPS, LONGEST_WHY = 20, 200, 300


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a commit in one environment, and why."""

    environment: str
    word: str
    why: str = ""


def fates(commit: str, statuses: Iterable[Status], git: Git) -> Iterator[Fate]:
    """What became of a commit, in each environment that has had it.

    Raises:
        SourceError: a commit is missing or broken.
    """
    for status in statuses:
        found = _fate(commit, status, git)
        if found is not None:
            yield found


def fate_markdown(commit: str, told: Iterable[Fate]) -> str:
    """The comment. Nothing that comes from a repository is markup in it."""
    lines = [f"Commit `{short(commit)}`:", ""]
    for each in told:
        why = f": {code_span(shortened(each.why, LONGEST_WHY))}" if each.why else ""
        lines.append(f"- **{each.environment}**: {each.word}{why}")
    return "\n".join(lines)


def arrivals(git: Git, new: str, old: str) -> tuple[str, ...]:
    """The commits by which work came from `old` to `new`: each step of the branch, each merge.

    `old` may be empty, and then it is `new` alone. At most the newest are given.

    Raises:
        SourceError: a commit is missing or broken.
    """
    if not old or old == new:
        return (new,)
    line = {s.commit for s in steps(git, new, (old,), first_parent=True, limit=MOST_COMMITS)}
    every = steps(git, new, (old,), limit=MOST_STEPS)
    chosen = [s.commit for s in every if s.commit in line or s.parents[1:]]
    return tuple(chosen[-MOST_COMMITS:]) or (new,)


def undone(status: Status, git: Git) -> Quarantined | None:
    """What was rolled back, while the farm is still at what was gone back to."""
    for each in reversed(status.quarantined):
        if _is_at(status.revision, each.good, git):
            return each
    return None


def _fate(commit: str, status: Status, git: Git) -> Fate | None:
    """Rolled back, if the farm is at what was gone back to; else in force, refused, or neither."""
    has = _within(commit, git)
    gone = undone(status, git)
    if gone is not None and has(gone.commit) and not has(gone.good):
        return Fate(status.environment, f"rolled back to `{short(gone.good)}`", gone.reason)
    ready = next((c for c in status.conditions if c.type is ConditionType.READY), None)
    if has(status.revision):
        if status.ready_revision == status.revision and not status.refused:
            return Fate(status.environment, f"applied with `{short(status.revision)}`, Ready")
        why = ready.message if ready and not status.refused else ""
        return Fate(status.environment, f"applied with `{short(status.revision)}`", why)
    if has(status.refused):
        word = f"not applied: `{short(status.refused)}` is refused"
        return Fate(status.environment, word, ready.message if ready else "")
    return None


def _within(commit: str, git: Git) -> Callable[[str], bool]:
    def within(line: str) -> bool:
        try:
            return bool(line) and git.is_ancestor(commit, line)
        except SourceError:  # the line is not here, so nothing can be said of it
            return False

    return within


def _is_at(revision: str, good: str, git: Git) -> bool:
    try:
        return bool(revision) and tree_of(git, revision) == tree_of(git, good)
    except SourceError:
        return False
