"""After applying: look again until nothing differs, and take back what went wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from reconciler.kinds import KIND_BY_NAME
from reconciler.model.address import Address
from reconciler.model.resource import Desired, World
from reconciler.plan.make import make_plan
from reconciler.plan.plan import Change, Plan

LOOK_AGAIN_AFTER = timedelta(seconds=1)


def residue(
    again: Callable[[], Plan],
    applied: Iterable[Change],
    *,
    monotonic: Callable[[], float],
    sleep: Callable[[float], None],
) -> tuple[Change, ...]:
    """What still differs of what was changed, after the kinds' time to settle.

    `again` looks and plans anew; it is asked once if nothing differs, else about every second until
    the longest `settle` of the kinds concerned is over.
    """
    addresses = {change.address for change in applied}
    if not addresses:
        return ()
    settle = max(KIND_BY_NAME[address.kind].settle for address in addresses)
    deadline = monotonic() + settle.total_seconds()
    while True:
        left = tuple(change for change in again().active if change.address in addresses)
        if not left or monotonic() >= deadline:
            return left
        sleep(LOOK_AGAIN_AFTER.total_seconds())


def undo_plan(plan: Plan, before: World, now: World) -> Plan:
    """The way back: a plan whose desire is what was seen before, for just what `plan` changed.

    What a plan put in the trash is made anew and empty; its data stays in the trash.
    """
    touched = {change.address for change in plan.active}
    old = before.of(plan.environment)
    desire: list[Desired[Any]] = [
        Desired(address, found.spec) for address, found in sorted(old.items())
    ]
    back = make_plan(plan.environment, desire, now, revision=plan.revision)
    return _only(back, touched)


def _only(plan: Plan, touched: set[Address]) -> Plan:
    changes = tuple(
        replace(change, needs=change.needs & touched)
        for change in plan.changes
        if change.address in touched
    )
    return replace(plan, changes=changes, remarks=())
