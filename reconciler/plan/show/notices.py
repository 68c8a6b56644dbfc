"""What a plan or a check of the repository has to say, one notice per thing, for JUnit and SARIF.

Each notice points at the line that owns the matter. What no document owns (a deletion, a limit of
the whole environment) points at the Environment document, which decides about it.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from reconciler.model.address import Address
from reconciler.model.position import Position, Problem
from reconciler.plan.guards import GUARDS, Violation
from reconciler.plan.plan import Cause, Change, Plan
from reconciler.plan.show.background import NOTHING, Background, Word
from reconciler.plan.show.content import difference
from reconciler.plan.show.view import View, changes_in, foreign_in, notes, notes_in

PROBLEM_RULE = "config/problem"
FIELDS_AT_MOST = 5
RULES: Mapping[str, str] = {
    PROBLEM_RULE: "The config repository says something impossible.",
    Cause.DRIFT.value: "The world moved away from what was applied.",
    Cause.PENDING.value: "Git wants something that is not yet applied.",
    "unknown": "Nobody can look at the resource now.",
    "note": "Something that stops nothing, and is good to know.",
    "foreign": "The resource carries no owner's mark and is left alone.",
    **{guard.__name__.replace("_", "-"): (guard.__doc__ or "").split("\n")[0] for guard in GUARDS},
}


class Level(enum.StrEnum):
    """How bad it is, in SARIF's words. A note wants no action."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to say: by which rule, about whom, and where the owner of the matter stands.

    `position` None: nothing in the repository has to do with it. Texts are as they came.
    """

    rule: str
    level: Level
    subject: str
    message: str
    position: Position | None = None


def plan_notices(
    plan: Plan,
    violations: Sequence[Violation] = (),
    *,
    view: View = View.PLAN,
    background: Background = NOTHING,
) -> tuple[Notice, ...]:
    """What the plan says: violations, changes, then what is unknown, foreign, or good to know."""
    home = Position(str(PurePosixPath("environments", plan.environment, "environment.yaml")))
    places = {change.address: change.position for change in plan.changes if change.position}
    notices = [_violation(violation, places, home) for violation in violations]
    notices += [_change(change, home) for change in changes_in(plan, view)]
    notices += [
        Notice("unknown", Level.WARNING, str(each.address), each.reason, home)
        for each in plan.unknown
    ]
    notices += [
        Notice("foreign", Level.NOTE, str(address), "it is nobody's that we know", home)
        for address in foreign_in(plan, view)
    ]
    notices += [
        Notice("note", Level.NOTE, note.position.file, f"{note.what}; {note.remedy}", note.position)
        for note in notes_in(plan, view)
    ]
    notices += [
        Notice(word.name, Level.NOTE, plan.environment, _sentence(word), home)
        for word in background.words
    ]
    return tuple(notices)


def problem_notices(problems: Iterable[Problem]) -> tuple[Notice, ...]:
    """What a check of the config repository found."""
    return tuple(
        Notice(
            PROBLEM_RULE,
            Level.ERROR,
            problem.position.file,
            problem.what + (f"; {problem.remedy}" if problem.remedy else ""),
            problem.position,
        )
        for problem in problems
    )


def _sentence(word: Word) -> str:
    return word.message + (f"; {word.remedy}" if word.remedy else "")


def _change(change: Change, home: Position) -> Notice:
    level = Level.WARNING if change.cause is Cause.DRIFT else Level.NOTE
    message = f"{change.action} ({change.cause}, {change.disruption.label})"
    message += "".join(f"; {text}" for text in _fields(change))
    message += "".join(f"; {note}" for note in notes(change))
    message += f"; held: {change.held}" if change.held is not None else ""
    return Notice(change.cause, level, str(change.address), message, change.position or home)


def _fields(change: Change) -> Iterator[str]:
    for field in change.fields[:FIELDS_AT_MOST]:
        yield difference(field)
    left = len(change.fields) - FIELDS_AT_MOST
    if left > 0:
        yield f"and {left} more fields"


def _violation(violation: Violation, places: Mapping[Address, Position], home: Position) -> Notice:
    owned = (places[address] for address in violation.addresses if address in places)
    subject = ", ".join(map(str, violation.addresses[:3])) or violation.name
    message = f"{violation.message}; {violation.remedy}"
    position = violation.position or next(owned, home)
    return Notice(violation.name, Level.ERROR, subject, message, position)
