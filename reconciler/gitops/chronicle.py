"""What is remembered of an environment, in its journal: one commit per event, none per poll.

`recall` reads what was; `begins`, `ends` and `refused` compare what is with it, and write an event
only when something that can be said about the environment has changed.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache

from reconciler.engine.apply import Outcome, Result
from reconciler.engine.consequence import Consequence, consequence_of
from reconciler.engine.sightings import Detection
from reconciler.engine.verify import Look
from reconciler.errors import HistoryRewritten, ReconcilerError, SourceCorrupt, Stalled
from reconciler.gitops.journal import RESOURCES_AT_MOST, Event, Journal
from reconciler.gitops.notes import Notes
from reconciler.gitops.outbox import PushOutcome
from reconciler.kinds import KIND_BY_NAME
from reconciler.model.address import Address
from reconciler.model.change import Action
from reconciler.model.condition import ConditionType
from reconciler.model.condition import Status as ConditionStatus
from reconciler.model.resource import Applied, World
from reconciler.plan.conditions import Finding, conditions_of
from reconciler.plan.inventory import world_files
from reconciler.plan.plan import Cause, Change, Plan
from reconciler.plan.show.content import difference
from reconciler.plan.show.status import (
    Status,
    drift_json,
    drift_markdown,
    read_status,
    status_json,
)

DETECTED = "Reconciler-Detected"
SHORT = 7
BODY_LINES = 200
STATUS_FILE, DRIFT_FILE, DRIFT_PAGE = "status.json", "drift.json", "drift.md"


class EventWord(enum.StrEnum):
    """What happened, as the first word of a journal commit."""

    SYNC = "sync"
    DRIFT = "drift"
    HEAL = "heal"
    FAIL = "fail"
    LOST = "lost"
    REFUSE = "refuse"
    HOLD = "hold"
    READY = "ready"


NOT_NOTED = frozenset({EventWord.HEAL, EventWord.LOST})  # they tell of the farm, not of the commit


@dataclass(frozen=True, slots=True)
class Refusal:
    """A head that is not applied, and why. `revision` is empty if there is no such commit."""

    revision: str
    error: ReconcilerError


@dataclass(frozen=True)
class Report:
    """How a run ended. `refusal` says why the head of the branch was not applied."""

    environment: str
    revision: str
    before: Look | None = None
    after: Look | None = None
    outcomes: tuple[Outcome, ...] = ()
    residue: tuple[Change, ...] = ()
    refusal: Refusal | None = None

    @property
    def failed(self) -> tuple[Outcome, ...]:
        """The changes that did not end well."""
        return tuple(each for each in self.outcomes if each.result is not Result.DONE)

    @property
    def unknown(self) -> bool:
        """Whether something could not be looked at."""
        return self.after is not None and bool(self.after.world.unknown)

    @property
    def consequence(self) -> Consequence:
        """What the loop does next."""
        if self.failed or self.residue or self.unknown:
            return Consequence.RETRY
        return consequence_of(type(self.refusal.error)) if self.refusal else Consequence.WAIT

    @property
    def finding(self) -> Finding | None:
        """The one reason that the environment is not ready, the weightiest first."""
        stalled = self.consequence in {Consequence.STALL, Consequence.HOLD}
        if self.refusal is not None:
            error = self.refusal.error
            return Finding(type(error).__name__, str(error), stalled)
        if self.failed:
            messages = "; ".join(f"{each.address}: {each.message}" for each in self.failed[:3])
            return Finding("ApplyFailed", messages, stalled=False)
        if self.residue:
            left = ", ".join(str(change.address) for change in self.residue)
            return Finding("VerificationFailed", f"still differ: {left}", stalled=False)
        if self.unknown and self.after is not None:
            return Finding("HostUnknown", "; ".join(_reasons(self.after.world)), stalled=False)
        return self._held

    @property
    def _held(self) -> Finding | None:
        """What the policy keeps from being done: the farm is not what the commit says."""
        held = [each for each in self.after.plan.changes if each.held] if self.after else []
        if not held:
            return None
        message = f"{_count(len(held), 'change')} held: {held[0].address}: {held[0].held}"
        more = f" and {len(held) - 1} more" if held[1:] else ""
        return Finding("ChangesHeld", message + more, stalled=True)


@dataclass(frozen=True)
class Chronicle:
    """Reads and writes the journals. `journal` and `notes` find those of an environment."""

    journal: Callable[[str], Journal]
    notes: Callable[[str], Notes]
    now: Callable[[], datetime]

    def recall(self, environment: str) -> Status:
        """What the journal remembers; a blank status if it has not begun."""
        files = self.journal(environment).read() or {}
        content = files.get(STATUS_FILE)
        if not content:
            return Status(environment)
        status = _read_status(content)
        if status.environment != environment:
            raise Stalled(
                f"the journal of {environment} tells of {status.environment}",
                "restore status.json as it is in an earlier commit of the journal",
            )
        return status

    def begins(
        self,
        before: Look,
        past: Status,
        refusal: Refusal | None,
        found: Mapping[Address, Detection],
    ) -> Status:
        """Write down what was found before anything is changed: a refusal, then drift.

        `found` tells how each drift was noticed.

        Raises:
            SourceError: the journal cannot be written. Nothing may be changed then.
        """
        if not before.plan.changes and not before.plan.remarks and refusal is None:
            return past
        self.journal(past.environment).check_writable()
        so_far = Report(past.environment, past.revision, before, before, refusal=refusal)
        if refusal is not None:
            past = self.refused(so_far, past)
        return self._drift(so_far, past, before, found)

    def ends(self, report: Report, past: Status) -> Status:
        """Write down how a run ended, if that is news."""
        look = report.after
        if look is None:
            return past
        status = self._status(past, look, report)
        word = _word(report, past, status)
        if word is None:
            return past
        changed = report.before.plan.active if report.before else ()
        subject = _subject(word, report)
        record = self._write(word, subject, status, look, changed)
        if word not in NOT_NOTED:
            self._note(report, f"{word}: {subject}", record)
        return status

    def refused(self, report: Report, past: Status) -> Status:
        """Write down that nothing could be done at all, if that is news."""
        conditions = conditions_of(
            past.environment,
            past.revision,
            finding=report.finding,
            seen=None,
            now=self._time(),
            previous=past.conditions,
        )
        refused = report.refusal.revision if report.refusal else ""
        status = replace(past, conditions=conditions, refused=refused, hold=_hold(report.refusal))
        if _said(status) != _said(past):
            word = _refusal_word(report)
            subject = _subject(word, report)
            self._note(report, f"{word}: {subject}", self._write(word, subject, status, None, ()))
        return status

    def _drift(
        self, report: Report, past: Status, before: Look, found: Mapping[Address, Detection]
    ) -> Status:
        drifted = before.plan.drifted
        known = (self.journal(past.environment).read() or {}).get(DRIFT_FILE)
        if not drifted or known == drift_json(before.plan):
            return past
        noted = self._status(past, before, report)
        verb = "differs" if len(drifted) == 1 else "differ"
        subject = f"{_count(len(drifted), 'resource')} {verb} from {_short(past.revision)}"
        told = tuple((DETECTED, f"{address} by {how}") for address, how in sorted(found.items()))
        self._write(EventWord.DRIFT, subject, noted, before, drifted, trailers=told)
        return noted

    def flush(self, environment: str) -> tuple[PushOutcome, ...]:
        """Push what waits to be pushed. Tells of failure, never raises it."""
        return self.journal(environment).flush(), self.notes(environment).flush()

    def _note(self, report: Report, outcome: str, record: str) -> None:
        """Say on the config commit what became of it."""
        refused = report.refusal.revision if report.refusal else ""
        if commit := refused or report.revision:
            with suppress(SourceCorrupt):  # a commit that is not here cannot be noted
                self.notes(report.environment).write(commit, outcome, record)

    def _status(self, past: Status, look: Look, report: Report) -> Status:
        finding, refusal, revision = report.finding, report.refusal, report.revision
        conditions = conditions_of(
            past.environment,
            revision,
            finding=finding,
            seen=(look.world, look.plan),
            now=self._time(),
            previous=past.conditions,
        )
        return replace(
            past,
            revision=revision,
            ready_revision=past.ready_revision if finding else revision,
            refused=refusal.revision if refusal else "",
            hold=_hold(refusal),
            conditions=conditions,
            applied=_applied(past, look),
            scopes=tuple(sorted(look.scopes)),
        )

    def _write(
        self,
        word: EventWord,
        subject: str,
        status: Status,
        look: Look | None,
        changed: tuple[Change, ...],
        *,
        trailers: tuple[tuple[str, str], ...] = (),
    ) -> str:
        """Write one event; without a look the journal's picture of the world stays as it was."""
        journal = self.journal(status.environment)
        files = {**_kept(journal, look), STATUS_FILE: status_json(status)}
        if look is not None:
            files |= {
                DRIFT_FILE: drift_json(look.plan),
                DRIFT_PAGE: drift_markdown(look.plan),
                **world_files(look.world, look.scopes),
            }
        return journal.append(
            Event(
                word=word,
                subject=subject,
                body=_body(status, changed),
                revision=status.revision,
                resources=tuple(str(change.address) for change in changed),
                files=files,
                trailers=trailers[:RESOURCES_AT_MOST],
            )
        )

    def _time(self) -> str:
        return self.now().strftime("%Y-%m-%dT%H:%M:%SZ")


_read_status = lru_cache(maxsize=8)(read_status)  # the same bytes are read at every turn


def _applied(past: Status, look: Look) -> Mapping[Address, Applied]:
    """What is remembered of each resource: as seen now, else as before while it is still wanted."""
    missing = {each.address for each in look.plan.unknown}
    missing |= {c.address for c in look.plan.changes if c.action is Action.CREATE}
    kept = {address: was for address, was in past.applied.items() if address in missing}
    seen = {
        address: Applied(found.owner.digest, KIND_BY_NAME[address.kind].host(found.spec))
        for address, found in look.world.of(past.environment).items()
        if found.owner is not None
    }
    return {**kept, **seen}


def _word(report: Report, past: Status, status: Status) -> EventWord | None:
    """Which event a run was, or None if there is nothing new to say."""
    changed = report.before.plan.active if report.before else ()
    news = _said(status) != _said(past)
    if not news and (not changed or report.failed or report.residue):
        return None
    words = (
        (EventWord.FAIL, bool(report.failed or report.residue)),
        (EventWord.SYNC, report.revision != past.revision or _pending(changed)),
        (EventWord.HEAL, bool(changed)),
        (_refusal_word(report), report.refusal is not None),
        (EventWord.LOST, report.unknown),
        (EventWord.HOLD, report.finding is not None),
    )
    return next((word for word, applies in words if applies), EventWord.READY)


def _pending(changes: tuple[Change, ...]) -> bool:
    return any(change.cause is Cause.PENDING for change in changes)


def _hold(refusal: Refusal | None) -> str | None:
    """Why the environment is left at what was applied, if only a person can change that."""
    if refusal is not None and isinstance(refusal.error, HistoryRewritten):
        return str(refusal.error)
    return None


def _refusal_word(report: Report) -> EventWord:
    rewritten = report.refusal and isinstance(report.refusal.error, HistoryRewritten)
    return EventWord.HOLD if rewritten else EventWord.REFUSE


def _said(status: Status) -> object:
    """All that a status says but the times."""
    conditions = [(c.type, c.status, c.reason, c.message) for c in status.conditions]
    return (status.revision, status.ready_revision, status.refused, conditions)


def _subject(word: EventWord, report: Report) -> str:
    revision = _short(report.revision)
    plan = report.before.plan if report.before else None
    if word is EventWord.SYNC and plan is not None:
        return f"{_summary(plan)} at {revision}"
    if word is EventWord.HEAL and plan is not None:
        return f"{_count(len(plan.active), 'resource')} set right at {revision}"
    if word is EventWord.FAIL:
        return f"{_count(len(report.failed) or len(report.residue), 'change')} failed at {revision}"
    if report.refusal is not None:
        head = _short(report.refusal.revision) or "the branch"
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


def _body(status: Status, changed: tuple[Change, ...]) -> str:
    """The conditions that are not as they should be, then what was changed, field by field."""
    lines = [
        f"{condition.type} is {condition.status} ({condition.reason}): {condition.message}"
        for condition in status.conditions
        if condition.type is ConditionType.READY or condition.status is not ConditionStatus.FALSE
    ]
    lines += [f"{change}: {difference(each, '->')}" for change in changed for each in change.fields]
    return "\n".join(lines[:BODY_LINES])


def _kept(journal: Journal, look: Look | None) -> Mapping[str, bytes]:
    """Without a look the journal's picture of the world stays what it was."""
    return {} if look is not None else journal.read() or {}


def _reasons(world: World) -> Iterator[str]:
    return (f"{scope.lock}: {reason}" for scope, reason in sorted(world.unknown.items()))


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


def _short(revision: str) -> str:
    return revision[:SHORT]
