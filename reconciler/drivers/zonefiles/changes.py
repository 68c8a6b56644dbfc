"""What an update makes of a zone, before a file is written: pure, and refused in words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from reconciler.config.records import as_answered
from reconciler.drivers.refusal import Forbidden, Refused
from reconciler.drivers.zone_soundness import (
    contradictions,
    homeless_nameservers,
    without_nameserver,
    zone_complaints,
)
from reconciler.ports.nameserver import NewZone, RecordSet, Rules, ZoneState, ZoneUpdate, forbidden


def created(new: NewZone) -> ZoneState:
    """The zone to begin with.

    Raises:
        Refused: it would be none.
    """
    reasons = [
        *zone_complaints(new.name, new.serial),
        *contradictions(new.name, new.records),
        *without_nameserver(new.name, new.records),
        *homeless_nameservers(new.name, new.records),
    ]
    if reasons:
        raise Refused("; ".join(reasons))
    records = _in_order(new.name, new.records)
    return ZoneState(new.name, new.serial, new.timers, records, new.rules or Rules())


def updated(zone: ZoneState, update: ZoneUpdate) -> ZoneState:
    """The zone after an update, still with its serial.

    Only what is put is judged, and what stands beside it: the rest may be the work of others.

    Raises:
        Forbidden: its rules do not let the environment do that.
        Refused: the serial has moved on, a set is there that must not be, or no zone would result.
    """
    if denied := sorted(forbidden(zone.rules or Rules(), update)):
        message = f"{update.environment} may not change {', '.join(denied[:5])}"
        raise Forbidden(message)
    if zone.serial != update.serial:
        message = f"the serial is {zone.serial} and no longer {update.serial}; look again"
        raise Refused(message)
    sets = {record.key: record for record in zone.records}
    if taken := sorted(sets.keys() & set(update.absent)):
        message = f"already there: {', '.join(taken)}"
        raise Refused(message)
    for key in update.remove:
        sets.pop(key, None)
    sets.update((record.key, record) for record in update.put)
    touched = {record.name for record in update.put}
    beside = (record for record in sets.values() if record.name in touched)
    reasons = [
        *contradictions(zone.name, beside),
        *without_nameserver(zone.name, sets.values()),
    ]
    if reasons:
        raise Refused("; ".join(reasons))
    records = _in_order(zone.name, sets.values())
    return replace(zone, records=records, timers=update.timers or zone.timers)


def _in_order(zone: str, records: Iterable[RecordSet]) -> tuple[RecordSet, ...]:
    """As they are seen when they are read again."""
    return tuple(
        sorted(
            replace(
                each, values=tuple(sorted(as_answered(each.type, v, zone) for v in each.values))
            )
            for each in records
        )
    )
