"""The way back: from a zone as it is served to the document that describes it.

What the farm gives by itself is left out of the document, and so is what no document can say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pydantic import ValidationError

from reconciler.config.records import RECORD_TYPES, canonical
from reconciler.config.zones import RecordField, Zone
from reconciler.kinds.zone_registry import is_mark
from reconciler.model.quantity import format_duration
from reconciler.ports.nameserver import RecordSet, Timers, ZoneState
from reconciler.render.names.written import ttl_seconds

APEX_NS = "@/NS"
Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class AdoptedZone:
    """The records to write into a document. `notes` tell what is not among them, and why."""

    records: tuple[Record, ...]
    notes: tuple[str, ...]


def zone_document(state: ZoneState, server: str, environment: str) -> dict[str, Any]:
    """The document of a zone, without its records."""
    apex = next((each for each in state.records if each.key == APEX_NS), None)
    timers = state.timers
    return {
        "kind": "Zone",
        "name": state.name,
        "environment": environment,
        "server": server,
        "primary": timers.primary,
        "nameservers": list(apex.values) if apex else [timers.primary],
        "contact": mail_of(timers.contact),
        "serial": max(state.serial, 1),
        "ttl": _written(_usual_ttl(state.records)),
        "refresh": _written(timers.refresh_seconds),
        "retry": _written(timers.retry_seconds),
        "expire": _written(timers.expire_seconds),
        "negative_ttl": _written(timers.negative_ttl_seconds),
    }


def adopted_records(
    zone: Zone, state: ZoneState, generated: Mapping[str, RecordSet], there: Iterable[str]
) -> AdoptedZone:
    """What of a zone goes into the records of its document.

    `generated` is what the documents give without it, `there` are keys that the document has.
    """
    records: list[Record] = []
    notes: list[str] = []
    known = frozenset(there)
    for each in state.records:
        if is_mark(each) or each.key in known or generated.get(each.key) == each:
            continue
        if why := _why_left_out(each, generated):
            notes.append(f"{each.key} is left out: {why}")
        else:
            records.append(record_field(zone, each))
    return AdoptedZone(tuple(records), tuple(notes))


def record_field(zone: Zone, record: RecordSet) -> Record:
    """A record set as the document of its zone says it."""
    field: Record = {"name": record.name, "type": record.type}
    if record.ttl_seconds != ttl_seconds(zone, record.type):
        field["ttl"] = _written(record.ttl_seconds)
    return {**field, "values": list(record.values)}


def why_unsayable(record: RecordSet) -> str | None:
    """Why no document can hold a record set; None if one can."""
    if record.type not in RECORD_TYPES:
        return f"documents have no records of type {record.type}"
    values = tuple(record.values)
    given = {"name": record.name, "type": record.type, "values": values}
    try:
        RecordField.model_validate(given)
        for value in values:
            canonical(record.type, value, "")
    except ValidationError as error:
        first = error.errors()[0]
        return f"{first['loc'][0] if first['loc'] else record.name}: {first['msg']}"
    except ValueError as error:
        return str(error)
    return None


def mail_of(name: str) -> str:
    """The mail address that a SOA record names (RFC 1035 §8)."""
    at = 0
    while at < len(name) and name[at] != ".":
        at += 2 if name[at] == "\\" else 1
    return f"{name[:at].replace(chr(92), '')}@{name[at + 1 :].removesuffix('.')}"


def differing(timers: Timers, wanted: Timers) -> Iterator[str]:
    """What a document says of the SOA record that the zone has otherwise."""
    for field in Timers.__slots__:
        is_, said = getattr(timers, field), getattr(wanted, field)
        if is_ != said:
            yield f"{field.removesuffix('_seconds')} is {is_} there, and {said} in the document"


def _why_left_out(record: RecordSet, generated: Mapping[str, RecordSet]) -> str | None:
    if record.key == APEX_NS:
        said = ", ".join(generated[APEX_NS].values) if APEX_NS in generated else "others"
        return f"nameservers of the document are {said}, those of the zone {_values(record)}"
    if record.key in generated:
        ours = generated[record.key]
        both = f"{_values(ours)} for {ours.ttl_seconds} s"
        return f"the documents give {both}, the zone {_values(record)} for {record.ttl_seconds} s"
    return why_unsayable(record)


def _values(record: RecordSet) -> str:
    return ", ".join(record.values)[:200]


def _usual_ttl(records: Iterable[RecordSet]) -> int:
    counted = Counter(each.ttl_seconds for each in records if not is_mark(each))
    return counted.most_common(1)[0][0] if counted else 3600


def _written(seconds: int) -> str:
    return format_duration(timedelta(seconds=seconds))
