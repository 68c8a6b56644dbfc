"""What makes a zone that a server would load, in words: checked before anything is sent.

A server drops some contradictions silently and refuses others with a bare code.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from ipaddress import IPv4Address, IPv6Address

from reconciler.ports.nameserver import RecordSet

APEX = "@"
LARGEST_SERIAL = 2**32 - 1
LONGEST_TTL = 2**31 - 1
LONGEST_NAME = 253
_LABEL = re.compile(r"\A[^\x00-\x20\"$().;\\\x7f-\U0010ffff]{1,63}\Z")  # needs no escape in text
_ZONE_LABEL = re.compile(r"\A[a-z0-9_](?:[a-z0-9_/-]{0,61}[a-z0-9_])?\Z")
_TYPE = re.compile(r"\A[A-Z][A-Z0-9]{0,31}\Z")
_TARGETS = frozenset({"CNAME", "NS", "PTR", "MX", "SRV", "DNAME"})
ADDRESSES: Mapping[str, Callable[[str], object]] = {"A": IPv4Address, "AAAA": IPv6Address}


def zone_complaints(name: str, serial: int) -> Iterator[str]:
    """Why this cannot be the name and the first serial of a zone."""
    if len(name) > LONGEST_NAME or not all(_ZONE_LABEL.match(each) for each in name.split(".")):
        yield f"{name[:80]!r} cannot be the name of a zone"
    if not 0 < serial <= LARGEST_SERIAL:
        yield f"{serial} cannot be a serial"


def contradictions(zone: str, records: Iterable[RecordSet]) -> Iterator[str]:
    """Why these record sets, which are all that their names have, cannot be in one zone."""
    types: dict[str, list[str]] = defaultdict(list)
    for record in records:
        types[record.name.lower()].append(record.type)
        yield from unsound(zone, record)
    for name, found in types.items():
        if len(set(found)) != len(found):
            yield f"{name} has two sets of one type"
        if "CNAME" in found and len(found) > 1:
            yield f"{name} has a CNAME beside other records"


def unsound(zone: str, record: RecordSet) -> Iterator[str]:
    """Why this cannot be a record set of the zone."""
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


def without_nameserver(zone: str, records: Iterable[RecordSet]) -> Iterator[str]:
    """That the zone would have no name server."""
    if not any(record.name == APEX and record.type == "NS" for record in records):
        yield f"zone {zone} would have no NS record at its apex"


def homeless_nameservers(zone: str, records: Iterable[RecordSet]) -> Iterator[str]:
    """Name servers in the zone that have no address in it: no server would load that."""
    found = tuple(records)
    homes = {record.name for record in found if record.type in ADDRESSES}
    for record in found:
        if record.key != f"{APEX}/NS":
            continue
        for target in record.values:
            name = target.removesuffix(f".{zone}.")
            if name != target and name not in homes:
                yield f"name server {target} has no address in the zone"


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
        ADDRESSES.get(record.type, str)(value)
    except ValueError:
        return True
    return False
