"""One change of a zone as one message (RFC 2136).

What must be true before: the SOA record is still exactly the one that was seen, and what must not
be there is not. Then it is changed wholly; else the server refuses all of it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from socket import inet_aton

import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype

from reconciler.drivers.dns.batches import APEX, name_of, type_of
from reconciler.drivers.dns.messages import (
    ANY,
    APEX_POINTER,
    FIXED,
    HEADER,
    IN,
    NONE,
    SOA,
    Reader,
    Soa,
    wire_name,
)
from reconciler.drivers.refusal import Refused
from reconciler.drivers.zone_soundness import LARGEST_SERIAL
from reconciler.ports.nameserver import RecordSet, Timers, ZoneUpdate

LARGEST_SECTION = 65535
ROOM_BYTES = (
    60_000  # of the 65,535 of a message, less what is in each: zone, SOA records, signature
)
_UPDATE = 5 << 11
_NS_AT_APEX = f"{APEX}/NS"


@dataclass(frozen=True, slots=True)
class _Sections:
    """The records of a message: what must be, and what is done, as bytes."""

    prerequisites: tuple[bytes, ...]
    changes: tuple[bytes, ...]

    @property
    def size(self) -> int:
        return sum(map(len, (*self.prerequisites, *self.changes)))


def message(
    number: int,
    update: ZoneUpdate,
    soa: Soa,
    known: Mapping[str, RecordSet],
    new_soa: Soa | None = None,
) -> bytes:
    """The update as a message. `known` are record sets by key, as they are before it.

    Raises:
        Refused: it cannot be said in one message.
    """
    sections = _sections(update, known)
    prerequisites = (_record(APEX, SOA, IN, 0, soa.wire), *sections.prerequisites)
    changes = sections.changes
    if new_soa is not None:
        changes = (*changes, _record(APEX, SOA, IN, new_soa.ttl_seconds, new_soa.wire))
    counts = (1, len(prerequisites), len(changes), 0)
    zone = wire_name(update.zone) + struct.pack("!HH", SOA, IN)
    if max(counts) > LARGEST_SECTION:
        raise Refused("there are too many records for one message")
    return HEADER.pack(number, _UPDATE, *counts) + zone + b"".join((*prerequisites, *changes))


def size_of(update: ZoneUpdate, known: Mapping[str, RecordSet]) -> int:
    """The bytes that the update takes beside what each message has.

    Raises:
        Refused: it cannot be said.
    """
    return _sections(update, known).size


def _sections(update: ZoneUpdate, known: Mapping[str, RecordSet]) -> _Sections:
    absent = tuple(_bare(key, NONE) for key in update.absent)
    gone = [_bare(key, ANY) for key in update.remove]
    gone += [_bare(record.key, ANY) for record in update.put if record.key != _NS_AT_APEX]
    come = [each for record in update.put for each in _added(record)]
    for record in update.put:
        if (
            record.key == _NS_AT_APEX
        ):  # its set cannot be removed, so the old values are, one by one
            come += _without(known.get(_NS_AT_APEX), record)
    return _Sections(absent, (*gone, *come))


def _without(before: RecordSet | None, after: RecordSet) -> Iterator[bytes]:
    if before is None:
        return
    kept = {rdata_of(after.type, value) for value in after.values}
    for value in before.values:
        rdata = rdata_of(before.type, value)
        if rdata not in kept:
            yield _record(before.name, type_number(before.type), NONE, 0, rdata)


def _added(record: RecordSet) -> Iterator[bytes]:
    kind = type_number(record.type)
    for value in record.values:
        rdata = rdata_of(record.type, value, record.key)
        yield _record(record.name, kind, IN, record.ttl_seconds, rdata)


def _bare(key: str, kind_class: int) -> bytes:
    return _record(name_of(key), type_number(type_of(key)), kind_class, 0, b"")


def _record(name: str, kind: int, kind_class: int, ttl_seconds: int, rdata: bytes) -> bytes:
    try:
        return _owner(name) + FIXED.pack(kind, kind_class, ttl_seconds, len(rdata)) + rdata
    except struct.error:
        raise Refused(f"a record of {name[:80]} is too long, or its numbers are") from None


@lru_cache(maxsize=4096)
def _owner(name: str) -> bytes:
    if name == APEX:
        return APEX_POINTER
    try:
        return wire_name(f"{name}.")[:-1] + APEX_POINTER
    except ValueError as error:
        raise Refused(str(error)) from None


@lru_cache(maxsize=256)
def type_number(kind: str) -> int:
    """The number of a type of records.

    Raises:
        Refused: there is none.
    """
    try:
        return int(dns.rdatatype.from_text(kind))
    except (dns.exception.DNSException, ValueError):
        raise Refused(f"{kind[:80]!r} is not a type of records") from None


def rdata_of(kind: str, value: str, key: str = "") -> bytes:
    """A value as bytes.

    Raises:
        Refused: it is not a value of that type.
    """
    try:
        if kind == "A":
            return inet_aton(value)
        return parsed(kind, value).to_wire() or b""
    except (dns.exception.DNSException, ValueError, OSError) as error:
        what = key or kind
        raise Refused(f"{what} cannot be {value[:80]!r}: {error}") from None


def parsed(kind: str, value: str) -> dns.rdata.Rdata:
    """A value as dnspython reads it, with names as they stand.

    Raises:
        DNSException, ValueError: it is not a value of that type.
    """
    root = dns.name.root
    return dns.rdata.from_text(dns.rdataclass.IN, kind, value, origin=root, relativize=False)


def as_served(record: RecordSet) -> RecordSet:
    """The record set as it is read back from a server that holds it."""
    kind = type_number(record.type)
    values = sorted(_read_back(kind, rdata_of(record.type, each)) for each in record.values)
    return RecordSet(record.name.lower(), record.type, record.ttl_seconds, tuple(values))


def _read_back(kind: int, rdata: bytes) -> str:
    return Reader(rdata).value(kind, 0, len(rdata))


def missing(update: ZoneUpdate, records: Iterable[RecordSet], timers: Timers) -> tuple[str, ...]:
    """The keys of what an update was to do and is not so, after it."""
    wanted = {record.key: as_served(record) for record in update.put}
    gone = set(update.remove) - wanted.keys()
    looked_at = wanted.keys() | gone
    found = {record.key: record for record in records if record.key in looked_at}
    wrong = [key for key, record in wanted.items() if found.get(key) != record]
    wrong += sorted(gone & found.keys())
    if update.timers is not None and update.timers != timers:
        wrong.append(f"{APEX}/SOA")
    return tuple(wrong)


def soa_with(timers: Timers, serial: int, ttl_seconds: int) -> Soa:
    """A SOA record.

    Raises:
        Refused: a name in it is none.
    """
    numbers = (
        serial,
        timers.refresh_seconds,
        timers.retry_seconds,
        timers.expire_seconds,
        timers.negative_ttl_seconds,
    )
    try:
        names = wire_name(timers.primary) + wire_name(timers.contact)
        wire = names + struct.pack("!5I", *numbers)
    except (ValueError, struct.error) as error:
        raise Refused(f"the SOA record cannot be made: {error}") from None
    return Soa(wire, ttl_seconds, serial, timers)


def next_serial(serial: int, serials: str, now: datetime) -> int:
    """The serial after this one, never going back (RFC 1982): one more, or the date if greater."""
    after = serial % LARGEST_SERIAL + 1
    if serials != "date":
        return after
    today = int(f"{now:%Y%m%d}00")
    return today if today <= LARGEST_SERIAL and is_after(today, serial) else after


def is_after(serial: int, other: int) -> bool:
    """Whether a serial is greater than another (RFC 1982 §3.2)."""
    return 0 < (serial - other) % 2**32 < 2**31
