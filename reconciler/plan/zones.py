"""What plans say of zones beside their changes: what becomes ours, and what is in the way.

A record set that is nobody's and exactly what git wants becomes ours: only marks are written. One
that differs is kept, and stops the plan until a person decides.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from reconciler.kinds.zone import ZoneSpec, zone_address
from reconciler.model.address import Address
from reconciler.model.position import Position, Problem
from reconciler.model.resource import Desired, Observed, Owner, World
from reconciler.plan.plan import Obstacle
from reconciler.ports.nameserver import RecordSet

NAMED_AT_MOST = 100
_SOA = "@/SOA"
_ALONE = "CNAME"  # nothing stands beside it (RFC 1034 §3.6.2)

_Place = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Adoption:
    """The world with what becomes ours as if it were, and what that is: keys by zone."""

    world: World
    adopted: Mapping[Address, tuple[str, ...]] = field(default_factory=dict)


def adopt(environment: str, desired: Sequence[Desired[Any]], world: World) -> Adoption:
    """Take what is nobody's and exactly as it is wanted."""
    strangers = _by_place(seen for seen in world.observed if seen.owner is None)
    if not strangers:
        return Adoption(world)
    ours = _by_place(s for s in world.observed if s.owner and s.owner.environment == environment)
    changed: dict[int, tuple[Observed[ZoneSpec], ...]] = {}
    adopted: dict[Address, tuple[str, ...]] = {}
    for want in _zones(desired):
        stranger = strangers.get(_place(want.spec))
        taken = _wanted(want.spec, stranger.spec) if stranger else None
        if stranger is None or taken is None or not (taken.records or taken.timers):
            continue
        part = ours.get(_place(want.spec))
        grown = _grown(part, taken, Owner(environment, want.address.name, ""))
        changed[id(stranger)] = _rest(stranger, taken) if part else (grown, *_rest(stranger, taken))
        if part:
            changed[id(part)] = (grown,)
        soa = (_SOA,) if taken.timers else ()
        adopted[want.address] = (*soa, *(record.key for record in taken.records))
    observed = (each for seen in world.observed for each in changed.get(id(seen), (seen,)))
    return Adoption(replace(world, observed=tuple(observed)), adopted)


def obstacles(
    desired: Iterable[Desired[Any]], others: Iterable[Observed[Any]]
) -> Iterator[Obstacle]:
    """What others have at the names that the zones need."""
    holders: dict[str, list[Observed[ZoneSpec]]] = defaultdict(list)
    for other in others:
        if isinstance(other.spec, ZoneSpec):
            holders[_place(other.spec)[1]].append(other)
    for want in _zones(desired):
        for other in holders.get(_place(want.spec)[1], ()):
            for claim in _clashes(want.spec, other.spec):
                yield Obstacle.of(want, claim, other)


def waiting(desired: Iterable[Desired[Any]], world: World) -> Iterator[tuple[Address, Problem]]:
    """What is to stand in zones of others that nobody made yet: its turn comes when they are."""
    served = {_place(seen.spec) for seen in world.observed if isinstance(seen.spec, ZoneSpec)}
    for want in _zones(desired):
        if want.spec.timers is None and _place(want.spec) not in served:
            what = f"{want.address} waits until the environment that makes the zone has made it"
            position = want.position or Position("farm.yaml")
            yield want.address, Problem(position, what, "nothing is to be done")


def foreign_names(seen: Observed[Any]) -> Iterator[Address]:
    """What is nobody's, by name: of a zone each record set, up to a number."""
    if not isinstance(seen.spec, ZoneSpec):
        yield seen.address
        return
    if seen.spec.timers:
        yield seen.address
    keys = sorted(record.key for record in seen.spec.records)
    for key in keys[:NAMED_AT_MOST]:
        yield replace(seen.address, name=f"{seen.address.name}/{key}")
    if more := len(keys[NAMED_AT_MOST:]):
        yield replace(seen.address, name=f"{seen.address.name} and {more} more of its record sets")


def _zones(desired: Iterable[Desired[Any]]) -> Iterator[Desired[ZoneSpec]]:
    return (want for want in desired if isinstance(want.spec, ZoneSpec))


def _by_place(observed: Iterable[Observed[Any]]) -> dict[_Place, Observed[ZoneSpec]]:
    zones = (seen for seen in observed if isinstance(seen.spec, ZoneSpec))
    return {_place(seen.spec): seen for seen in zones}


def _place(spec: ZoneSpec) -> _Place:
    return spec.server, zone_address(spec.server, spec.name).name


def _wanted(want: ZoneSpec, stranger: ZoneSpec) -> ZoneSpec:
    """The part of what is nobody's that is exactly as it is wanted."""
    there = set(stranger.records)
    names = {record.name for record in there}
    equal = tuple(each for each in want.records if each.name in names and each in there)
    if want.timers is None or want.timers != stranger.timers:
        return replace(stranger, records=equal, timers=None, rules=None)
    return replace(stranger, records=equal)


def _grown(part: Observed[ZoneSpec] | None, taken: ZoneSpec, newcomer: Owner) -> Observed[ZoneSpec]:
    """Our part of the zone with what it gets."""
    if part is None:
        return Observed(zone_address(taken.server, taken.name), taken, newcomer)
    records = tuple(sorted((*part.spec.records, *taken.records), key=_name_and_type))
    if taken.timers is None:
        return replace(part, spec=replace(part.spec, records=records))
    spec = replace(part.spec, records=records, timers=taken.timers, rules=taken.rules)
    return replace(part, spec=spec)


def _rest(stranger: Observed[ZoneSpec], taken: ZoneSpec) -> tuple[Observed[ZoneSpec], ...]:
    gone = set(taken.records)
    records = tuple(record for record in stranger.spec.records if record not in gone)
    timers = None if taken.timers else stranger.spec.timers
    if not records and timers is None:
        return ()
    rules = stranger.spec.rules if timers else None
    return (
        replace(stranger, spec=replace(stranger.spec, records=records, timers=timers, rules=rules)),
    )


def _clashes(want: ZoneSpec, other: ZoneSpec) -> Iterator[str]:
    name = zone_address(want.server, want.name).name
    if want.timers and other.timers:
        yield f"zone {name}"
    types: dict[str, set[str]] = defaultdict(set)
    for record in other.records:
        types[record.name].add(record.type)
    for record in want.records:
        there = types.get(record.name)
        if there and (record.type in there or _ALONE in {record.type, *there}):
            yield f"record {name} {record.key}"


def _name_and_type(record: RecordSet) -> tuple[str, str]:
    return record.name, record.type
