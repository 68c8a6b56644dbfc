"""What an environment allows: how much may be deleted, disturbed and healed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Literal

from reconciler.kinds.domain import DomainSpec
from reconciler.kinds.domain_operations import StopDomain
from reconciler.kinds.volume_operations import FreeVolume
from reconciler.model.change import Action, Disruption
from reconciler.model.plain import digest_of
from reconciler.model.resource import Desired
from reconciler.model.standing import Hold, Ignored
from reconciler.plan.plan import Cause, Change, Plan


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules a plan is held against.

    `allowed` are the names of violations that a person has acknowledged for this commit; they do
    not count against `floor`, which is the operator's. `restart` says whether machines may be
    restarted as their documents say, only later, or now although the documents leave it to people.
    Of hosts `in_maintenance` drift is only reported: somebody may be at work there. `holds` are
    what people want left alone now, `ignored` the drift that documents leave as it is now.
    `rollback_after` is how long a new commit may fail before it is taken back; None: until people
    do it.
    """

    prune: bool = True
    drift: Literal["heal", "report"] = "heal"
    max_disruption: Disruption = Disruption.RESTART
    machines_percent: int = 10
    records_percent: int = 30
    suspend: bool = False
    allowed: frozenset[str] = frozenset()
    floor: Policy | None = None
    restart: Literal["written", "later", "now"] = "written"
    in_maintenance: frozenset[str] = frozenset()
    holds: tuple[Hold, ...] = ()
    ignored: tuple[Ignored, ...] = ()
    rollback_after: timedelta | None = None

    def tightened(self, floor: Policy) -> Policy:
        """The stricter of both in every respect; acknowledgements are this policy's."""
        return replace(
            self,
            prune=self.prune and floor.prune,
            drift="report" if "report" in {self.drift, floor.drift} else "heal",
            max_disruption=min(self.max_disruption, floor.max_disruption),
            machines_percent=min(self.machines_percent, floor.machines_percent),
            records_percent=min(self.records_percent, floor.records_percent),
            suspend=self.suspend or floor.suspend,
            rollback_after=_sooner(self.rollback_after, floor.rollback_after),
            floor=floor,
        )


def _sooner(one: timedelta | None, other: timedelta | None) -> timedelta | None:
    given = [each for each in (one, other) if each is not None]
    return min(given, default=None)


def with_restarts(desired: Sequence[Desired[Any]], policy: Policy) -> tuple[Desired[Any], ...]:
    """What is desired, with restarts put off or brought on; the mark is that of what is written."""
    if policy.restart == "written":
        return tuple(desired)
    due = None if policy.restart == "later" else False
    return tuple(
        replace(
            want,
            spec=replace(want.spec, pending_restart=due),
            digest=want.digest or digest_of(want.spec),
        )
        if isinstance(want.spec, DomainSpec) and want.spec.pending_restart != due
        else want
        for want in desired
    )


def hold_back(plan: Plan, policy: Policy) -> Plan:
    """The plan with every change held that the policy wants shown but not done.

    What needs a held change is held too. Where nothing at all may be changed, marks stay too.
    """
    held: set[object] = set()
    changes: list[Change] = []
    for change in plan.changes:
        reason, is_ignored = _why_held(change, policy)
        reason = reason or _behind(change, held)
        if reason:
            held.add(change.address)
        changes.append(replace(change, held=reason or None, is_ignored=is_ignored))
    kept = replace(plan, changes=tuple(changes), holds=policy.holds)
    return replace(kept, remarks=()) if kept.hold or policy.suspend else kept


def _why_held(change: Change, policy: Policy) -> tuple[str, bool]:
    """The first reason to hold a change, empty if there is none, and whether a document gives it.

    That a document lets drift be is a reason only where nothing else is: the rest is nobody's wish.
    """
    if change.held:
        return change.held, change.is_ignored
    for rule in _RULES:
        if reason := rule(change, policy):
            return reason, rule is _ignored
    return "", False


def _suspended(change: Change, policy: Policy) -> str:
    del change
    return "the environment is suspended" if policy.suspend else ""


def _held(change: Change, policy: Policy) -> str:
    """What people want left alone: the environment, or this resource."""
    mine = {"", str(change.address), str(change.formerly or "")}
    return next((str(hold) for hold in policy.holds if hold.resource in mine), "")


def _ignored(change: Change, policy: Policy) -> str:
    """Drift that documents leave as it is, if they leave all of it."""
    if change.cause is not Cause.DRIFT:
        return ""
    about = [each for each in policy.ignored if each.is_about(change.address)]
    if not all(any(each.covers(field.path) for each in about) for field in change.fields):
        return ""
    return str(min(about, key=lambda each: each.until)) if about else ""


def _not_pruned(change: Change, policy: Policy) -> str:
    is_kept = change.action is Action.DELETE and not policy.prune
    return "prune is off: it is reported and kept" if is_kept else ""


def _only_reported(change: Change, policy: Policy) -> str:
    is_left = change.cause is Cause.DRIFT and policy.drift == "report"
    return "drift is only reported" if is_left else ""


def _in_maintenance(change: Change, policy: Policy) -> str:
    host = change.address.host  # what cannot move: the base of the host
    is_left = change.cause is Cause.DRIFT and host in policy.in_maintenance
    return f"host {host} is in maintenance: drift is only reported" if is_left else ""


def _too_costly(change: Change, policy: Policy) -> str:
    """What costs too much to heal does not stop the rest: no commit asked for it."""
    most_allowed = _most_allowed(policy)
    if change.cause is not Cause.DRIFT or change.disruption <= most_allowed:
        return ""
    costs, most = change.disruption.label, most_allowed.label
    return f"healing it costs {costs}, the environment allows {most}"


def _before_its_window(change: Change, policy: Policy) -> str:
    if policy.restart != "later" or not _interrupts(change):
        return ""
    if change.disruption > _most_allowed(policy):
        return ""  # the guards refuse it
    return "it takes the machine down, which waits for the restart window"


# In this order; the first that has a reason gives it.
_RULES: tuple[Callable[[Change, Policy], str], ...] = (
    _suspended,
    _held,
    _ignored,
    _not_pruned,
    _only_reported,
    _in_maintenance,
    _too_costly,
    _before_its_window,
)


def _most_allowed(policy: Policy) -> Disruption:
    if "disruption" not in policy.allowed:
        return policy.max_disruption
    return policy.floor.max_disruption if policy.floor else Disruption.DATA_LOSS


def _interrupts(change: Change) -> bool:
    """Whether a machine is taken down that is to run on. What may wait for a restart does not."""
    if change.action is Action.DELETE or any(f.path == "running" for f in change.fields):
        return False
    return any(isinstance(step, StopDomain | FreeVolume) for step in change.operations)


def _behind(change: Change, held: Iterable[object]) -> str:
    waiting = sorted(str(need) for need in change.needs & set(held))
    return f"it comes after {', '.join(waiting)}" if waiting else ""
