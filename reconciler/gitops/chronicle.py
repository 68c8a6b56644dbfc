"""What is remembered of an environment, in its journal: one commit per event, none per poll.

`recall` reads what was; `begins`, `ends` and `refused` compare what is with it, and write an event
only when something that can be said about the environment has changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache

from reconciler.engine.sightings import Detection
from reconciler.engine.verify import Look
from reconciler.errors import HistoryRewritten, RolledBack, SourceCorrupt, Stalled
from reconciler.gitops.journal import RESOURCES_AT_MOST, Event, Journal
from reconciler.gitops.notes import Notes
from reconciler.gitops.outbox import PushOutcome
from reconciler.gitops.refs import short
from reconciler.gitops.report import Refusal, Report, count
from reconciler.gitops.wording import (
    NOT_NOTED,
    EventWord,
    body_of,
    refusal_word,
    said_in,
    subject_of,
    word_of,
)
from reconciler.kinds import KIND_BY_NAME
from reconciler.model.address import Address
from reconciler.model.change import Action
from reconciler.model.condition import Condition, ConditionType
from reconciler.model.resource import Applied
from reconciler.model.standing import Drifted, Failing, Hold, Quarantined
from reconciler.plan.conditions import conditions_of, with_news
from reconciler.plan.inventory import world_files
from reconciler.plan.plan import Change
from reconciler.plan.show import rollbacks
from reconciler.plan.show.holds import FOLDER, hold_json, hold_path, read_holds
from reconciler.plan.show.status import (
    Status,
    drift_json,
    drift_markdown,
    read_status,
    status_json,
)

DETECTED = "Reconciler-Detected"
OF_PEOPLE = (FOLDER, rollbacks.FOLDER)  # what is written there stays until it is taken away
STATUS_FILE, DRIFT_FILE, DRIFT_PAGE = "status.json", "drift.json", "drift.md"


@dataclass(frozen=True)
class Chronicle:
    """Reads and writes the journals. `journal` and `notes` find those of an environment.

    `verified` tells what was found out about signatures, None if that was not asked.
    """

    journal: Callable[[str], Journal]
    notes: Callable[[str], Notes]
    now: Callable[[], datetime]
    verified: Callable[[str], tuple[Condition, ...] | None] = lambda _environment: None

    def recall(self, environment: str) -> Status:
        """What the journal remembers; a blank status if it has not begun."""
        files = self.journal(environment).read() or {}
        content, holds = files.get(STATUS_FILE), read_holds(files)
        if not content:
            return Status(environment, holds=holds)
        quarantined = rollbacks.read_rollbacks(files)
        status = replace(_read_status(content), holds=holds, quarantined=quarantined)
        if status.environment != environment:
            raise Stalled(
                f"the journal of {environment} tells of {status.environment}",
                "restore status.json as it is in an earlier commit of the journal",
            )
        return rollbacks.rolled_back(status)

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
        word = word_of(report, past, status)
        if word is None:
            return past
        changed = report.before.plan.active if report.before else ()
        subject = subject_of(word, report)
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
            previous=self._told(past),
        )
        refused = report.refusal.revision if report.refusal else ""
        status = replace(past, conditions=conditions, refused=refused, hold=_hold(report.refusal))
        if said_in(status) != said_in(past):
            word = refusal_word(report)
            subject = subject_of(word, report)
            self._note(report, f"{word}: {subject}", self._write(word, subject, status, None, ()))
        return status

    def _drift(
        self, report: Report, past: Status, before: Look, found: Mapping[Address, Detection]
    ) -> Status:
        drifted = before.plan.drifted
        known = (self.journal(past.environment).read() or {}).get(DRIFT_FILE)
        if not drifted or known == drift_json(before.plan):
            return past
        first = self._drifted(past, before)
        by = {each: replace(first[each], by=str(how)) for each, how in found.items()}
        new = {each: by.get(each, first[each]) for each in first.keys() - past.drifted.keys()}
        noted = replace(self._status(past, before, report), drifted={**first, **new})
        verb = "differs" if len(drifted) == 1 else "differ"
        subject = f"{count(len(drifted), 'resource')} {verb} from {short(past.revision)}"
        told = tuple((DETECTED, f"{address} by {how}") for address, how in sorted(found.items()))
        self._write(EventWord.DRIFT, subject, noted, before, drifted, trailers=told)
        return noted

    def hold(self, environment: str, hold: Hold) -> PushOutcome:
        """Write down that something is to be left alone, and push that. It replaces an earlier one.

        Raises:
            SourceError: the journal cannot be written.
        """
        subject = f"{hold.resource or 'everything'} is {hold}"
        files = {hold_path(hold.resource): hold_json(hold)}
        return self._decided(EventWord.HOLD, environment, hold.resource, subject, files)

    def release(self, environment: str, resource: str, by: str) -> PushOutcome:
        """Write down that something is no longer to be left alone, and push that.

        Raises:
            SourceError: the journal cannot be written.
        """
        subject = f"{resource or 'everything'} is released" + (f" by {by}" if by else "")
        files = {hold_path(resource): None}
        return self._decided(EventWord.RELEASE, environment, resource, subject, files)

    def rolls_back(self, environment: str, rollback: Quarantined) -> None:
        """Write down that a commit is taken back: from then on it is, whatever else happens.

        Raises:
            SourceError: the journal cannot be written. Nothing was decided then.
        """
        bad, good = short(rollback.commit), short(rollback.good)
        files = {rollbacks.rollback_path(rollback): rollbacks.rollback_json(rollback)}
        subject = f"{bad} is taken back, {good} is in force again"
        body, every = f"{subject}: {rollback.reason}", ("",)
        event = Event(EventWord.ROLLBACK, subject, body, rollback.commit, files=files, keeps=every)
        record = self.journal(environment).append(event)
        with suppress(SourceCorrupt):
            said = f"{EventWord.ROLLBACK}: taken back to {good}: {rollback.reason}"
            self.notes(environment).write(rollback.commit, said, record)
            said = f"{EventWord.ROLLBACK}: in force again in place of {bad}"
            self.notes(environment).write(rollback.good, said, record)

    def lets_in(self, environment: str, rollback: Quarantined, by: str) -> None:
        """Write down that the tree of a commit that was taken back may be applied again.

        Raises:
            SourceError: the journal cannot be written.
        """
        subject = f"what {short(rollback.commit)} was is let in again by {short(by)}"
        files = {rollbacks.rollback_path(rollback): None}
        self._decided(EventWord.RELEASE, environment, "", subject, files)

    def _decided(
        self,
        word: EventWord,
        environment: str,
        resource: str,
        subject: str,
        files: Mapping[str, bytes | None],
    ) -> PushOutcome:
        """An event of people: it changes just these files, whatever else is written meanwhile."""
        journal = self.journal(environment)
        about = (resource,) if resource else ()
        every = ("",)
        event = Event(word, subject, subject, resources=about, files=files, keeps=every)
        journal.append(event)
        return journal.flush()

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
            previous=self._told(past),
        )
        return replace(
            past,
            revision=revision,
            ready_revision=past.ready_revision if finding else revision,
            ready_since="" if finding else self._ready_since(past, revision),
            refused=refusal.revision if refusal else "",
            hold=_hold(refusal) or _held_back(past, report),
            failing=self._failing(past, report),
            conditions=conditions,
            applied=_applied(past, look),
            scopes=tuple(sorted(look.scopes)),
            drifted=self._drifted(past, look),
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
        files: dict[str, bytes | None] = {**_kept(journal, look), STATUS_FILE: status_json(status)}
        if look is not None:
            files |= {
                DRIFT_FILE: drift_json(look.plan),
                DRIFT_PAGE: drift_markdown(look.plan, status.drifted),
                **world_files(look.world, look.scopes),
            }
        return journal.append(
            Event(
                word=word,
                subject=subject,
                body=body_of(status, changed),
                revision=status.revision,
                resources=tuple(str(change.address) for change in changed),
                files=files,
                trailers=trailers[:RESOURCES_AT_MOST],
                keeps=OF_PEOPLE,
            )
        )

    def _ready_since(self, past: Status, revision: str) -> str:
        """Since when just this commit has been Ready: another one begins anew."""
        is_new = past.ready_revision != revision or not past.ready_since
        return self._time() if is_new else past.ready_since

    def _failing(self, past: Status, report: Report) -> Failing | None:
        """Since when this commit fails, if it never was Ready."""
        if report.finding is None or report.revision == past.ready_revision:
            return None
        if past.failing is not None and past.failing.commit == report.revision:
            return past.failing
        return Failing(report.revision, self._time()) if report.is_failing else None

    def _told(self, past: Status) -> tuple[Condition, ...]:
        """The conditions as they were, with what is known of signatures now."""
        said = self.verified(past.environment)
        return with_news(past.conditions, ConditionType.SOURCE_VERIFIED, said)

    def _drifted(self, past: Status, look: Look) -> Mapping[Address, Drifted]:
        """What drifts now; what did before goes on having done so since then."""
        now = Drifted(self._time())
        return {each.address: past.drifted.get(each.address, now) for each in look.plan.drifted}

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


def _hold(refusal: Refusal | None) -> str | None:
    """Why the environment is left at what was applied, if only a person can change that."""
    if refusal is not None and isinstance(refusal.error, HistoryRewritten | RolledBack):
        return str(refusal.error)
    return None


def _held_back(past: Status, report: Report) -> str | None:
    """That the way back fails too: then nothing further is rolled back, and people are needed."""
    if not (rollbacks.is_back(past) and report.is_failing) or past.ready_since:
        return None
    finding = report.finding.message if report.finding else ""
    return (
        f"the way back to {short(report.revision)} fails too: {finding}; it is tried again, and "
        "nothing further is rolled back by itself: mend what fails, or push a commit that does"
    )


def _kept(journal: Journal, look: Look | None) -> Mapping[str, bytes]:
    """Without a look the journal's picture of the world stays what it was."""
    files = {} if look is not None else journal.read() or {}
    return {path: content for path, content in files.items() if not path.startswith(OF_PEOPLE)}
