"""A plan and its drift as JSON, with the published schema of the plan.

The typed descriptions below are the format: what is built is checked against them by mypy, and
`schemas/plan.json` is generated from them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, NotRequired

from pydantic import ConfigDict, Field, JsonValue, TypeAdapter, with_config
from typing_extensions import TypedDict  # pydantic reads typing's own only from Python 3.12 on

from reconciler.model.change import Action, Disruption
from reconciler.model.position import Position, Problem
from reconciler.plan.guards import Violation
from reconciler.plan.plan import Cause, Change, Plan, Unknown
from reconciler.plan.show.background import NOTHING, Background, Merge
from reconciler.plan.show.value import redacted
from reconciler.plan.show.view import View, changes_in, count, foreign_in

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_CLOSED = ConfigDict(extra="forbid", use_attribute_docstrings=True)
_Count = Annotated[int, Field(ge=0)]
_Ordinal = Annotated[int, Field(ge=1)]
_Label = Annotated[str, Field(json_schema_extra={"enum": [each.label for each in Disruption]})]


@with_config(_CLOSED)
class SourceDocument(TypedDict):
    """A place in the config repository; lines and columns count from 1."""

    file: str
    line: _Ordinal
    column: _Ordinal


@with_config(_CLOSED)
class SummaryDocument(TypedDict):
    """How many resources are to be changed in which way, those held included."""

    create: _Count
    update: _Count
    delete: _Count
    move: _Count
    unchanged: _Count


@with_config(_CLOSED)
class FieldDocument(TypedDict):
    """One field that differs."""

    path: str
    """Dotted; named items by their name: `disks.data.pool`."""
    before: JsonValue
    """What was seen; null when there was nothing."""
    after: JsonValue
    """What is wanted; null when there is to be nothing."""


@with_config(_CLOSED)
class ChangeDocument(TypedDict):
    """One resource that is to be changed."""

    address: str
    """`kind/name`, or `kind@host/name` for what cannot move."""
    formerly: NotRequired[str]
    """The address that its mark still names, if that is another."""
    action: Action
    cause: Cause
    """`drift`: the world moved. `pending`: git did."""
    disruption: _Label
    """What it costs the people who use the thing, from least to most."""
    held: NotRequired[str]
    """Why the change is shown but not applied; absent when it is applied."""
    fields: list[FieldDocument]
    operations: list[str]
    """The steps, in words and in order."""
    needs: list[str]
    """The addresses of the changes that come before it."""
    source: SourceDocument | None
    """What in the config repository owns the resource; null when nothing does any more."""


@with_config(_CLOSED)
class UnknownDocument(TypedDict):
    """A resource nobody can say anything about now."""

    address: str
    reason: str


@with_config(_CLOSED)
class ViolationDocument(TypedDict):
    """One reason why the plan is not applied."""

    name: str
    """The guard's name, by which a commit acknowledges it."""
    message: str
    remedy: str
    addresses: list[str]
    source: SourceDocument | None


@with_config(_CLOSED)
class NoteDocument(TypedDict):
    """What whoever wrote the commit should know; it stops nothing."""

    message: str
    remedy: str
    source: SourceDocument | None


@with_config(_CLOSED)
class MergeDocument(TypedDict):
    """What is merged: the branch at `head` into the target at `base`."""

    branch: str
    head: str
    target: str
    base: str
    merged: bool
    """Whether the target has all of the branch already."""


@with_config(_CLOSED)
class SightDocument(TypedDict):
    """The newest entry of the journal whose world was planned against."""

    time: str
    """RFC 3339, in UTC."""
    event: str


@with_config(_CLOSED)
class WordDocument(TypedDict):
    """One thing to know before merging, which fails nothing by itself."""

    name: str
    message: str
    remedy: str


@with_config(_CLOSED)
class BackgroundDocument(TypedDict):
    """What whoever judges the plan should know besides it."""

    merge: MergeDocument | None
    """Null when a commit as it is was planned; else the plan's revision may be a merge that only
    this program knows."""
    journal: SightDocument | None
    """Null when the world was not the journal's."""
    before_merging: list[WordDocument]
    already: list[str]
    """The changes that would be made without the branch, too."""


@with_config(_CLOSED)
class PlanDocument(TypedDict):
    """What would be done to one environment for one commit."""

    environment: str
    revision: str
    digest: str
    """Names what would be done: equal plans have the equal digest."""
    approval_digest: NotRequired[str]
    """Names what the commit asks for, which people approve of: the same wherever it is asked."""
    summary: SummaryDocument
    changes: list[ChangeDocument]
    """In the order of doing."""
    unknown: list[UnknownDocument]
    violations: list[ViolationDocument]
    notes: NotRequired[list[NoteDocument]]
    background: NotRequired[BackgroundDocument]
    """Absent when there are none."""


@with_config(_CLOSED)
class DriftDocument(TypedDict):
    """What the world has moved away from, and what is nobody's.

    It names no revision, so that the same drift is the same document whatever git does meanwhile.
    """

    environment: str
    changes: list[ChangeDocument]
    foreign: list[str]
    unknown: list[UnknownDocument]


def plan_json(
    plan: Plan, violations: Iterable[Violation] = (), *, background: Background = NOTHING
) -> PlanDocument:
    """A plan as the document that `plan_schema` describes."""
    document: PlanDocument = {
        "environment": plan.environment,
        "revision": plan.revision,
        "digest": plan.digest,
        "summary": {
            "create": count(plan.changes, Action.CREATE),
            "update": count(plan.changes, Action.UPDATE),
            "delete": count(plan.changes, Action.DELETE),
            "move": count(plan.changes, Action.MOVE),
            "unchanged": plan.unchanged,
        },
        "changes": [_change(change) for change in plan.changes],
        "unknown": _unknown(plan.unknown),
        "violations": [_violation(violation) for violation in violations],
    }
    if plan.asked:
        document["approval_digest"] = plan.approval_digest
    if plan.notes:
        document["notes"] = [_note(note) for note in plan.notes]
    if background != NOTHING:
        document["background"] = _background(background)
    return document


def drift_document(plan: Plan) -> DriftDocument:
    """The drift in a plan, and the foreign resources."""
    return {
        "environment": plan.environment,
        "changes": [_change(change) for change in changes_in(plan, View.DRIFT)],
        "foreign": [str(address) for address in foreign_in(plan, View.DRIFT)],
        "unknown": _unknown(plan.unknown),
    }


def plan_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of what `plan_json` gives."""
    return {**TypeAdapter(PlanDocument).json_schema(), "$schema": DIALECT, "title": "Plan"}


def json_text(document: object) -> str:
    """A document as JSON: sorted keys, a line per value, an end of line.

    All of it is ASCII that prints and nothing in it is a command to a CI runner, so it may be
    written to a terminal or a job's log as it is.
    """
    text = json.dumps(document, indent=2, sort_keys=True)
    return text.replace("\x7f", "\\u007f").replace("##", "#\\u0023") + "\n"


def _change(change: Change) -> ChangeDocument:
    document: ChangeDocument = {
        "address": str(change.address),
        "action": change.action,
        "cause": change.cause,
        "disruption": change.disruption.label,
        "fields": [
            {
                "path": field.path,
                "before": redacted(field.path, field.before),
                "after": redacted(field.path, field.after),
            }
            for field in change.fields
        ],
        "operations": [str(operation) for operation in change.operations],
        "needs": sorted(str(need) for need in change.needs),
        "source": source(change.position),
    }
    if change.held is not None:
        document["held"] = change.held
    if change.formerly is not None:
        document["formerly"] = str(change.formerly)
    return document


def source(position: Position | None) -> SourceDocument | None:
    """A position as a document."""
    if position is None:
        return None
    return {"file": position.file, "line": position.line, "column": position.column}


def _unknown(unknown: Sequence[Unknown]) -> list[UnknownDocument]:
    return [{"address": str(each.address), "reason": each.reason} for each in unknown]


def _note(note: Problem) -> NoteDocument:
    return {"message": note.what, "remedy": note.remedy, "source": source(note.position)}


def _background(background: Background) -> BackgroundDocument:
    merge, sight = background.merge, background.sight
    return {
        "merge": _merge(merge) if merge else None,
        "journal": {"time": sight.time, "event": sight.event} if sight and sight.time else None,
        "before_merging": [
            {"name": word.name, "message": word.message, "remedy": word.remedy}
            for word in background.words
        ],
        "already": sorted(map(str, background.already)),
    }


def _merge(merge: Merge) -> MergeDocument:
    return {
        "branch": merge.branch,
        "head": merge.head,
        "target": merge.target,
        "base": merge.base,
        "merged": merge.is_merged,
    }


def _violation(violation: Violation) -> ViolationDocument:
    return {
        "name": violation.name,
        "message": violation.message,
        "remedy": violation.remedy,
        "addresses": [str(address) for address in violation.addresses],
        "source": source(violation.position),
    }
