"""What a name server does with its zones, as pure functions from server to server.

As BIND does it, but in words: where BIND drops a contradiction silently, this one refuses. An
update that changes nothing leaves the serial alone. Of a zone that was made without rules everybody
may change everything: the server's configuration is somebody else's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from reconciler.config.records import RECORD_TYPES, canonical
from reconciler.drivers.refusal import Missing, Refused
from reconciler.drivers.simulated.state import Server
from reconciler.drivers.zone_soundness import (
    LARGEST_SERIAL,
    contradictions,
    homeless_nameservers,
    without_nameserver,
    zone_complaints,
)
from reconciler.drivers.zone_updates import as_read, sets_after
from reconciler.ports.nameserver import (
    NewZone,
    RecordSet,
    Rules,
    Timers,
    ZoneState,
    ZoneUpdate,
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
    records = as_read(new.name, new.records)
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
    sets = sets_after(zone, wanted, zone.rules)
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
    result = replace(zone, records=as_read(zone.name, found), timers=timers or zone.timers)
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
