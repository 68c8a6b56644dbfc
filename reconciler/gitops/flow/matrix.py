"""Which commit is where, what waits to be promoted, and who is behind."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from reconciler.gitops.flow.releases import newest_tag
from reconciler.gitops.flow.undone import GitHistories
from reconciler.gitops.git import Git
from reconciler.gitops.lineage import Step, missing, newest_on, steps
from reconciler.gitops.source import ConfigSource
from reconciler.plan.show.status import Status

COMMITS = 12


class Mark(enum.StrEnum):
    """How it stands with a commit in an environment."""

    IN_FORCE = "in force"
    ARRIVED = "arrived"
    ROLLED_BACK = "rolled back"
    AWAITED = "awaited"


@dataclass(frozen=True, slots=True)
class Column:
    """One environment: what it follows, what is in force, and what waits below to be promoted.

    `behind` are the commits of the next lower environment's branch that are not in force here,
    `waiting` what was Ready there and is not merged here. `tag` is the newest version that it has.
    """

    environment: str
    past: Status
    branch: str | None = None
    head: str | None = None
    tag: str = ""
    lower: str = ""
    behind: tuple[Step, ...] = ()
    waiting: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """One commit of the lowest line, and how it stands with it in each environment."""

    step: Step
    marks: Mapping[str, Mark]


@dataclass(frozen=True, slots=True)
class Matrix:
    """The environments from the lowest to the highest, and the newest commits, newest first."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]


def matrix_of(
    source: ConfigSource,
    environments: Sequence[str],
    recall: Callable[[str], Status],
    commits: int = COMMITS,
) -> Matrix:
    """Where everything is, from the mirror and the journals alone.

    Raises:
        SourceError: a commit is missing or broken.
    """
    git, branches, heads = source.mirror.git(), source.branches(), source.mirror.heads()
    columns: list[Column] = []
    for name in environments:
        branch, past = branches.get(name), recall(name)
        if branch is None and not past.revision:
            continue
        plain = Column(name, past, branch, heads[branch] if branch else None)
        columns.append(_placed(git, plain, columns[-1] if columns else None))
    return Matrix(tuple(columns), tuple(_rows(git, columns, commits)))


def _placed(git: Git, column: Column, lower: Column | None) -> Column:
    """The column with what it has, and what it lacks of the next lower one."""
    force = _in_force(git, column)
    tagged = newest_tag(git, force) if force else None
    behind: tuple[Step, ...] = ()
    waiting: tuple[Step, ...] = ()
    if lower is not None and force:
        ready = lower.past.ready_revision
        behind = _changes(git, force, lower.head)
        merged = column.head or force
        waiting = _changes(git, merged, ready if ready and git.has_commit(ready) else None)
    return Column(
        column.environment,
        column.past,
        column.branch,
        column.head,
        tagged.tag if tagged else "",
        lower.environment if lower else "",
        behind,
        waiting,
    )


def _in_force(git: Git, column: Column) -> str | None:
    """The commit that is in force, else the head if nothing was ever applied."""
    revision = column.past.revision
    return revision if revision and git.has_commit(revision) else column.head


def _changes(git: Git, line: str, of: str | None) -> tuple[Step, ...]:
    if of is None:
        return ()
    return tuple(step for step in missing(git, line, of) if not step.is_merge)


def _rows(git: Git, columns: Sequence[Column], commits: int) -> Iterator[Row]:
    first = next((column.head for column in columns if column.head), None)
    if first is None:
        return
    line = tuple(reversed(steps(git, first, first_parent=True, limit=commits)))
    marks = {column.environment: _marks(git, column, first, line) for column in columns}
    for step in line:
        yield Row(step, {name: each[step.commit] for name, each in marks.items()})


def _marks(git: Git, column: Column, first: str, line: Sequence[Step]) -> Mapping[str, Mark]:
    force = column.past.revision
    if not force or not git.has_commit(force):
        return {step.commit: Mark.AWAITED for step in line}
    lacking = set(git.commits_between(first, (force,)))
    if arrived := newest_on(git, force, first):
        lacking &= set(git.commits_between(first, (arrived,)))
    gone = _rolled_back(git, column, line, lacking)
    return {step.commit: _mark(step.commit, force, lacking, gone) for step in line}


def _mark(commit: str, force: str, lacking: set[str], gone: set[str]) -> Mark:
    if commit == force:
        return Mark.IN_FORCE
    if commit in gone:
        return Mark.ROLLED_BACK
    return Mark.AWAITED if commit in lacking else Mark.ARRIVED


def _rolled_back(git: Git, column: Column, line: Sequence[Step], lacking: set[str]) -> set[str]:
    """What was taken back and has not come again with a later commit."""
    histories, gone = GitHistories(git), set[str]()
    newest = next((step.commit for step in line if step.commit not in lacking), None)
    for each in column.past.quarantined:
        if not (git.has_commit(each.commit) and git.has_commit(each.good)):
            continue
        undoing = histories.restorer(each.commit, each.good, column.past.revision)
        is_again = undoing and newest and git.is_ancestor(undoing, newest)
        if not is_again:
            gone |= set(git.commits_between(each.commit, (each.good,)))
    return gone
