"""Kind `zone`: what one environment wants of one DNS zone on its server.

The environment that has the zone's authority (`timers` is given) makes and removes the zone; every
environment owns just the record sets it wrote (`reconciler.kinds.zone_registry`), and those of
others stay as they are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

from reconciler.errors import NotFound
from reconciler.kinds.protocol import NO_FACTS, Operation
from reconciler.kinds.zone_operations import (
    CreateZone,
    DropZone,
    PutRecords,
    RemoveRecords,
    SetRules,
    UpdateZone,
)
from reconciler.kinds.zone_registry import (
    APEX,
    Holding,
    environment_of,
    is_mark,
    marks,
    may_mark,
    read_marks,
    rightful,
)
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

    `rules` None beside timers mean that its server's configuration is not ours. `serial` is where a
    new zone starts, and what was seen of an existing one; the server counts it up, so it is never
    compared. `marks` are those of the environment as they were seen. `open`: what others have below
    the apex is neither looked at nor in the way, because DHCP servers write it.
    """

    server: str
    name: str
    timers: Timers | None
    records: tuple[RecordSet, ...]
    rules: Rules | None = None
    serial: int = field(default=1, compare=False)
    marks: tuple[RecordSet, ...] | None = field(default=None, compare=False)
    after: tuple[Address, ...] = field(default=(), compare=False)
    open: bool = False


def zone_address(server: str, name: str) -> Address:
    """The address of a zone at a door of a server: each view has zones of its own."""
    view = server.partition("/")[2]
    return Address("zone", f"{name}/{view}" if view else name)


class ZoneKind:
    """Answers for zones."""

    name = "zone"
    spec = ZoneSpec
    settle = timedelta(seconds=5)
    is_bound = False

    def identity(self, spec: ZoneSpec) -> str:
        """Its name and view."""
        return zone_address(spec.server, spec.name).name

    def needs(self, address: Address, spec: ZoneSpec) -> frozenset[Address]:
        """What its server is set up by; names may be there before the machines."""
        del address
        return frozenset(spec.after)

    def claims(self, spec: ZoneSpec) -> frozenset[str]:
        """Its record sets and, with the authority, the zone."""
        name = self.identity(spec)
        zone = {f"zone {name}"} if spec.timers else set()
        return frozenset({f"record {name} {record.key}" for record in spec.records} | zone)

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
        try:
            zone = server.zone(scope.name)
        except NotFound:
            return ()
        return list(_parts(scope.server, zone))

    def diff(self, desired: ZoneSpec, observed: ZoneSpec) -> tuple[FieldChange, ...]:
        """Record set by record set; authority that is not wanted any more is given up."""
        before, after = _differing(desired.records, observed.records)
        changes = diff_fields(
            replace(desired, records=tuple(after.values())),
            replace(observed, records=tuple(before.values())),
        )
        if desired.timers is None and observed.timers is not None:
            return (FieldChange("timers", to_plain(observed.timers), None), *changes)
        return changes

    def create(self, desired: ZoneSpec, owner: Owner) -> tuple[Operation, ...]:
        """Make the zone, or put our records into somebody else's."""
        written = marks(_holding(desired, owner))
        if desired.timers is None:
            return (
                PutRecords(
                    desired.server, desired.name, desired.records, written, owner.environment
                ),
            )
        records = (*desired.records, *written)
        zone = NewZone(
            desired.name, desired.timers, desired.serial, records, owner.environment, desired.rules
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

        New rules come first, because they may be what lets us write. The old zone goes before the
        new one comes, because it does not go while it holds records of others.
        """
        del changed
        if desired.server != observed.server:
            return (*self.delete(observed, owner), *self.create(desired, owner))
        update = UpdateZone(desired.server, _difference(desired, observed, owner))
        if desired.rules is None or desired.rules == observed.rules:
            return (update,)
        return (SetRules(desired.server, desired.name, desired.rules), update)

    def delete(self, observed: ZoneSpec, owner: Owner) -> tuple[Operation, ...]:
        """Take our records away; with the authority, the zone."""
        written = marks(_holding(observed, owner)) if observed.marks is None else observed.marks
        if observed.timers is None:
            return (
                RemoveRecords(
                    observed.server, observed.name, observed.records, written, owner.environment
                ),
            )
        ours = (*observed.records, *written)
        return (
            DropZone(
                observed.server, observed.name, ours, owner.environment, is_open=observed.open
            ),
        )

    def without(self, address: Address, observed: ZoneSpec, lost: frozenset[Address]) -> ZoneSpec:
        """The same, because it needs nothing that can be taken from it."""
        del address, lost
        return observed

    def release(
        self, address: Address, observed: ZoneSpec, lost: frozenset[Address], owner: Owner
    ) -> tuple[Operation, ...]:
        """Nothing, because it needs nothing that can be taken from it."""
        del address, observed, lost, owner
        return ()

    def mark(self, observed: ZoneSpec, owner: Owner) -> tuple[Operation, ...]:
        """Write those of the registry's records anew that are not as they should be."""
        return (UpdateZone(observed.server, _difference(observed, observed, owner)),)

    def is_untidy(self, observed: ZoneSpec) -> bool:
        """Never."""
        del observed
        return False

    def host(self, spec: ZoneSpec) -> str | None:
        """Zones live on servers, not on hosts."""
        del spec
        return None


def _differing(
    desired: tuple[RecordSet, ...], observed: tuple[RecordSet, ...]
) -> tuple[dict[str, RecordSet], dict[str, RecordSet]]:
    """The sets that are only in one or the other: those seen, and those wanted, by key."""
    if desired == observed:
        return {}, {}
    seen, wanted = set(observed), set(desired)
    before = {record.key: record for record in observed if record not in wanted}
    return before, {record.key: record for record in desired if record not in seen}


def _difference(desired: ZoneSpec, observed: ZoneSpec, owner: Owner) -> ZoneUpdate:
    """What makes one into the other, with the marks at the end."""
    before, after = _differing(desired.records, observed.records)
    there = {mark.key: mark for mark in observed.marks or ()}
    written = marks(_holding(desired, owner))
    gone = before.keys() - after.keys()
    left = there.keys() - {mark.key for mark in written}
    return ZoneUpdate(
        zone=desired.name,
        serial=observed.serial,
        environment=owner.environment,
        put=(*after.values(), *(mark for mark in written if there.get(mark.key) != mark)),
        remove=(*sorted(gone), *sorted(left)),
        absent=tuple(sorted(after.keys() - before.keys())),
        timers=desired.timers if desired.timers != observed.timers else None,
    )


def _holding(spec: ZoneSpec, owner: Owner) -> Holding:
    keys = frozenset(record.key for record in spec.records)
    return Holding(owner.environment, owner.digest, spec.timers is not None, keys, spec.open)


def _parts(server: str, zone: ZoneState) -> Iterator[Observed[ZoneSpec]]:
    written = [record for record in zone.records if is_mark(record)]
    said = read_marks(written)
    holdings = {
        name: rightful(holding, zone.rules)
        for name, holding in said.items()
        if may_mark(name, zone.rules)
    }
    sets = _by_owner(zone, holdings)
    address = zone_address(server, zone.name)
    in_authority: Holding | None = None
    for environment, holding in sorted(holdings.items()):
        is_first = holding.authority and in_authority is None
        in_authority = holding if is_first else in_authority
        spec = ZoneSpec(
            server,
            zone.name,
            zone.timers if is_first else None,
            tuple(sets.get(environment, ())),
            zone.rules if is_first else None,
            zone.serial,
            tuple(mark for mark in written if environment_of(mark) == environment),
            open=holding.open,
        )
        yield Observed(address, spec, Owner(environment, address.name, holding.digest))
    yield from _strangers(server, zone, sets.get(None, ()), in_authority)


def _strangers(
    server: str, zone: ZoneState, records: Iterable[RecordSet], in_authority: Holding | None
) -> Iterator[Observed[ZoneSpec]]:
    """What is nobody's: the zone itself, too, if no environment has its authority."""
    address = zone_address(server, zone.name)
    place = replace(address, host=server.partition("/")[0])
    if in_authority is None:
        spec = ZoneSpec(server, zone.name, zone.timers, tuple(records), zone.rules, zone.serial)
        yield Observed(place, spec)
        return
    rest = tuple(each for each in records if each.name == APEX or not in_authority.open)
    if rest:
        yield Observed(place, ZoneSpec(server, zone.name, None, rest, serial=zone.serial))


def _by_owner(
    zone: ZoneState, holdings: Mapping[str, Holding]
) -> Mapping[str | None, list[RecordSet]]:
    """The record sets by environment, None for what is nobody's; marks are in none of them.

    What two environments hold is of the first by name.
    """
    owners: dict[str, str] = {}
    for environment in sorted(holdings, reverse=True):
        owners |= dict.fromkeys(holdings[environment].keys, environment)
    sets: dict[str | None, list[RecordSet]] = defaultdict(list)
    for record in zone.records:
        if not is_mark(record):
            sets[owners.get(f"{record.name}/{record.type}")].append(record)
    return sets
