"""The matrix of environments and commits, for people and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from reconciler.gitops.flow.matrix import Column, Mark, Matrix
from reconciler.gitops.lineage import Step
from reconciler.gitops.refs import short
from reconciler.gitops.report import count
from reconciler.model.condition import ConditionType
from reconciler.model.condition import Status as Truth
from reconciler.model.plain import to_plain
from reconciler.plan.show.escape import visible

WIDTH = 100
SUBJECTS = 5
_SIGNS = {Mark.IN_FORCE: "●", Mark.ARRIVED: "✓", Mark.ROLLED_BACK: "↺", Mark.AWAITED: "·"}
_LEGEND = "● in force  ✓ there  ↺ rolled back  · not there yet"
_TITLES = ("environment", "branch", "in force", "head", "Ready since", "release", "behind")
_WIDTHS = (11, 24, 8, 8, 16, 10, 6)


def document(matrix: Matrix, now: str) -> Mapping[str, Any]:
    """The matrix for JSON."""
    return {
        "environments": [_column_document(each, now) for each in matrix.columns],
        "commits": [
            {
                "commit": row.step.commit,
                "subject": row.step.subject,
                "environments": {name: str(mark) for name, mark in row.marks.items()},
            }
            for row in matrix.rows
        ],
    }


def lines(matrix: Matrix, now: str) -> Iterator[tuple[str, str]]:
    """The matrix for people, each line with its style; no line is wider than the paper."""
    yield _table_line(_TITLES), "bold"
    for column in matrix.columns:
        yield _table_line(_cells(column)), "" if _is_ready(column) else "yellow"
    for column in matrix.columns:
        yield from _remarks(column, now)
    yield "", ""
    yield from _commit_lines(matrix)


def _column_document(column: Column, now: str) -> Mapping[str, Any]:
    past = column.past
    return {
        "environment": column.environment,
        "branch": column.branch,
        "head": column.head,
        "revision": past.revision or None,
        "ready_revision": past.ready_revision or None,
        "ready_since": past.ready_since or None,
        "release": column.tag or None,
        "lower": column.lower or None,
        "behind": len(column.behind),
        "waiting": [_step_document(step) for step in column.waiting],
        "hold": past.hold,
        "holds": [to_plain(each) for each in past.holds if not each.is_over(now)],
        "quarantined": [to_plain(each) for each in past.quarantined],
        "refused": past.refused or None,
    }


def _step_document(step: Step) -> Mapping[str, str]:
    return {"commit": step.commit, "subject": step.subject}


def _is_ready(column: Column) -> bool:
    return bool(column.past.ready_since) and column.head in {None, column.past.revision}


def _cells(column: Column) -> Sequence[str]:
    past = column.past
    since = past.ready_since
    ready = f"{datetime.fromisoformat(since):%Y-%m-%d %H:%M}" if since else "not Ready"
    behind = str(len(column.behind)) if column.lower else ""
    branch, head = column.branch or "(none is open)", short(column.head or "")
    return column.environment, branch, short(past.revision), head, ready, column.tag, behind


def _table_line(cells: Sequence[str]) -> str:
    shown = (_fit(cell, width).ljust(width) for cell, width in zip(cells, _WIDTHS, strict=True))
    return "  ".join(shown).rstrip()


def _remarks(column: Column, now: str) -> Iterator[tuple[str, str]]:
    name, past = column.environment, column.past
    if column.waiting:
        told = count(len(column.waiting), "commit")
        yield f"{name}: {told} Ready in {column.lower} can be promoted", "cyan"
        for step in column.waiting[::-1][:SUBJECTS]:
            yield _fit(f"  {short(step.commit)} {visible(step.subject)}", WIDTH), ""
        if len(column.waiting) > SUBJECTS:
            yield f"  and {len(column.waiting) - SUBJECTS} more", "dim"
    for text, style in _troubles(column, now):
        yield _fit(visible(f"{name}: {text}"), WIDTH), style
    if past.refused:
        yield f"{name}: {short(past.refused)} is refused: reconciler status -e {name}", "red"


def _troubles(column: Column, now: str) -> Iterator[tuple[str, str]]:
    past = column.past
    for hold in past.holds:
        if not hold.is_over(now):
            what = hold.resource or "everything"
            until = f" until {hold.until}" if hold.until else ""
            yield f"{what} is held{until}: {hold.reason}", "magenta"
    for each in past.quarantined:
        yield f"{short(each.commit)} was rolled back to {short(each.good)}: {each.reason}", "red"
    for condition in past.conditions:
        if condition.type is ConditionType.STALLED and condition.status is Truth.TRUE:
            first = (condition.message.splitlines() or [""])[0]
            yield f"stalled: {condition.reason}: {first}", "red"


def _commit_lines(matrix: Matrix) -> Iterator[tuple[str, str]]:
    names = [column.environment for column in matrix.columns]
    room = WIDTH - sum(len(name) + 2 for name in names) - 9
    yield f"{'commit':<9}{'subject':<{room}}" + "".join(f"  {name}" for name in names), "bold"
    for row in matrix.rows:
        subject = _fit(visible(row.step.subject), room)
        marks = "".join(f"  {_SIGNS[row.marks[name]]:^{len(name)}}" for name in names)
        yield f"{short(row.step.commit):<9}{subject:<{room}}{marks}".rstrip(), ""
    yield _LEGEND, "dim"


def _fit(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
