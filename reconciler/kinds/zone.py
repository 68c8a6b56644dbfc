"""Kind `zone`: what one environment wants of one DNS zone on its server.

The environment that has the zone's authority (`timers` is given) makes and removes the zone; every
environment owns just the record sets it wrote (`reconciler.kinds.zone_registry`), and those of
others stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from reconciler.kinds.protocol import NO_FACTS, Operation
from reconciler.kinds.zone_operations import CreateZone, DropZone, PutRecords, UpdateZone
from reconciler.kinds.zone_registry import Holding, is_mark, mark_key, marks, read_marks
from reconciler.model.address import Address, Scope
from reconciler.model.change import FieldChange
from reconciler.model.diff import diff_fields
from reconciler.model.plain import to_plain
from reconciler.model.resource import Observed, Owner
from reconciler.ports.facts import Facts, Question
from reconciler.ports.nameserver import NewZone, RecordSet, Rules, Timers, ZoneState, ZoneUpdate
from reconciler.ports.world import Ports


@dataclass(frozen=True, slots=True)
class ZoneSpec:
    """Records of a zone. `timers` and `rules` None mean that the zone itself is another's.

    `rules` None beside timers mean that its server's configuration is not ours.

    `serial` is where a new zone starts, and what was seen of an existing one; the server counts
    it up, so it is never compared. `stale` are keys of our marks on records that are gone.
    """

    server: str
    name: str
    timers: Timers | None
    records: tuple[RecordSet, ...]
    rules: Rules | None = None
    serial: int = field(default=1, compare=False)
    stale: tuple[str, ...] | None = field(default=None, compare=False)
    after: tuple[Address, ...] = field(default=(), compare=False)


class ZoneKind:
    """Answers for zones."""

    name = "zone"
    spec = ZoneSpec
    settle = timedelta(seconds=5)
    is_bound = False

    def identity(self, spec: ZoneSpec) -> str:
        """Its name."""
        return spec.name

    def needs(self, address: Address, spec: ZoneSpec) -> frozenset[Address]:
        """What its server is set up by; names may be there before the machines."""
        del address
        return frozenset(spec.after)

    def claims(self, spec: ZoneSpec) -> frozenset[str]:
        """Its record sets and, with the authority, the zone."""
        zone = {f"zone {spec.name}"} if spec.timers else set()
        return frozenset({f"record {spec.name} {record.key}" for record in spec.records} | zone)

    def scopes(self, specs: Iterable[ZoneSpec], hosts: Iterable[str]) -> frozenset[Scope]:
        """Each zone on its server."""
        del hosts
        return frozenset(Scope("zone", spec.name, spec.server) for spec in specs)

    def questions(self, spec: ZoneSpec) -> frozenset[Question]:
        """Nothing."""
        del spec
        return frozenset()

    def observe(
        self, scope: Scope, ports: Ports, facts: Facts = NO_FACTS
    ) -> Iterable[Observed[ZoneSpec]]:
        """The parts of the zone by owner; what nobody owns is one foreign part."""
        del facts
        if scope.kind != "zone" or scope.server is None:
            return ()
        server = ports.nameserver(scope.server)
        if scope.name not in server.zones():
            return ()
        return list(_parts(scope.server, server.zone(scope.name)))

    def diff(self, desired: ZoneSpec, observed: ZoneSpec) -> tuple[FieldChange, ...]:
        """Record set by record set; authority that is not wanted any more is given up."""
        changes = diff_fields(desired, observed)
        if desired.timers is None and observed.timers is not None:
            return (FieldChange("timers", to_plain(observed.timers), None), *changes)
        return changes

    def create(self, desired: ZoneSpec, owner: Owner) -> tuple[Operation, ...]:
        """Make the zone, or put our records into somebody else's."""
        records = (*desired.records, *marks(_holding(desired, owner)))
        if desired.timers is None:
            return (PutRecords(desired.server, desired.name, records, owner.environment),)
        rules = desired.rules or Rules()
        zone = NewZone(
            desired.name, desired.timers, desired.serial, records, owner.environment, rules
        )
        return (CreateZone(desired.server, zone),)

    def update(
        self,
        desired: ZoneSpec,
        observed: ZoneSpec,
        changed: tuple[FieldChange, ...],
        owner: Owner,
    ) -> tuple[Operation, ...]:
        """One atomic update that carries the mark too, or a new zone on another server.

        The old one goes first, because it does not go while it holds records of others.
        """
        if desired.server != observed.server:
            return (*self.delete(observed, owner), *self.create(desired, owner))
        del changed
        return (UpdateZone(desired.server, _difference(desired, observed, owner)),)

    def delete(self, observed: ZoneSpec, owner: Owner) -> tuple[Operation, ...]:
        """Take our records away; with the authority, the zone."""
        held = (*observed.records, *marks(_holding(observed, owner)))
        keys = tuple(sorted({*(record.key for record in held), *(observed.stale or ())}))
        authority = observed.timers is not None
        return (
            DropZone(observed.server, observed.name, keys, owner.environment, authority=authority),
        )

    def without(self, address: Address, observed: ZoneSpec, lost: frozenset[Address]) -> ZoneSpec:
        """The same, because it needs nothing."""
        del address, lost
        return observed

    def release(
        self, address: Address, observed: ZoneSpec, lost: frozenset[Address], owner: Owner
    ) -> tuple[Operation, ...]:
        """Nothing, because it needs nothing."""
        del address, observed, lost, owner
        return ()

    def mark(self, observed: ZoneSpec, owner: Owner) -> tuple[Operation, ...]:
        """Write the registry's records anew."""
        update = ZoneUpdate(
            zone=observed.name,
            serial=observed.serial,
            environment=owner.environment,
            put=marks(_holding(observed, owner)),
            remove=observed.stale or (),
        )
        return (UpdateZone(observed.server, update),)

    def is_untidy(self, observed: ZoneSpec) -> bool:
        """Never."""
        del observed
        return False

    def host(self, spec: ZoneSpec) -> str | None:
        """Zones live on servers, not on hosts."""
        del spec
        return None


def _difference(desired: ZoneSpec, observed: ZoneSpec, owner: Owner) -> ZoneUpdate:
    before = {record.key: record for record in observed.records}
    after = {record.key: record for record in desired.records}
    old_marks = {mark.key for mark in marks(_holding(observed, owner))} | {*(observed.stale or ())}
    new_marks = marks(_holding(desired, owner))
    gone = (before.keys() - after.keys()) | (old_marks - {mark.key for mark in new_marks})
    return ZoneUpdate(
        zone=desired.name,
        serial=observed.serial,
        environment=owner.environment,
        put=(*(after[key] for key in sorted(after) if before.get(key) != after[key]), *new_marks),
        remove=tuple(sorted(gone)),
        absent=tuple(sorted(after.keys() - before.keys())),
        timers=desired.timers if desired.timers != observed.timers else None,
    )


def _holding(spec: ZoneSpec, owner: Owner) -> Holding:
    keys = frozenset(record.key for record in spec.records)
    return Holding(owner.environment, owner.digest, spec.timers is not None, keys)


def _parts(server: str, zone: ZoneState) -> Iterator[Observed[ZoneSpec]]:
    holdings = read_marks(zone.records)
    rest = {record.key: record for record in zone.records if not is_mark(record)}
    authority_is_held = False
    for environment, holding in sorted(holdings.items()):
        missing = holding.keys - rest.keys()
        held = tuple(rest.pop(key) for key in sorted(holding.keys - missing))
        timers = zone.timers if holding.authority and not authority_is_held else None
        authority_is_held |= holding.authority
        stale = _only_missing(environment, held, missing)
        spec = ZoneSpec(server, zone.name, timers, held, zone.serial, stale or None)
        owner = Owner(environment, zone.name, holding.digest)
        yield Observed(Address("zone", zone.name), spec, owner)
    if rest or not authority_is_held:
        timers = None if authority_is_held else zone.timers
        spec = ZoneSpec(server, zone.name, timers, tuple(rest.values()), zone.serial)
        yield Observed(Address("zone", zone.name, server), spec)


def _only_missing(
    environment: str, held: Iterable[RecordSet], missing: Iterable[str]
) -> tuple[str, ...]:
    """The keys of the marks at names where none of our records is left."""
    names = {key.rpartition("/")[0] for key in missing} - {record.name for record in held}
    return tuple(sorted(mark_key(name, environment) for name in names))
