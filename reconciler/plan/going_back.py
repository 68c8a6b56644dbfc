"""What a rollback wants beyond the documents: disks from their snapshots, volumes from the trash.

A snapshot that was made before a change is kept until the commit is Ready. Going back, a machine
that is still marked for the bad commit goes back to it, and a volume that is wanted again is the
one that was taken away.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from reconciler.kinds.domain import DomainSpec
from reconciler.kinds.domain_operations import ForgetSnapshot
from reconciler.kinds.volume import VolumeSpec
from reconciler.model.change import FieldChange
from reconciler.model.plain import digest_of
from reconciler.model.resource import Desired, World
from reconciler.plan.plan import Plan, Remark


def going_back(
    desired: Sequence[Desired[Any]], world: World, environment: str
) -> tuple[Desired[Any], ...]:
    """What is desired, with what there is to go back to; the marks are those of what is written."""
    return tuple(_back(desired, world, environment))


def _back(
    desired: Sequence[Desired[Any]], world: World, environment: str
) -> Iterator[Desired[Any]]:
    found = world.of(environment)
    for want in desired:
        digest = want.digest or digest_of(want.spec)
        seen = found.get(want.address)
        if isinstance(want.spec, VolumeSpec):
            yield replace(want, spec=replace(want.spec, is_back=True), digest=digest)
        elif (
            isinstance(want.spec, DomainSpec)
            and seen is not None
            and seen.owner is not None
            and seen.owner.digest != digest  # else it was gone back to, and has drifted since
        ):
            spec = replace(want.spec, snapshots=seen.spec.snapshots)
            yield replace(want, spec=spec, digest=digest)
        else:
            yield want


def keeping_data(plan: Plan) -> Plan:
    """The plan with volumes held that it would make smaller: they grew, and have data in them."""
    changes = tuple(
        replace(change, held="going back would make it smaller, and its data would be lost")
        if change.address.kind == "volume" and any(map(_shrinks, change.fields))
        else change
        for change in plan.changes
    )
    return replace(plan, changes=changes)


def _shrinks(field: FieldChange) -> bool:
    before, after = field.before, field.after
    is_size = isinstance(before, int) and isinstance(after, int)
    return field.path == "capacity_bytes" and is_size and after < before


def keeping_snapshots(plan: Plan) -> Plan:
    """The plan without what would delete snapshots while there is still something to do."""
    if not plan.active:
        return plan
    kept = tuple(each for each in plan.remarks if not _forgets(each))
    return replace(plan, remarks=kept)


def _forgets(remark: Remark) -> bool:
    return any(isinstance(step, ForgetSnapshot) for step in remark.operations)
