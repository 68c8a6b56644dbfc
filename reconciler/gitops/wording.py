"""What an event is called in the journal, and what its record says of it. Pure."""

from __future__ import annotations

import enum

from reconciler.errors import HistoryRewritten, RolledBack
from reconciler.gitops.refs import short
from reconciler.gitops.report import Report, count
from reconciler.model.change import Action
from reconciler.model.condition import ConditionType
from reconciler.model.condition import Status as ConditionStatus
from reconciler.plan.plan import Cause, Change, Plan
from reconciler.plan.show.content import difference
from reconciler.plan.show.status import Status

BODY_LINES = 200


class EventWord(enum.StrEnum):
    """What happened, as the first word of a journal commit."""

    SYNC = "sync"
    DRIFT = "drift"
    HEAL = "heal"
    FAIL = "fail"
    LOST = "lost"
    REFUSE = "refuse"
    HOLD = "hold"
    RELEASE = "release"
    READY = "ready"
    ROLLBACK = "rollback"


NOT_NOTED = frozenset({EventWord.HEAL, EventWord.LOST})  # they tell of the farm, not of the commit


def word_of(report: Report, past: Status, status: Status) -> EventWord | None:
    """Which event a run was, or None if there is nothing new to say."""
    changed = report.before.plan.active if report.before else ()
    news = said_in(status) != said_in(past)
    if not news and (not changed or report.failed or report.residue):
        return None
    words = (
        (EventWord.FAIL, bool(report.failed or report.residue)),
        (EventWord.SYNC, report.revision != past.revision or _pending(changed)),
        (EventWord.HEAL, bool(changed)),
        (refusal_word(report), report.refusal is not None),
        (EventWord.LOST, report.unknown),
        (EventWord.HOLD, report.finding is not None),
    )
    return next((word for word, applies in words if applies), EventWord.READY)


def _pending(changes: tuple[Change, ...]) -> bool:
    return any(change.cause is Cause.PENDING for change in changes)


def refusal_word(report: Report) -> EventWord:
    """The word for a head that is not applied."""
    held = report.refusal and isinstance(report.refusal.error, HistoryRewritten | RolledBack)
    return EventWord.HOLD if held else EventWord.REFUSE


def said_in(status: Status) -> object:
    """All that a status says but the times."""
    conditions = [(c.type, c.status, c.reason, c.message) for c in status.conditions]
    return (status.revision, status.ready_revision, status.refused, status.failing, conditions)


def subject_of(word: EventWord, report: Report) -> str:
    """The first line of the event, without its word and environment."""
    revision = short(report.revision)
    plan = report.before.plan if report.before else None
    if word is EventWord.SYNC and plan is not None:
        return f"{_summary(plan)} at {revision}"
    if word is EventWord.HEAL and plan is not None:
        return f"{count(len(plan.active), 'resource')} set right at {revision}"
    if word is EventWord.FAIL:
        return f"{count(len(report.failed) or len(report.residue), 'change')} failed at {revision}"
    if report.refusal is not None:
        head = short(report.refusal.revision) or "the branch"
        kept = f"{revision} stays in force" if revision else "nothing was applied before"
        return f"{head} refused, {kept}"
    if word is EventWord.LOST and report.after is not None:
        scopes = ", ".join(scope.lock for scope in sorted(report.after.world.unknown))
        return f"{scopes} cannot be looked at"
    return f"the farm is what {revision} says"


def _summary(plan: Plan) -> str:
    words = {"created": Action.CREATE, "updated": Action.UPDATE}
    words |= {"moved": Action.MOVE, "deleted": Action.DELETE}
    counts = {word: sum(c.action is action for c in plan.active) for word, action in words.items()}
    counts["held"] = sum(change.held is not None for change in plan.changes)
    return ", ".join(f"{count} {word}" for word, count in counts.items() if count) or "no change"


def body_of(status: Status, changed: tuple[Change, ...]) -> str:
    """The conditions that are not as they should be, then what was changed, field by field."""
    lines = [
        f"{condition.type} is {condition.status} ({condition.reason}): {condition.message}"
        for condition in status.conditions
        if condition.type is ConditionType.READY or condition.status is not ConditionStatus.FALSE
    ]
    lines += [f"{change}: {difference(each, '->')}" for change in changed for each in change.fields]
    return "\n".join(lines[:BODY_LINES])
