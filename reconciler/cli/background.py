"""How an environment stands, from its journal, for whoever judges a plan: what to know first."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC

from reconciler.cli.proposed import Subject
from reconciler.cli.repository import Repository
from reconciler.cli.world import EMPTY, JOURNAL
from reconciler.errors import ConfigError, RolledBack
from reconciler.gitops.flow.lost_work import lost_work
from reconciler.gitops.flow.lost_work import violations as lost_violations
from reconciler.gitops.flow.rollback import check_quarantine
from reconciler.gitops.flow.undone import GitHistories
from reconciler.gitops.mirror import Mirror
from reconciler.gitops.refs import short
from reconciler.model.address import Address
from reconciler.model.condition import Condition, ConditionType
from reconciler.model.condition import Status as Truth
from reconciler.model.standing import Hold
from reconciler.plan.gates import Gates, foreseen
from reconciler.plan.guards import Violation
from reconciler.plan.plan import Plan
from reconciler.plan.show.background import Background, Sight, Word, alike
from reconciler.plan.show.status import Status
from reconciler.reconcile import REFUSALS, Site
from reconciler.reconcile import plan as make_plan

NAMED_AT_MOST = 5


def background_of(
    repository: Repository, site: Site, subject: Subject, plan: Plan, world: str
) -> Background:
    """What to know besides a plan of the subject. The live world and files tell for themselves.

    Raises:
        SourceError: the journal cannot be read.
        Stalled: nothing can be made of what it says.
    """
    if world not in {JOURNAL, EMPTY} or (subject.merge is None and world == EMPTY):
        return Background(subject.merge)
    past = site.chronicle.recall(subject.environment)
    refusals = _refusals(repository, site, subject, plan, past)
    now = f"{site.now().astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    return Background(
        merge=subject.merge,
        sight=_sight(repository, subject.environment) if world == JOURNAL else Sight(),
        words=(*_words(past, plan, now), *map(_word, refusals)),
        already=_already(site, subject, plan),
    )


def _sight(repository: Repository, environment: str) -> Sight:
    [record] = repository.journal(environment).entries(1) or (None,)
    if record is None:
        return Sight()
    return Sight(f"{record.time:%Y-%m-%dT%H:%M:%SZ}", record.subject)


def _already(site: Site, subject: Subject, plan: Plan) -> frozenset[Address]:
    """The changes that the target alone would make in the same world."""
    if subject.merge is None:
        return frozenset()
    with suppress(*REFUSALS):  # a target that does not load makes none
        quiet = replace(site, latest={})
        base, _ = make_plan(subject.environment, subject.merge.base, quiet)
        return alike(plan, base.plan)
    return frozenset()


def _words(past: Status, plan: Plan, now: str) -> Iterator[Word]:
    yield from _holds(past, now)
    yield from (_condition(each) for each in past.conditions if _is_not_ready(each))
    yield from _drift(past, plan)


def _refusals(
    repository: Repository, site: Site, subject: Subject, plan: Plan, past: Status
) -> Iterator[Violation]:
    """Why the commit of the merge would not be applied, or not at once."""
    merge = subject.merge
    if merge is None or merge.is_merged:
        return
    mirror, environment = repository.mirror, subject.environment
    histories = GitHistories(mirror.git())
    lost = lost_work(histories, merge.head, merge.base, subject.revision)
    yield from lost_violations(lost, merge.target)
    yield from _quarantine(mirror, subject, past)
    known = replace(plan, revision=merge.head)  # nobody has the commit of the merge
    yield from foreseen(_gates(repository, subject), environment, known, site.now())


def _word(violation: Violation) -> Word:
    return Word(violation.name, violation.message, violation.remedy)


def _quarantine(mirror: Mirror, subject: Subject, past: Status) -> Iterator[Violation]:
    try:
        check_quarantine(mirror, subject.environment, subject.revision, past)
    except RolledBack as error:
        yield from (each for each in error.violations if isinstance(each, Violation))


def _gates(repository: Repository, subject: Subject) -> Gates:
    """What the operator and the documents ask of a commit: those of the merge, and those before it.

    No commit takes away the gates that it has to pass itself.
    """
    environment, merge = subject.environment, subject.merge
    gates = Gates.of(repository.settings.gates.floor(environment))
    for commit in {subject.revision, merge.base if merge else subject.revision}:
        with suppress(ConfigError):  # a target that does not load asks nothing
            documents = repository.source.documents(environment, commit)
            gates = gates.with_all_of(Gates.of(documents.policy.gates))
    return gates


def _holds(past: Status, now: str) -> Iterator[Word]:
    name = past.environment
    if past.hold:
        remedy = f"see reconciler status --environment {name}"
        yield Word("hold", f"{name} is held: {past.hold}", remedy)
    for hold in past.holds:
        if not hold.is_over(now):
            yield _hold(name, hold)


def _hold(environment: str, hold: Hold) -> Word:
    what = hold.resource or environment
    until = f" until {hold.until}" if hold.until else ""
    by = f" by {hold.by}" if hold.by else ""
    end = f"reconciler release {environment} {hold.resource}".rstrip()
    message = f"{what} is held{by} since {hold.since}{until}: {hold.reason}"
    return Word("hold", message, f"nothing is changed there before; to end it: {end}")


def _is_not_ready(condition: Condition) -> bool:
    return condition.type is ConditionType.READY and condition.status is not Truth.TRUE


def _condition(condition: Condition) -> Word:
    first, *rest = condition.message.splitlines() or [""]
    more = f", and {len(rest)} more" if rest else ""
    message = f"since {condition.since}, {condition.reason}: {first}{more}"
    return Word("not-ready", f"the environment is not Ready {message}")


def _drift(past: Status, plan: Plan) -> Iterator[Word]:
    names = [str(change.address) for change in plan.drifted]
    if not names:
        return
    more = f" and {len(names) - NAMED_AT_MOST} more" if len(names) > NAMED_AT_MOST else ""
    verb = "resource differs" if len(names) == 1 else "resources differ"
    message = f"{len(names)} {verb} from what was applied with {short(past.revision)}, "
    message += f"whatever the commit says: {', '.join(names[:NAMED_AT_MOST])}{more}"
    remedy = f"see reconciler drift --environment {past.environment}"
    yield Word("drift", message, f"a sync sets that right too; {remedy}")
