"""After applying: look again until nothing differs, and take back what went wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from reconciler.engine.observe import Questions
from reconciler.kinds import KIND_BY_NAME
from reconciler.kinds.base.command import CommandSpec
from reconciler.kinds.base.file import CHANGED, STRANGE, SUM, FileSpec
from reconciler.kinds.domain import DomainSpec
from reconciler.kinds.match import match
from reconciler.kinds.volume import VolumeSpec
from reconciler.model.address import Address, Scope
from reconciler.model.resource import Desired, World
from reconciler.plan.make import make_plan
from reconciler.plan.plan import Change, Plan

LOOK_AGAIN_AFTER = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Look:
    """What one look covered, asked and saw, and the plan that follows from it."""

    scopes: frozenset[Scope]
    world: World
    plan: Plan
    questions: Questions = field(default_factory=dict)


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

    The marks become again what they were. No data is lost on the way: a volume that grew stays as
    large as it is, and what a plan put in the trash of its host is taken out of it again. What
    moved before that is made anew and empty; its data stays in the trash of the other host. What
    commands did, and files whose content was not seen (secret, large or no text), stay as they are.
    """
    touched = {change.address for change in plan.active}
    touched |= {change.formerly for change in plan.active if change.formerly}
    later = match(plan.environment, _desire(plan, before), now).found
    desire = [
        replace(want, spec=_again(want.spec, later[want.address].spec))
        if want.address in later
        else want
        for want in _desire(plan, before)
        if want.address in later or not _is_lost(want.spec)
    ]
    back = make_plan(plan.environment, desire, now, revision=plan.revision)
    return _only(back, touched)


def _desire(plan: Plan, before: World) -> list[Desired[Any]]:
    return [
        Desired(address, _back(found.spec), digest=found.owner.digest)
        for address, found in sorted(before.of(plan.environment).items())
        if found.owner is not None
    ]


def _back(spec: Any) -> Any:
    return replace(spec, is_back=True) if isinstance(spec, VolumeSpec) else spec


def _again(before: Any, now: Any) -> Any:
    """What was seen, as a wish. A guest that still waits for the change need not restart.

    A snapshot that was made for the change is gone back to.
    """
    if _is_lost(before):
        return now
    if isinstance(before, DomainSpec):
        made = tuple(each for each in now.snapshots if each not in before.snapshots)
        waits = None if now.pending_restart else before.pending_restart
        return replace(before, snapshots=made, pending_restart=waits, guest=None)
    if isinstance(before, VolumeSpec) and before.format == "iso":  # what was in it nobody knows
        return replace(before, capacity_bytes=now.capacity_bytes, content=None)
    if isinstance(before, VolumeSpec):
        return replace(before, capacity_bytes=max(before.capacity_bytes, now.capacity_bytes))
    return before


def _is_lost(before: Any) -> bool:
    """Whether what was seen does not tell how to make it again."""
    if isinstance(before, FileSpec) and before.type == "file":
        content = before.content
        return (
            bool(before.secrets) or content is None or content.startswith((SUM, CHANGED, STRANGE))
        )
    return isinstance(before, CommandSpec)


def _only(plan: Plan, touched: set[Address]) -> Plan:
    changes = tuple(
        replace(change, needs=change.needs & touched)
        for change in plan.changes
        if change.address in touched
    )
    return replace(plan, changes=changes, remarks=())
