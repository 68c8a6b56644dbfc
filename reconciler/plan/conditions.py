"""What can be said about an environment after a run, as conditions. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from reconciler.kinds.domain import DomainSpec
from reconciler.model.condition import Condition, ConditionType, Status
from reconciler.model.resource import World
from reconciler.plan.plan import Plan

NAMED_AT_MOST = 5
ONLY_SEEN = (ConditionType.DRIFTED, ConditionType.PENDING_RESTART)
TOLD_BY_OTHERS = (ConditionType.SOURCE_VERIFIED, ConditionType.ROLLED_BACK)


@dataclass(frozen=True, slots=True)
class Finding:
    """Why an environment is not ready: a reason for machines, a message for people.

    `stalled` says that only a person, or a new commit, can help.
    """

    reason: str
    message: str
    stalled: bool


def conditions_of(
    environment: str,
    revision: str,
    *,
    finding: Finding | None,
    seen: tuple[World, Plan] | None,
    now: str,
    previous: Iterable[Condition] = (),
) -> tuple[Condition, ...]:
    """The conditions after a run that ended at `now` (RFC 3339).

    A condition whose status did not change keeps its `since`. Without a look (`seen` None) what can
    only be seen is said as before. What others have found out is said as `previous` has it.
    """
    before = {condition.type: condition for condition in previous}
    made = [_ready(revision, finding, now), *_progress(finding, now)]
    if seen is not None:
        world, plan = seen
        made += [_drifted(plan, now), _pending_restart(environment, world, now)]
    else:
        made += [before[kind] for kind in ONLY_SEEN if kind in before]
    made += [before[kind] for kind in TOLD_BY_OTHERS if kind in before]
    return tuple(_keep_since(condition, before.get(condition.type)) for condition in made)


def with_news(
    previous: Iterable[Condition], kind: ConditionType, said: Iterable[Condition] | None
) -> tuple[Condition, ...]:
    """Conditions in which all of a kind are as they are said to be now; None: as they were."""
    before = tuple(previous)
    if said is None:
        return before
    was = {each.type: each for each in before}
    news = (_keep_since(each, was.get(each.type)) for each in said)
    return (*(each for each in before if each.type is not kind), *news)


def _ready(revision: str, finding: Finding | None, now: str) -> Condition:
    if finding is None:
        message = f"the farm is what {revision[:7]} says"
        return Condition(ConditionType.READY, Status.TRUE, "ReconciliationSucceeded", message, now)
    return Condition(ConditionType.READY, Status.FALSE, finding.reason, finding.message, now)


def _progress(finding: Finding | None, now: str) -> Iterator[Condition]:
    """`Stalled` or `Reconciling`; each is there only while it is true."""
    if finding is not None:
        kind = ConditionType.STALLED if finding.stalled else ConditionType.RECONCILING
        yield Condition(kind, Status.TRUE, finding.reason, finding.message, now)


def _drifted(plan: Plan, now: str) -> Condition:
    drifted = [str(change.address) for change in plan.drifted if not change.is_ignored]
    ignored = [str(change.address) for change in plan.drifted if change.is_ignored]
    if ignored and not drifted:
        message = f"{_named(ignored)} {_differ(ignored)} from what was applied, as documents allow"
        return Condition(ConditionType.DRIFTED, Status.TRUE, "Ignored", message, now)
    if not drifted:
        return Condition(ConditionType.DRIFTED, Status.FALSE, "NoDrift", "nothing drifted", now)
    message = f"{_named(drifted)} {_differ(drifted)} from what was applied"
    return Condition(ConditionType.DRIFTED, Status.TRUE, "DriftDetected", message, now)


def _pending_restart(environment: str, world: World, now: str) -> Condition:
    waiting = sorted(
        str(address)
        for address, seen in world.of(environment).items()
        if isinstance(seen.spec, DomainSpec) and seen.spec.pending_restart
    )
    kind = ConditionType.PENDING_RESTART
    if not waiting:
        return Condition(kind, Status.FALSE, "NothingWaits", "no machine waits for a restart", now)
    return Condition(
        kind, Status.TRUE, "RestartNeeded", f"{_named(waiting)} run on an older definition", now
    )


def _differ(names: list[str]) -> str:
    return "differs" if len(names) == 1 else "differ"


def _named(names: list[str]) -> str:
    more = len(names) - NAMED_AT_MOST
    return ", ".join(names[:NAMED_AT_MOST]) + (f" and {more} more" if more > 0 else "")


def _keep_since(condition: Condition, before: Condition | None) -> Condition:
    if before is not None and before.status is condition.status:
        return replace(condition, since=before.since)
    return condition
