"""What a name server does with its zones, as pure functions from server to server.

As BIND does it, but in words: where BIND drops a contradiction silently, this one refuses. An
update that changes nothing leaves the serial alone.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address

from reconciler.drivers.refusal import Missing, Refused
from reconciler.drivers.simulated.state import Server
from reconciler.ports.nameserver import NewZone, RecordSet, Rules, Timers, ZoneState, ZoneUpdate

APEX = "@"
LARGEST_SERIAL = 2**32 - 1
LONGEST_TTL = 2**31 - 1
LONGEST_NAME = 253
_LABEL = re.compile(r"\A[^\x00-\x20\"$().;\\\x7f-\U0010ffff]{1,63}\Z")  # needs no escape in text
_ZONE_LABEL = re.compile(r"\A[a-z0-9_](?:[a-z0-9_/-]{0,61}[a-z0-9_])?\Z")
_TYPE = re.compile(r"\A[A-Z][A-Z0-9]{0,31}\Z")
_TARGETS = frozenset({"CNAME", "NS", "PTR", "MX", "SRV", "DNAME"})
_ADDRESSES: Mapping[str, Callable[[str], object]] = {"A": IPv4Address, "AAAA": IPv6Address}


def named(server: Server, name: str) -> ZoneState:
    """The zone of that name.

    Raises:
        Missing: it is not served here.
    """
    zone = server.zones.get(name)
    if zone is None:
        message = f"zone {name} is not served here"
        raise Missing(message)
    return zone


def create(server: Server, new: NewZone) -> Server:
    """Begin to serve a zone.

    Raises:
        Refused: it is served already, or it would be no zone.
    """
    name, reasons = new.name, []
    if name in server.zones:
        reasons.append(f"zone {name} is served already")
    if len(name) > LONGEST_NAME or not all(_ZONE_LABEL.match(each) for each in name.split(".")):
        reasons.append(f"{name[:80]!r} cannot be the name of a zone")
    if not 0 < new.serial <= LARGEST_SERIAL:
        reasons.append(f"{new.serial} cannot be a serial")
    zone = ZoneState(name, new.serial, new.timers, _sorted(new.records), new.rules)
    reasons += [*_contradictions(zone), *_homeless_nameservers(zone)]
    if reasons:
        raise Refused("; ".join(reasons))
    return with_zone(server, zone)


def with_rules(server: Server, name: str, rules: Rules) -> Server:
    """Treat a zone by other rules.

    Raises:
        Missing: the zone is not served here.
    """
    zone = named(server, name)
    return server if zone.rules == rules else with_zone(server, replace(zone, rules=rules))


def update(server: Server, wanted: ZoneUpdate) -> Server:
    """Change a zone, if it is still as the update expects.

    Raises:
        Missing: the zone is not served here.
        Refused: the serial has moved on, a set is there that must not be, or the result would be
            no zone.
    """
    zone = named(server, wanted.zone)
    if zone.serial != wanted.serial:
        message = f"the serial is {zone.serial} and no longer {wanted.serial}; look again"
        raise Refused(message)
    sets = {record.key: record for record in zone.records}
    if taken := sorted(sets.keys() & set(wanted.absent)):
        message = f"already there: {', '.join(taken)}"
        raise Refused(message)
    for key in wanted.remove:
        sets.pop(key, None)
    sets.update((record.key, record) for record in wanted.put)
    after = changed(zone, sets.values(), wanted.timers)
    return server if after is zone else with_zone(server, after)


def changed(zone: ZoneState, records: Iterable[RecordSet], timers: Timers | None) -> ZoneState:
    """The zone with other records, and with the next serial if that makes a difference.

    Raises:
        Refused: the result would be no zone.
    """
    result = replace(zone, records=_sorted(records), timers=timers or zone.timers)
    if reasons := list(_contradictions(result)):
        raise Refused("; ".join(reasons))
    return zone if result == zone else replace(result, serial=zone.serial % LARGEST_SERIAL + 1)


def delete(server: Server, name: str) -> Server:
    """Serve the zone no more, if it is served."""
    if name not in server.zones:
        return server
    return replace(server, zones={k: v for k, v in server.zones.items() if k != name})


def with_zone(server: Server, zone: ZoneState) -> Server:
    """The server with this zone."""
    return replace(server, zones={**server.zones, zone.name: zone})


def _sorted(records: Iterable[RecordSet]) -> tuple[RecordSet, ...]:
    return tuple(sorted(replace(each, values=tuple(sorted(each.values))) for each in records))


def _contradictions(zone: ZoneState) -> Iterator[str]:
    """Why these records make no zone."""
    types: dict[str, list[str]] = defaultdict(list)
    for record in zone.records:
        types[record.name.lower()].append(record.type)
        yield from _unsound(zone.name, record)
    for name, found in types.items():
        if len(set(found)) != len(found):
            yield f"{name} has two sets of one type"
        if "CNAME" in found and len(found) > 1:
            yield f"{name} has a CNAME beside other records"
    if "NS" not in types.get(APEX, ()):
        yield f"zone {zone.name} would have no NS record at its apex"


def _unsound(zone: str, record: RecordSet) -> Iterator[str]:
    if record.name.endswith(".") or not _is_inside(zone, record.name):
        yield f"{record.name[:80]!r} is not a name in zone {zone}"
    if record.type == "SOA":
        yield "the SOA record is made from the timers"
    if not _TYPE.match(record.type):
        yield f"{record.type[:80]!r} is not a type of records"
    if not 0 <= record.ttl_seconds <= LONGEST_TTL:
        yield f"{record.key} has an impossible TTL"
    if not record.values or len(set(record.values)) != len(record.values):
        yield f"{record.key} has no value, or one twice"
    if record.type == "CNAME" and len(record.values) > 1:
        yield f"{record.name} has two CNAMEs"
    yield from (f"{record.key} cannot be {v[:80]!r}" for v in record.values if _is_bad(record, v))


def _is_inside(zone: str, name: str) -> bool:
    full = zone if name == APEX else f"{name}.{zone}"
    labels = name.split(".")
    return len(full) <= LONGEST_NAME and all(_LABEL.match(label) for label in labels)


def _is_bad(record: RecordSet, value: str) -> bool:
    if not value.isascii() or not value.isprintable() or not value.strip():
        return True
    if record.type in _TARGETS:
        return not value.endswith(".")
    try:
        _ADDRESSES.get(record.type, str)(value)
    except ValueError:
        return True
    return False


def _homeless_nameservers(zone: ZoneState) -> Iterator[str]:
    """Name servers in the zone that have no address in it: no server would load that."""
    homes = {record.name for record in zone.records if record.type in _ADDRESSES}
    for record in zone.records:
        if record.key != f"{APEX}/NS":
            continue
        for target in record.values:
            name = target.removesuffix(f".{zone.name}.")
            if name != target and name not in homes:
                yield f"name server {target} has no address in the zone"
