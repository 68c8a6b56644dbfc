"""A plan for people: lines in a tree, good as plain text, which the command line may colour.

Each line says what it is, so that colour is the business of whoever prints it.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from reconciler.model.change import Action, FieldChange
from reconciler.plan.guards import Violation
from reconciler.plan.plan import Change, Plan
from reconciler.plan.show import escape
from reconciler.plan.show.background import NOTHING, Background, Word, share_of
from reconciler.plan.show.content import SECRETS, Mark, has_text, in_short, secret_lines, text_lines
from reconciler.plan.show.escape import shortened
from reconciler.plan.show.value import items, worded
from reconciler.plan.show.view import (
    View,
    changes_in,
    foreign_in,
    notes,
    notes_in,
    summary,
    title,
    unknown_in,
)

LINES_AT_MOST = 40
NAMED_AT_MOST = 10
INDENT = "  "
SYMBOLS = {Action.CREATE: "+", Action.UPDATE: "~", Action.MOVE: "→", Action.DELETE: "-"}


class LineKind(enum.StrEnum):
    """What a line is. The first four are the heads of changes, named as their action."""

    CREATE = "create"
    UPDATE = "update"
    MOVE = "move"
    DELETE = "delete"
    HEADING = "heading"
    GROUP = "group"
    FIELD = "field"
    ADDED = "added"
    REMOVED = "removed"
    CONTEXT = "context"
    HELD = "held"
    NOTE = "note"
    MORE = "more"
    UNKNOWN = "unknown"
    FOREIGN = "foreign"
    VIOLATION = "violation"
    REMEDY = "remedy"
    PROBLEM = "problem"
    SUMMARY = "summary"
    BLANK = "blank"


@dataclass(frozen=True, slots=True)
class Line:
    """One line. `depth` is its level in the tree, 0 at the left."""

    kind: LineKind
    text: str = ""
    depth: int = 0

    def __str__(self) -> str:
        return escape.line(INDENT * self.depth + self.text).rstrip()


BLANK = Line(LineKind.BLANK)


def plain(lines: Iterable[Line]) -> str:
    """The lines as plain text, with a line end after the last."""
    return "".join(f"{line}\n" for line in lines)


def plan_text(plan: Plan, violations: Sequence[Violation] = (), *, view: View = View.PLAN) -> str:
    """A plan as plain text."""
    return plain(plan_lines(plan, violations, view=view))


def plan_lines(
    plan: Plan,
    violations: Sequence[Violation] = (),
    *,
    view: View = View.PLAN,
    background: Background = NOTHING,
) -> tuple[Line, ...]:
    """Heading, changes by action, what is unknown or foreign, violations, summary and digest."""
    what, environment, revision = title(plan, view)
    known = revision and not background.merge  # nobody has seen the commit of a merge
    heading = f"{what} {environment}" + (f" at {revision}" if known else "")
    lines = [Line(LineKind.HEADING, heading)]
    lines += [Line(LineKind.CONTEXT, each) for each in background.told(shortened)]
    lines.append(BLANK)
    share = share_of(changes_in(plan, view), background)
    for action in Action:
        changes = [change for change in share.own if change.action is action]
        lines += _group(f"{len(changes)} to {action}", changes)
    lines += _group(f"{len(share.waiting)} waiting already, without this branch", share.waiting)
    lines += _group(f"{len(share.drifted)} drifted from what was applied", share.drifted)
    unknown = [Line(LineKind.UNKNOWN, f"? {shortened(u)}", 1) for u in unknown_in(plan)]
    lines += _listed("unknown", unknown, len(plan.unknown))
    foreign = [Line(LineKind.FOREIGN, f". {shortened(str(a))}", 1) for a in foreign_in(plan, view)]
    lines += _listed("foreign, left alone", foreign)
    told = [
        Line(LineKind.NOTE, shortened(f"{p.position}: {p.what}"), 1) for p in notes_in(plan, view)
    ]
    lines += _listed("good to know", told)
    words = [line for word in background.words for line in word_lines(word, 1)]
    lines += _listed("to know before it is merged", words, len(background.words))
    lines += _violations(violations)
    lines.append(Line(LineKind.SUMMARY, summary(plan, view)))
    if view is View.PLAN:
        lines.append(Line(LineKind.SUMMARY, f"Digest: {plan.digest}"))
        if plan.asked:
            lines.append(Line(LineKind.SUMMARY, f"To approve: {plan.approval_digest}"))
    return tuple(lines)


def change_lines(change: Change, depth: int = 0) -> tuple[Line, ...]:
    """One change: what and where in its first line, then field by field."""
    marks = [f"formerly {change.formerly}"] if change.formerly else []
    marks += [change.cause.value, change.disruption.label]
    head = (
        f"{SYMBOLS[change.action]} {shortened(str(change.address))} ({shortened(', '.join(marks))})"
    )
    if change.position:
        head += f" {shortened(str(change.position))}"
    lines = [Line(LineKind(change.action.value), head, depth)]
    if change.held is not None:
        lines.append(Line(LineKind.HELD, f"held: {shortened(change.held)}", depth + 2))
    lines += [Line(LineKind.NOTE, shortened(note), depth + 2) for note in notes(change)]
    if change.action is Action.DELETE:
        return (*lines, Line(LineKind.FIELD, _lost(change.fields), depth + 2))
    fields = [line for field in change.fields for line in _field(change.action, field, depth + 2)]
    return (*lines, *_capped(fields, depth + 2))


def violation_lines(violation: Violation, depth: int = 0) -> Iterator[Line]:
    """One violation: what, the way out, and whom it is about."""
    where = f"{violation.position}: " if violation.position else ""
    text = f"! {violation.name}: {where}{violation.message}"
    yield Line(LineKind.VIOLATION, shortened(text), depth)
    yield Line(LineKind.REMEDY, shortened(violation.remedy), depth + 2)
    named = [str(address) for address in violation.addresses]
    if len(named) > 1:
        more = f" and {len(named) - NAMED_AT_MOST} more" if len(named) > NAMED_AT_MOST else ""
        text = shortened(", ".join(named[:NAMED_AT_MOST])) + more
        yield Line(LineKind.FIELD, text, depth + 2)


def word_lines(word: Word, depth: int = 0) -> Iterator[Line]:
    """One thing to know before merging, and what can be done about it."""
    yield Line(LineKind.NOTE, shortened(f"{word.name}: {word.message}"), depth)
    if word.remedy:
        yield Line(LineKind.REMEDY, shortened(word.remedy), depth + 2)


def _group(name: str, changes: Sequence[Change]) -> Iterator[Line]:
    if changes:
        yield Line(LineKind.GROUP, name)
        for change in changes:
            yield from change_lines(change, depth=1)
        yield BLANK


def _field(action: Action, field: FieldChange, depth: int) -> Iterator[Line]:
    path = shortened(field.path)
    if has_text(field.path, field.before, field.after):
        yield Line(
            LineKind.FIELD, f"{path}: {in_short(field.path, field.before, field.after)}", depth
        )
        yield from _text(field, depth + 1)
        return
    listed = items(field.path, field.after) if action is Action.CREATE else ()
    listed = listed or _versions(field)
    if listed:
        yield Line(LineKind.FIELD, f"{path}:", depth)
        for number, item in enumerate(listed):
            yield Line(LineKind.FIELD, f"- {item}", depth + 1)
            yield from _texts_in(field, number, depth + 2)
        return
    short = in_short(field.path, field.before, field.after)
    before = "" if action is Action.CREATE else f"{worded(field.path, field.before)} → "
    text = shortened(short) if short else f"{before}{worded(field.path, field.after)}"
    yield Line(LineKind.FIELD, f"{path}: {text}", depth)


def _versions(field: FieldChange) -> tuple[str, ...]:
    """The versions of several secrets, each in one line."""
    lines = tuple(secret_lines(field.before, field.after)) if field.path == SECRETS else ()
    return tuple(map(shortened, lines)) if len(lines) > 1 else ()


def _texts_in(field: FieldChange, number: int, depth: int) -> Iterator[Line]:
    """The texts of an item of a list, line by line."""
    item = field.after[number] if isinstance(field.after, list) else None
    for key, value in item.items() if isinstance(item, dict) else ():
        if has_text(key, None, value):
            yield from _text(FieldChange(f"{field.path}.{key}", None, value), depth)


def _text(field: FieldChange, depth: int) -> Iterator[Line]:
    """A text line by line: what is new, what goes, and what is around it."""
    kinds = {Mark.NEW: LineKind.ADDED, Mark.GONE: LineKind.REMOVED}
    for mark, text in text_lines(field.before, field.after):
        yield Line(kinds.get(mark, LineKind.CONTEXT), f"{mark}{text}", depth)


def _lost(fields: Iterable[FieldChange]) -> str:
    """What goes, in one line: lists and texts only by their length."""
    return shortened(", ".join(f"{each.path}: {_length(each)}" for each in fields))


def _length(field: FieldChange) -> str:
    if isinstance(field.before, list):
        return worded(field.path, len(field.before))
    if has_text(field.path, None, field.before):
        return str(in_short(field.path, None, field.before))
    return worded(field.path, field.before)


def _capped(lines: Sequence[Line], depth: int) -> Iterator[Line]:
    yield from lines[:LINES_AT_MOST]
    left = len(lines) - LINES_AT_MOST
    if left > 0:
        text = f"… {left} more lines; the JSON format has them all"
        yield Line(LineKind.MORE, text, depth)


def _listed(name: str, lines: Sequence[Line], number: int = 0) -> Iterator[Line]:
    if lines:
        yield Line(LineKind.GROUP, f"{number or len(lines)} {name}")
        yield from _capped(lines, depth=1)
        yield BLANK


def _violations(violations: Sequence[Violation]) -> Iterator[Line]:
    if violations:
        noun = "violation" if len(violations) == 1 else "violations"
        yield Line(LineKind.GROUP, f"{len(violations)} {noun}: the plan is not applied")
        for violation in violations:
            yield from violation_lines(violation, depth=1)
        yield BLANK
