"""Zone documents become forward zones with the farm's records in them, and reverse zones.

A machine is called `<naming pattern>.<domain of its environment>`; its record stands in the zone of
this environment that is the longest suffix of that name. A PTR stands in the reverse zone of its
network, for every network that a Zone document lists under `reverse`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address
from typing import Any

from reconciler.config.repository import Documents
from reconciler.config.zones import NamingField, RecordField, Zone
from reconciler.errors import ConfigError
from reconciler.kinds.zone import ZoneSpec
from reconciler.model.address import Address
from reconciler.model.position import Position, Problem
from reconciler.model.resource import Desired
from reconciler.ports.nameserver import RecordSet, Timers
from reconciler.render.records import absolute, presentation

APEX = "@"


@dataclass(frozen=True, slots=True)
class Named:
    """Something with a name and an address, and where that was written."""

    fqdn: str
    address: IPv4Address | IPv6Address
    position: Position


def zone_resources(documents: Documents) -> Iterator[Desired[Any]]:
    """All zones of the environment, forward ones first.

    Raises:
        ConfigError: a hand-written record set stands in the way of a generated one, a name server
            has no address, or two zones make the same reverse zone.
    """
    named = tuple(_named(documents))
    problems: list[Problem] = []
    for zone in documents.zones.values():
        records = _forward(documents, zone, named, problems)
        yield _desired(documents, zone, zone.name, records)
    makers = {zone.name: zone.name for zone in documents.zones.values()}
    for zone in documents.zones.values():
        for name, records in _reverse(documents, zone, named).items():
            if makers.setdefault(name, zone.name) == zone.name:
                yield _desired(documents, zone, name, records)
            else:
                what = f"zone {name} comes from zone {makers[name]} already"
                position = documents.position("Zone", zone.name, "reverse")
                problems.append(Problem(position, what, "let one zone list all its networks"))
    if problems:
        raise ConfigError(problems)


def fqdn_zone(zones: Mapping[str, Zone], fqdn: str) -> Zone | None:
    """The zone that a name belongs to: the longest one it ends with."""
    labels = fqdn.split(".")
    for start in range(len(labels)):
        if zone := zones.get(".".join(labels[start:])):
            return zone
    return None


def machine_fqdn(documents: Documents, name: str) -> str:
    """What a machine of this name is called in DNS, whether a zone of ours holds it or not."""
    zone = fqdn_zone(documents.zones, documents.policy.domain)
    naming = zone.naming if zone else NamingField()
    return _fqdn(naming.machines, name, documents.policy.domain)


def _named(documents: Documents) -> Iterator[Named]:
    zone = fqdn_zone(documents.zones, documents.policy.domain)
    if zone is None:
        return
    for machine in documents.machines.values():
        fqdn = _fqdn(zone.naming.machines, machine.name, documents.policy.domain)
        for each in machine.networks:
            if each.address is not None:
                position = documents.position("VirtualMachine", machine.name, "networks")
                yield Named(fqdn, each.address, position)
    for host in documents.hosts.values():
        if host.environment == documents.environment:
            fqdn = _fqdn(zone.naming.hosts, host.name, documents.policy.domain)
            position = documents.position("Host", host.name, "address")
            yield Named(fqdn, host.address, position)


def _fqdn(pattern: str, name: str, domain: str) -> str:
    return f"{pattern.replace('{name}', name)}.{domain}"


def _forward(
    documents: Documents, zone: Zone, named: Sequence[Named], problems: list[Problem]
) -> tuple[RecordSet, ...]:
    values: dict[tuple[str, str], list[str]] = defaultdict(list)
    for each in named:
        if fqdn_zone(documents.zones, each.fqdn) is zone:
            kind = "A" if isinstance(each.address, IPv4Address) else "AAAA"
            values[_relative(each.fqdn, zone.name), kind].append(str(each.address))
    ttl = _seconds(zone.ttl)
    generated = [
        RecordSet(name, kind, ttl, tuple(sorted(set(found))))
        for (name, kind), found in values.items()
    ]
    written = [_written(zone, field) for field in zone.records]
    for record in written:
        if any(_excludes(record, each) for each in generated):
            position = documents.position("Zone", zone.name, "records", record.key)
            what = f"{record.name} in zone {zone.name} has a record from the farm's addresses"
            problems.append(Problem(position, what, "remove this one, or use another name"))
    records = tuple(sorted([_nameservers(zone), *generated, *written]))
    problems += _homeless(documents, zone, records)
    return records


def _homeless(documents: Documents, zone: Zone, records: Sequence[RecordSet]) -> Iterator[Problem]:
    """Name servers in the zone without an address there: no server would load it."""
    homes = {absolute(each.name, zone.name) for each in records if each.type in {"A", "AAAA"}}
    position = documents.position("Zone", zone.name, "nameservers")
    for target in sorted({absolute(name, zone.name) for name in zone.nameservers} - homes):
        if target.endswith(f".{zone.name}."):
            what = f"name server {target} has no address in zone {zone.name}"
            yield Problem(position, what, "add an A record for it")


def _written(zone: Zone, field: RecordField) -> RecordSet:
    shown = {presentation(field.type, value, zone.name) for value in field.values}
    return RecordSet(field.name, field.type, _seconds(field.ttl or zone.ttl), tuple(sorted(shown)))


def _excludes(one: RecordSet, other: RecordSet) -> bool:
    """Whether not both can be in a zone: nothing stands beside a CNAME (RFC 1034 §3.6.2)."""
    return one.name == other.name and one.type in {other.type, "CNAME"}


def _reverse(
    documents: Documents, zone: Zone, named: Sequence[Named]
) -> dict[str, tuple[RecordSet, ...]]:
    """The reverse zones of the networks that the zone lists, by name."""
    networks = [documents.networks[name].subnet for name in zone.reverse]
    made: dict[str, tuple[RecordSet, ...]] = {}
    for network in networks:
        origin = reverse_zone(network)
        values: dict[str, set[str]] = defaultdict(set)
        for each in named:
            if each.address.reverse_pointer.endswith(f".{origin}"):
                values[_relative(each.address.reverse_pointer, origin)].add(f"{each.fqdn}.")
        ttl = _seconds(zone.ttl)
        pointers = [RecordSet(name, "PTR", ttl, tuple(sorted(v))) for name, v in values.items()]
        made[origin] = tuple(sorted([*pointers, _nameservers(zone)]))
    return made


def reverse_zone(network: IPv4Network) -> str:
    """The reverse zone that covers a network: cut at the last whole octet (RFC 1035 §3.5)."""
    octets = str(network.network_address).split(".")[: max(1, min(network.prefixlen // 8, 3))]
    return ".".join(reversed(octets)) + ".in-addr.arpa"


def _nameservers(zone: Zone) -> RecordSet:
    values = tuple(sorted(absolute(name, zone.name) for name in zone.nameservers))
    return RecordSet(APEX, "NS", _seconds(zone.ttl), values)


def _desired(
    documents: Documents, zone: Zone, name: str, records: tuple[RecordSet, ...]
) -> Desired[ZoneSpec]:
    timers = Timers(
        primary=absolute(zone.primary, zone.name),
        contact=_contact(zone.contact or documents.farm.contact),
        refresh_seconds=_seconds(zone.refresh),
        retry_seconds=_seconds(zone.retry),
        expire_seconds=_seconds(zone.expire),
        negative_ttl_seconds=_seconds(zone.negative_ttl),
    )
    spec = ZoneSpec(zone.server, name, timers, records, zone.serial or 1)
    return Desired(Address("zone", name), spec, documents.position("Zone", zone.name))


def _contact(mail: str) -> str:
    """A mail address as SOA writes it: dots of the local part escaped (RFC 1035 §8)."""
    local, _, domain = mail.rpartition("@")
    return f"{local.replace('.', chr(92) + '.')}.{domain}."


def _relative(name: str, origin: str) -> str:
    return APEX if name == origin else name.removesuffix(f".{origin}")


def _seconds(duration: Any) -> int:
    return int(duration.total_seconds())
