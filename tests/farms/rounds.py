"""Turns of one environment on a simulated farm, without git: look, place, plan, check, apply."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from reconciler.drivers.simulated.farm import SimulatedFarm
from reconciler.engine.apply import MachineLocks, Outcome, apply
from reconciler.engine.observe import observe, questions_of, scopes_of
from reconciler.engine.verify import Look
from reconciler.kinds import KIND_BY_NAME
from reconciler.model.address import Address, Scope
from reconciler.model.change import Action
from reconciler.model.resource import Applied, Desired
from reconciler.placement.spread import Room, place
from reconciler.plan.guards import check
from reconciler.plan.make import make_plan
from reconciler.plan.policy import Policy, hold_back
from tests.farms.specs import PRODUCTION, rooms_of


@dataclass
class Environment:
    """One environment: what git wants, its policy, and what its journal remembers."""

    farm: SimulatedFarm
    desired: Sequence[Desired[Any]]
    name: str = PRODUCTION
    policy: Policy = field(default_factory=Policy)
    rooms: tuple[Room, ...] | None = None
    memory: dict[Address, Applied] = field(default_factory=dict)
    scopes: frozenset[Scope] = frozenset()

    def look(self) -> Look:
        """Look and plan, as `reconcile` does."""
        rooms = rooms_of(self.farm.state) if self.rooms is None else self.rooms
        scopes = scopes_of(self.desired, [room.host for room in rooms], self.scopes)
        self.scopes = scopes
        world = observe(scopes, self.farm, questions_of(self.desired))
        placed = place(self.name, self.desired, rooms, world, self.memory)
        plan = make_plan(
            self.name, placed.desired, world, applied=self.memory, unplaced=placed.unplaced
        )
        return Look(scopes, world, hold_back(plan, self.policy))

    def apply(self, look: Look) -> tuple[Outcome, ...]:
        """Do what was planned, and remember."""
        outcomes = apply(look.plan, self.farm, locks=MachineLocks(), threads=1)
        self.remember(self.look())
        return outcomes

    def turn(self) -> tuple[Outcome, ...]:
        """One whole turn. A plan against the policy changes nothing."""
        look = self.look()
        return () if check(look.plan, self.policy) else self.apply(look)

    def remember(self, look: Look) -> None:
        """What the journal keeps: as seen now, else as before while it is wanted but not there."""
        missing = {each.address for each in look.plan.unknown}
        missing |= {each.address for each in look.plan.changes if each.action is Action.CREATE}
        kept = {address: was for address, was in self.memory.items() if address in missing}
        now = {
            address: Applied(each.owner.digest, KIND_BY_NAME[address.kind].host(each.spec))
            for address, each in look.world.of(self.name).items()
            if each.owner is not None
        }
        self.memory = {**kept, **now}
