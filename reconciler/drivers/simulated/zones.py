"""What a name server does with its zones, as pure functions from server to server.

As BIND does it, but in words: where BIND drops a contradiction silently, this one refuses. An
update that changes nothing leaves the serial alone. Of a zone that was made without rules everybody
may change everything: the server's configuration is somebody else's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from reconciler.config.records import RECORD_TYPES, as_answered, canonical
from reconciler.drivers.refusal import Forbidden, Missing, Refused
from reconciler.drivers.simulated.state import Server
from reconciler.drivers.zone_soundness import (
    LARGEST_SERIAL,
    contradictions,
    homeless_nameservers,
    without_nameserver,
    zone_complaints,
)
from reconciler.ports.nameserver import (
    NewZone,
    RecordSet,
    Rules,
    Timers,
    ZoneState,
    ZoneUpdate,
    forbidden,
)

HALF = 2**31  # serials beyond this are behind (RFC 1982 §3.2)


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
    reasons = [f"zone {new.name} is served already"] if new.name in server.zones else []
    reasons += [*zone_complaints(new.name, new.serial), *_complaints(new.name, new.records)]
    reasons += homeless_nameservers(new.name, new.records)
    if reasons:
        raise Refused("; ".join(reasons))
    records = _sorted(new.name, new.records)
    return with_zone(server, ZoneState(new.name, new.serial, new.timers, records, new.rules))


def with_rules(server: Server, name: str, rules: Rules) -> Server:
    """Treat a zone by other rules.

    Raises:
        Missing: the zone is not served here.
    """
    zone = named(server, name)
    return server if zone.rules == rules else with_zone(server, replace(zone, rules=rules))


def update(server: Server, wanted: ZoneUpdate, now: datetime) -> Server:
    """Change a zone, if it is still as the update expects.

    Raises:
        Forbidden: the environment may not change that.
        Missing: the zone is not served here.
        Refused: the serial has moved on, a set is there that must not be, or the result would be
            no zone.
    """
    zone = named(server, wanted.zone)
    if zone.serial != wanted.serial:
        message = f"the serial is {zone.serial} and no longer {wanted.serial}; look again"
        raise Refused(message)
    if zone.rules and (denied := sorted(forbidden(zone.rules, wanted))):
        message = f"{wanted.environment} may not change {', '.join(denied[:5])}"
        raise Forbidden(message)
    sets = {record.key: record for record in zone.records}
    if taken := sorted(sets.keys() & set(wanted.absent)):
        message = f"already there: {', '.join(taken)}"
        raise Refused(message)
    for key in wanted.remove:
        sets.pop(key, None)
    sets.update((record.key, record) for record in wanted.put)
    after = changed(zone, sets.values(), wanted.timers, now)
    return server if after is zone else with_zone(server, after)


def changed(
    zone: ZoneState, records: Iterable[RecordSet], timers: Timers | None, now: datetime
) -> ZoneState:
    """The zone with other records, and with the next serial if that makes a difference.

    Raises:
        Refused: the result would be no zone.
    """
    found = tuple(records)
    if reasons := list(_complaints(zone.name, found)):
        raise Refused("; ".join(reasons))
    result = replace(zone, records=_sorted(zone.name, found), timers=timers or zone.timers)
    return zone if result == zone else replace(result, serial=next_serial(zone, now))


def next_serial(zone: ZoneState, now: datetime) -> int:
    """The serial of the next version: never one that is behind (RFC 1982), never nought."""
    by_date = int(f"{now:%Y%m%d}00")
    if zone.rules and zone.rules.serials == "date" and 0 < (by_date - zone.serial) % 2**32 < HALF:
        return by_date
    return zone.serial % LARGEST_SERIAL + 1


def delete(server: Server, name: str) -> Server:
    """Serve the zone no more, if it is served."""
    if name not in server.zones:
        return server
    return replace(server, zones={k: v for k, v in server.zones.items() if k != name})


def with_zone(server: Server, zone: ZoneState) -> Server:
    """The server with this zone."""
    return replace(server, zones={**server.zones, zone.name: zone})


def _complaints(zone: str, records: Iterable[RecordSet]) -> Iterator[str]:
    """Why these are not all records of a zone."""
    found = tuple(records)
    yield from contradictions(zone, found)
    yield from without_nameserver(zone, found)
    for record in found:
        if record.type in RECORD_TYPES:
            yield from _unreadable(zone, record)


def _unreadable(zone: str, record: RecordSet) -> Iterator[str]:
    for value in record.values:
        try:
            canonical(record.type, value, zone)
        except ValueError as error:
            yield f"{record.key} cannot be {value[:80]!r}: {error}"


def _sorted(zone: str, records: Iterable[RecordSet]) -> tuple[RecordSet, ...]:
    return tuple(
        sorted((_answered(zone, each) for each in records), key=lambda each: (each.name, each.type))
    )


def _answered(zone: str, record: RecordSet) -> RecordSet:
    """The set as it is read back; the very same if nothing is to be said otherwise."""
    if record.type not in RECORD_TYPES:
        values = tuple(sorted(record.values))
    else:
        values = tuple(sorted(as_answered(record.type, each, zone) for each in record.values))
    return record if values == record.values else replace(record, values=values)
