"""What an environment allows: how much may be deleted, disturbed and healed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from reconciler.kinds.domain import DomainSpec
from reconciler.kinds.domain_operations import StopDomain
from reconciler.kinds.volume_operations import FreeVolume
from reconciler.model.change import Action, Disruption
from reconciler.model.plain import digest_of
from reconciler.model.resource import Desired
from reconciler.plan.plan import Cause, Change, Plan


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules a plan is held against.

    `allowed` are the names of violations that a person has acknowledged for this commit; they do
    not count against `floor`, which is the operator's. `restart` says whether machines may be
    restarted as their documents say, only later, or now although the documents leave it to people.
    Of hosts `in_maintenance` drift is only reported: somebody may be at work there.
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
            floor=floor,
        )


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

    What needs a held change is held too.
    """
    held: set[object] = set()
    changes: list[Change] = []
    for change in plan.changes:
        reason = change.held or _reason(change, policy) or _behind(change, held)
        if reason:
            held.add(change.address)
        changes.append(replace(change, held=reason or None))
    return replace(plan, changes=tuple(changes))


def _reason(change: Change, policy: Policy) -> str:
    if policy.suspend:
        return "the environment is suspended"
    if change.action is Action.DELETE and not policy.prune:
        return "prune is off: it is reported and kept"
    if change.cause is Cause.DRIFT and (reason := _keeps_drift(change, policy)):
        return reason
    is_early = policy.restart == "later" and _interrupts(change)
    if is_early and change.disruption <= _most_allowed(policy):  # else the guards refuse it
        return "it takes the machine down, which waits for the restart window"
    return ""


def _keeps_drift(change: Change, policy: Policy) -> str:
    """Why drift stays. What costs too much does not stop the rest: no commit asked for it."""
    if policy.drift == "report":
        return "drift is only reported"
    if change.address.host in policy.in_maintenance:  # what cannot move: the base of the host
        return f"host {change.address.host} is in maintenance: drift is only reported"
    most_allowed = _most_allowed(policy)
    if change.disruption > most_allowed:
        costs, most = change.disruption.label, most_allowed.label
        return f"healing it costs {costs}, the environment allows {most}"
    return ""


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
