"""What an update makes of a zone, before a file is written: pure, and refused in words."""

from __future__ import annotations

from dataclasses import replace

from reconciler.drivers.refusal import Refused
from reconciler.drivers.zone_soundness import (
    contradictions,
    homeless_nameservers,
    without_nameserver,
    zone_complaints,
)
from reconciler.drivers.zone_updates import as_read, sets_after
from reconciler.ports.nameserver import NewZone, Rules, ZoneState, ZoneUpdate


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
    records = as_read(new.name, new.records)
    return ZoneState(new.name, new.serial, new.timers, records, new.rules or Rules())


def updated(zone: ZoneState, update: ZoneUpdate) -> ZoneState:
    """The zone after an update, still with its serial.

    Only what is put is judged, and what stands beside it: the rest may be the work of others.

    Raises:
        Forbidden: its rules do not let the environment do that.
        Refused: the serial has moved on, a set is there that must not be, or no zone would result.
    """
    sets = sets_after(zone, update, zone.rules or Rules())
    touched = {record.name for record in update.put}
    beside = (record for record in sets.values() if record.name in touched)
    reasons = [
        *contradictions(zone.name, beside),
        *without_nameserver(zone.name, sets.values()),
    ]
    if reasons:
        raise Refused("; ".join(reasons))
    records = as_read(zone.name, sets.values())
    return replace(zone, records=records, timers=update.timers or zone.timers)
