"""The base of a host, mostly simulated: what is wanted is planned and done without an engine."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from reconciler.drivers.simulated.base.state import Base
from reconciler.drivers.simulated.farm import SimulatedFarm
from reconciler.drivers.simulated.state import FarmState, Host
from reconciler.engine.observe import observe, questions_of, scopes_of
from reconciler.kinds import KIND_BY_NAME
from reconciler.kinds.base.kind import name_of
from reconciler.model.address import Address, Scope
from reconciler.model.resource import Desired, World
from reconciler.model.secret import SealedSecret, SecretReference
from reconciler.plan.make import make_plan
from reconciler.plan.plan import Change, Plan
from reconciler.ports.world import Ports

HOST, ENVIRONMENT = "virt1", "production"
GIB = 1024**3


def base_farm(base: Base | None = None, **fields: Any) -> SimulatedFarm:
    """A farm of one host with that base, or a base of those fields."""
    known = replace(base or Base(), **fields)
    return SimulatedFarm(FarmState(hosts={HOST: Host(32 * GIB, base=known)}))


def base_of(farm: SimulatedFarm) -> Base:
    """The base as it is."""
    return farm.state.hosts[HOST].base


def wanted(kind: str, spec: Any) -> Desired[Any]:
    """What render makes of a part of a Host document."""
    (question,) = KIND_BY_NAME[kind].questions(spec)
    return Desired(Address(kind, name_of(question.name), HOST), spec, adopts=True)


def look(farm: Ports, desired: Iterable[Desired[Any]] = ()) -> World:
    """What is seen of what is wanted and of what is marked."""
    asked = tuple(desired)
    scopes = scopes_of(asked, (), (Scope("base", HOST), Scope("host", HOST)))
    return observe(scopes, farm, questions_of(asked))


def plan_of(farm: Ports, *desired: Desired[Any]) -> Plan:
    """What is to be done."""
    return make_plan(ENVIRONMENT, desired, look(farm, desired))


def sync(farm: Ports, *desired: Desired[Any]) -> Plan:
    """Do it all, in order; the plan that was done."""
    plan = plan_of(farm, *desired)
    changed = [step for change in plan.changes for step in change.operations]
    for step in (*changed, *(step for remark in plan.remarks for step in remark.operations)):
        step.run(farm)
    return plan


def is_settled(plan: Plan) -> bool:
    """Whether nothing is left to do, not even a mark."""
    return not (plan.changes or plan.remarks or plan.foreign or plan.unknown or plan.obstacles)


def only_change(plan: Plan) -> Change:
    """The one change."""
    (change,) = plan.changes
    return change


def sealed(version: str, key: str = "key") -> SealedSecret:
    """A secret of which there are several versions."""
    return SealedSecret(SecretReference("ntp", key), (key,), f"ENC[{version}]", ())
