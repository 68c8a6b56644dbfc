"""What a zone's hand-written records must not be, as far as the documents alone tell."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address

from reconciler.config.documents import RecordField, Zone
from reconciler.config.repository import Documents
from reconciler.model.position import Position, Problem

WORDS = {"MX": 2, "SRV": 4, "CNAME": 1, "NS": 1, "PTR": 1, "CAA": 3}


def zone_problems(documents: Documents) -> Iterator[Problem]:
    """Everything that is wrong with the zones."""
    for zone in documents.zones.values():
        yield from _references(documents, zone)
        yield from _record_sets(documents, zone)
        for record in zone.records:
            position = _position(documents, zone, record)
            for value in record.values:
                yield from _value_problems(record, value, position)


def _references(documents: Documents, zone: Zone) -> Iterator[Problem]:
    for name in zone.reverse:
        if name not in documents.networks:
            position = documents.position("Zone", zone.name, "reverse")
            yield Problem(position, f"there is no network {name}", "name one of the networks")


def _record_sets(documents: Documents, zone: Zone) -> Iterator[Problem]:
    kinds: dict[str, list[str]] = {}
    for record in zone.records:
        position = _position(documents, zone, record)
        before = kinds.setdefault(record.name, [])
        if record.type in before:
            what = f"zone {zone.name} has {record.name} {record.type} twice"
            yield Problem(position, what, "write all values into one record")
        elif before and "CNAME" in {record.type, *before}:
            what = f"{record.name} has a CNAME and other records, which DNS does not allow"
            yield Problem(position, what, "keep one of them")
        if record.name == "@" and record.type in {"CNAME", "NS"}:
            what = f"the zone itself cannot have a {record.type} written by hand"
            yield Problem(position, what, "use `nameservers` for NS, an address for a CNAME")
        if record.name.split(".")[-1] == "_reconciler":
            yield Problem(position, "the name _reconciler is kept for ownership", "rename it")
        before.append(record.type)


def _value_problems(record: RecordField, value: str, position: Position) -> Iterator[Problem]:
    if record.type in {"A", "AAAA"}:
        family = IPv4Address if record.type == "A" else IPv6Address
        try:
            family(value)
        except ValueError:
            what = f"{value!r} is no address for {record.type}"
            yield Problem(position, what, "write an address of that family")
    elif record.type in WORDS and len(value.split()) != WORDS[record.type]:
        what = f"a {record.type} value has {WORDS[record.type]} parts, {value!r} has not"
        yield Problem(position, what, "write it as in a zone file")


def _position(documents: Documents, zone: Zone, record: RecordField) -> Position:
    return documents.position("Zone", zone.name, "records", f"{record.name}/{record.type}")
