"""After applying: look again until nothing differs, and take back what went wrong."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from reconciler.kinds import KIND_BY_NAME
from reconciler.kinds.domain import DomainSpec
from reconciler.model.address import Address, Scope
from reconciler.model.resource import Desired, World
from reconciler.plan.make import make_plan
from reconciler.plan.plan import Change, Plan

LOOK_AGAIN_AFTER = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Look:
    """What one look covered and saw, and the plan that follows from it."""

    scopes: frozenset[Scope]
    world: World
    plan: Plan


def settle(
    look: Callable[[], Look],
    applied: Iterable[Change],
    *,
    monotonic: Callable[[], float],
    sleep: Callable[[float], None],
) -> tuple[Look, tuple[Change, ...]]:
    """Look again after applying; give the last look and what still differs of what was changed.

    Looks once if nothing differs, else about every second until the longest `settle` of the kinds
    concerned is over: a guest needs time to start, a server to load a zone.
    """
    addresses = {change.address for change in applied}
    seconds = (KIND_BY_NAME[address.kind].settle.total_seconds() for address in addresses)
    deadline = monotonic() + max(seconds, default=0.0)
    while True:
        last = look()
        left = tuple(change for change in last.plan.active if change.address in addresses)
        if not left or monotonic() >= deadline:
            return last, left
        sleep(LOOK_AGAIN_AFTER.total_seconds())


def undo_plan(plan: Plan, before: World, now: World) -> Plan:
    """The way back: a plan whose desire is what was seen before, for just what `plan` changed.

    The marks become again what they were. What a plan put in the trash is made anew and empty; its
    data stays in the trash.
    """
    touched = {change.address for change in plan.active}
    touched |= {change.formerly for change in plan.active if change.formerly}
    machines = [seen.spec for seen in now.observed if isinstance(seen.spec, DomainSpec)]
    waiting = {machine.uuid for machine in machines if machine.pending_restart}
    desire = [
        Desired(address, _again(found.spec, waiting), digest=found.owner.digest)
        for address, found in sorted(before.of(plan.environment).items())
        if found.owner is not None
    ]
    back = make_plan(plan.environment, desire, now, revision=plan.revision)
    return _only(back, touched)


def _again(spec: Any, waiting: Container[str]) -> Any:
    """What was seen, as a wish. A guest that still waits for the change need not restart."""
    if isinstance(spec, DomainSpec) and spec.uuid in waiting:
        return replace(spec, pending_restart=None)
    return spec


def _only(plan: Plan, touched: set[Address]) -> Plan:
    changes = tuple(
        replace(change, needs=change.needs & touched)
        for change in plan.changes
        if change.address in touched
    )
    return replace(plan, changes=changes, remarks=())
