"""What a zone's hand-written records must not be, as far as the documents alone tell."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from ipaddress import IPv4Address, IPv6Address

from reconciler.config.fields import TARGET
from reconciler.config.names import Names, unknown
from reconciler.config.repository import Documents
from reconciler.config.zones import RecordField, Zone
from reconciler.model.position import Position, Problem

RESERVED = "_reconciler"
_TARGET = re.compile(rf"\A{TARGET.removeprefix('^').removesuffix('$')}\Z", re.IGNORECASE)
_QUOTED = re.compile(r'\A"(?:[^"\\]|\\.){0,255}"(?: +"(?:[^"\\]|\\.){0,255}")*\Z')
_CAA_TAG = re.compile(r"\A[a-z0-9]{1,15}\Z")
_LONGEST_NUMBER = 5
_FORMS: Mapping[str, tuple[str, ...]] = {
    "A": ("an IPv4 address",),
    "AAAA": ("an IPv6 address",),
    "CNAME": ("a name",),
    "NS": ("a name",),
    "PTR": ("a name",),
    "MX": ("a number", "a name"),
    "SRV": ("a number", "a number", "a number", "a name"),
    "CAA": ("a number", "a tag", "a value"),
}


def zone_problems(documents: Documents, names: Names) -> Iterator[Problem]:
    """Everything that is wrong with the zones."""
    for zone in documents.zones.values():
        yield from _references(documents, zone, names)
        yield from _record_sets(documents, zone)
        for record in zone.records:
            position = _position(documents, zone, record)
            for value in record.values:
                yield from _value_problems(record, value, position)


def _references(documents: Documents, zone: Zone, names: Names) -> Iterator[Problem]:
    position = documents.position("Zone", zone.name, "reverse")
    for name in zone.reverse:
        if names.lack("Network", name):
            yield unknown(position, "network", name, names.of("Network"))


def _record_sets(documents: Documents, zone: Zone) -> Iterator[Problem]:
    kinds: dict[str, list[str]] = {}
    for record in zone.records:
        position = _position(documents, zone, record)
        before = kinds.setdefault(record.name, [])
        if record.type in before:
            what = f"{record.name} {record.type} is there twice in zone {zone.name}"
            yield Problem(position, what, "write all values into one record")
        elif before and "CNAME" in {record.type, *before}:
            what = f"{record.name} has a CNAME and other records, which DNS does not allow"
            yield Problem(position, what, "keep one of them")
        if record.name == "@" and record.type in {"CNAME", "NS"}:
            what = f"the zone itself cannot have a {record.type} written by hand"
            yield Problem(position, what, "use `nameservers` for NS, an address for a CNAME")
        if record.name.split(".")[-1] == RESERVED:
            yield Problem(position, f"the name {RESERVED} is kept for ownership", "rename it")
        if record.type == "CNAME" and len(record.values) > 1:
            yield Problem(position, f"{record.name} has several CNAMEs", "keep one of them")
        before.append(record.type)


def _value_problems(record: RecordField, value: str, position: Position) -> Iterator[Problem]:
    if record.type == "TXT":
        if value.startswith('"') and _QUOTED.match(value) is None:
            what = f"the quotes of {value[:40]} do not match"
            yield Problem(position, what, "write the text without quotes; they are added")
        return
    form = _FORMS[record.type]
    parts = value.split(maxsplit=len(form) - 1)
    if len(parts) != len(form) or not all(map(_fits, form, parts)):
        what = f"{value[:40]!r} is no {record.type} value, which is {', then '.join(form)}"
        yield Problem(position, what, "write it as in a zone file")


def _fits(form: str, part: str) -> bool:
    if form == "a number":
        return part.isascii() and part.isdigit() and len(part) <= _LONGEST_NUMBER
    if form == "a name":
        return _TARGET.match(part) is not None
    if form == "a tag":
        return _CAA_TAG.match(part) is not None
    if form == "a value":
        return _QUOTED.match(part) is not None
    family = IPv4Address if form == "an IPv4 address" else IPv6Address
    try:
        family(part)
    except ValueError:
        return False
    return "%" not in part


def _position(documents: Documents, zone: Zone, record: RecordField) -> Position:
    return documents.position("Zone", zone.name, "records", f"{record.name}/{record.type}")
