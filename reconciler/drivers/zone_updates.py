"""What an update makes of the record sets of a zone, in files as in a simulation. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from reconciler.config.records import RECORD_TYPES, as_answered
from reconciler.drivers.refusal import Forbidden, Refused
from reconciler.ports.nameserver import RecordSet, Rules, ZoneState, ZoneUpdate, forbidden


def sets_after(zone: ZoneState, update: ZoneUpdate, rules: Rules | None) -> Mapping[str, RecordSet]:
    """The record sets after an update, by key. Without rules everybody may change everything.

    Raises:
        Forbidden: the rules do not let the environment do that.
        Refused: the serial has moved on, or a set is there that must not be.
    """
    if rules and (denied := sorted(forbidden(rules, update))):
        message = f"{update.environment} may not change {', '.join(denied[:5])}"
        raise Forbidden(message)
    if zone.serial != update.serial:
        message = f"the serial is {zone.serial} and no longer {update.serial}; look again"
        raise Refused(message)
    sets = {record.key: record for record in zone.records}
    if taken := sorted(sets.keys() & set(update.absent)):
        message = f"already there: {', '.join(taken)}"
        raise Refused(message)
    kept = {key: record for key, record in sets.items() if key not in set(update.remove)}
    return kept | {record.key: record for record in update.put}


def as_read(zone: str, records: Iterable[RecordSet]) -> tuple[RecordSet, ...]:
    """The sets as they are seen when they are read again, in the order of names and types."""
    answered = (_answered(zone, each) for each in records)
    return tuple(sorted(answered, key=lambda each: (each.name, each.type)))


def _answered(zone: str, record: RecordSet) -> RecordSet:
    """The set as it is read back; the very same if nothing is to be said otherwise."""
    if record.type not in RECORD_TYPES:
        values = tuple(sorted(record.values))
    else:
        values = tuple(sorted(as_answered(record.type, each, zone) for each in record.values))
    return record if values == record.values else replace(record, values=values)
