"""What zones must not say about themselves and each other, as far as documents alone tell."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network, ip_network
from typing import get_args

from reconciler.config.check_delegations import delegation_problems, relative
from reconciler.config.check_records import record_problems
from reconciler.config.document import EnvironmentName
from reconciler.config.names import Names, unknown
from reconciler.config.nameserver import OUTSIDE
from reconciler.config.naming import runs_together
from reconciler.config.records import RECORD_TYPES
from reconciler.config.repository import Documents
from reconciler.config.zones import Zone
from reconciler.model.position import Problem
from reconciler.model.quantity import format_duration

_ENVIRONMENTS: tuple[str, ...] = get_args(EnvironmentName)
_V4_LENGTHS, _V6_LENGTHS = range(8, 32), range(16, 125, 4)


def zone_problems(documents: Documents, names: Names) -> Iterator[Problem]:
    """Everything that is wrong with the zones."""
    yield from _same_zones(documents)
    for zone in documents.zones.values():
        yield from _server_problems(documents, zone, names)
        yield from _time_problems(documents, zone)
        yield from _share_problems(documents, zone, names)
        yield from _reverse_problems(documents, zone, names)
        yield from _pattern_problems(documents, zone)
        yield from record_problems(documents, zone)
        yield from delegation_problems(documents, zone)


def _same_zones(documents: Documents) -> Iterator[Problem]:
    """One view of one server has a zone once."""
    made: dict[tuple[str, str, str], Zone] = {}
    for zone in documents.zones.values():
        first = made.setdefault((zone.server, zone.view, zone.zone_name), zone)
        if first is not zone:
            position = documents.position("Zone", zone.name, "origin" if zone.origin else "name")
            there = documents.position("Zone", first.name, "origin" if first.origin else "name")
            what = f"zones {first.name} and {zone.name} are both {zone.zone_name} on {zone.server}"
            remedy = (
                f"give one of them another view, or write one document; the other is at {there}"
            )
            yield Problem(position, what, remedy)


def _server_problems(documents: Documents, zone: Zone, names: Names) -> Iterator[Problem]:
    known = names.of("Nameserver")
    position = documents.position("Zone", zone.name, "server")
    if known and names.lack("Nameserver", zone.server):
        yield unknown(position, "name server", zone.server, known)
    server = documents.nameservers.get(zone.server)
    if server is not None and zone.view == OUTSIDE and not server.outside:
        position = documents.position("Zone", zone.name, "view")
        there = documents.position("Nameserver", server.name, "outside")
        what = f"name server {server.name} answers nobody outside, for whom zone {zone.name} is"
        yield Problem(position, what, f"write `outside: true` there ({there}), or `view: inside`")


def _time_problems(documents: Documents, zone: Zone) -> Iterator[Problem]:
    for kind in zone.ttls:
        if kind not in RECORD_TYPES:
            position = documents.position("Zone", zone.name, "ttls", kind)
            yield unknown(position, "type of record", kind, RECORD_TYPES)
    if not zone.refresh or not zone.retry:
        key = "retry" if zone.refresh else "refresh"
        position = documents.position("Zone", zone.name, key)
        yield Problem(position, f"{key} is 0, which keeps servers busy", "write a longer time")
    if zone.expire <= zone.refresh + zone.retry:
        position = documents.position("Zone", zone.name, "expire")
        what = f"zone {zone.name} expires before a secondary has looked and tried again"
        least = format_duration(zone.refresh + zone.retry)
        yield Problem(position, what, f"write more than refresh and retry together, {least}")


def _share_problems(documents: Documents, zone: Zone, names: Names) -> Iterator[Problem]:
    others = [each for each in _ENVIRONMENTS if each != zone.environment]
    if zone.share and zone.environment is None:
        position = documents.position("Zone", zone.name, "share")
        what = f"zone {zone.name} is shared, and no environment makes it"
        yield Problem(position, what, "write `environment:`")
    for other, share in zone.share.items():
        if other not in others:
            position = documents.position("Zone", zone.name, "share", other)
            why = "which makes it" if other == zone.environment else "which is no environment"
            what = f"zone {zone.name} is shared with {other}, {why}"
            yield Problem(position, what, f"write {' or '.join(others)}")
        for index, name in enumerate(share.below):
            meant = relative(name, zone.zone_name)
            if name not in {meant, zone.zone_name}:  # its own name means all of it
                path = ("share", other, "below", str(index))
                position = documents.position("Zone", zone.name, *path)
                what = f"{name} would be {name}.{zone.zone_name}"
                yield Problem(position, what, f"names are inside the zone: write {meant}")
        for index, network in enumerate(share.networks):
            if names.lack("Network", network):
                path = ("share", other, "networks", str(index))
                position = documents.position("Zone", zone.name, *path)
                yield unknown(position, "network", network, names.of("Network"))


def _reverse_problems(documents: Documents, zone: Zone, names: Names) -> Iterator[Problem]:
    for index, item in enumerate(zone.reverse):
        position = documents.position("Zone", zone.name, "reverse", str(index))
        if "/" not in item:
            if names.lack("Network", item):
                yield unknown(position, "network", item, names.of("Network"))
            continue
        prefix = ip_network(item)
        if isinstance(prefix, IPv4Network):
            is_right, meant = prefix.prefixlen in _V4_LENGTHS, "from /8 to /31"
        else:
            is_right, meant = prefix.prefixlen in _V6_LENGTHS, "/16, /20, … to /124"
        if not is_right:
            what = f"{item} cannot be a reverse zone"
            yield Problem(position, what, f"prefixes are {meant}")


def _pattern_problems(documents: Documents, zone: Zone) -> Iterator[Problem]:
    for index, pattern in enumerate(zone.naming.patterns):
        if runs_together(pattern):
            position = documents.position("Zone", zone.name, "naming", "patterns", str(index))
            what = f"the words of {pattern} run together"
            yield Problem(position, what, "write a hyphen between them")
