"""What the hand-written records of a zone must not be, as far as its document alone tells."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from reconciler.config.naming import Scheme
from reconciler.config.records import Https, Mx, Ns, Srv, Svcb, Value, canonical, parse
from reconciler.config.records.names import LONGEST_NAME
from reconciler.config.repository import Documents
from reconciler.config.zones import RecordField, Zone
from reconciler.model.position import Position, Problem

RESERVED = "_reconciler"
APEX, WILDCARD = "@", "*"
_HOST = re.compile(
    r"(?:\*|@|[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*"
)
# Names that BIND takes for addresses although no host is called so: of directories, and of SPF.
_NO_HOST_EITHER = re.compile(r"gc\._msdcs(?:\..*)?|(?:.*\.)?_spf(?:_verify|_rate)?(?:\..*)?")
_HOST_TARGET = re.compile(
    r"\.|[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*\."
)
_OWNERS = {
    "SRV": (
        re.compile(r"_[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\._[a-z]{2,10}(?:\..*)?"),
        "_service._protocol, such as _sip._tcp",
    ),
    "TLSA": (
        re.compile(r"(?:\*|_(?:0|[1-9][0-9]{0,4}))\._(?:tcp|udp|sctp)(?:\..*)?"),
        "_port._protocol and the host, such as _443._tcp.www",
    ),
}
_HOSTS_ONLY = frozenset({"A", "AAAA", "MX"})
_TO_HOSTS = frozenset({"MX", "NS", "SRV", "HTTPS", "SVCB"})
# What names hold as it is; any other letter is a slip, unless its escape says that it is meant.
_NAMED = frozenset({"CNAME", "PTR"})
_ODD = re.compile(r"(?:^|(?<=\.))-|[^A-Za-z0-9_.@*\\-]")


@dataclass(frozen=True, slots=True)
class Place:
    """A hand-written record, and where its document has it."""

    record: RecordField
    path: tuple[str, ...]

    def position(self, documents: Documents, zone: Zone, *more: str) -> Position:
        """Where it, or a part of it, was written."""
        return documents.position("Zone", zone.name, *self.path, *more)


def places(zone: Zone) -> tuple[Place, ...]:
    """All hand-written records; of two of one name and type the second goes by its number."""
    seen: set[str] = set()
    found = []
    for index, record in enumerate(zone.records):
        key = f"{record.name}/{record.type}"
        found.append(Place(record, ("records", str(index) if key in seen else key)))
        seen.add(key)
    return tuple(found)


def record_problems(documents: Documents, zone: Zone) -> Iterator[Problem]:
    """Everything that is wrong with the hand-written records of a zone."""
    scheme = Scheme.of(zone.naming.patterns)
    every = places(zone)
    yield from _clashes(documents, zone, every)
    for place in every:
        for what, remedy in (*_name_faults(zone, place.record, scheme), *_faults(place.record)):
            yield Problem(place.position(documents, zone), what, remedy)
        yield from _value_problems(documents, zone, place)


def _clashes(documents: Documents, zone: Zone, every: tuple[Place, ...]) -> Iterator[Problem]:
    """Two records of one name and type, and what stands beside a CNAME."""
    of_key: dict[tuple[str, str], Place] = {}
    of_name: dict[str, list[Place]] = {}
    for place in every:
        record = place.record
        others = of_name.setdefault(record.name, [])
        same = of_key.setdefault((record.name, record.type), place)
        aliases = [each for each in others if "CNAME" in {record.type, each.record.type}]
        if same is not place:
            there = same.position(documents, zone)
            what = f"{record.name} {record.type} is there twice in zone {zone.name}"
            remedy = f"write all values into one record, the other is at {there}"
            yield Problem(place.position(documents, zone), what, remedy)
        elif aliases:
            there = aliases[0].position(documents, zone)
            what = f"{record.name} has a CNAME and other records, which DNS does not allow"
            remedy = f"keep one of them; the other is at {there}"
            yield Problem(place.position(documents, zone), what, remedy)
        others.append(place)


def _name_faults(zone: Zone, record: RecordField, scheme: Scheme) -> Iterator[tuple[str, str]]:
    """What is wrong with the name, whatever the record says; and what to do."""
    name, origin = record.name, zone.zone_name
    if name != APEX and len(name) + len(origin) + 3 > LONGEST_NAME:
        what = f"{name[:40]}… is longer than {LONGEST_NAME} bytes with {origin} behind it"
        yield what, "choose a shorter name"
    if name == origin or name.endswith(f".{origin}"):
        meant = name.removesuffix(origin).removesuffix(".") or APEX
        yield f"{name} would be {name}.{origin}", f"names are inside the zone: write {meant}"
    if RESERVED in name.split("."):
        yield f"the name {RESERVED} is kept for ownership", "rename it"
    if patterns := scheme.broken_by(name):
        yield f"{name} must look like {' or '.join(patterns)}", "rename it (`naming.patterns`)"
    if name != APEX and zone.updated_by == "dhcp":
        what = f"{name} is in zone {zone.name}, whose names come from DHCP"
        yield what, "write it into another zone; only records of @ are written by hand here"


def _faults(record: RecordField) -> Iterator[tuple[str, str]]:
    """What is wrong with a record of this type at this name, and what to do."""
    name, kind = record.name, record.type
    if name == APEX and kind in {"CNAME", "NS"}:
        what = f"the zone itself cannot have a {kind} written by hand"
        yield what, "use `nameservers` for NS, an address for a CNAME"
    if kind == "CNAME" and len(record.values) > 1:
        yield f"{name} has several CNAMEs", "keep one of them"
    if kind == "NS" and name.startswith(WILDCARD):
        yield f"{name} delegates every name there is, which no server does", "name what is meant"
    if kind in _OWNERS and not _OWNERS[kind][0].fullmatch(name):
        yield f"{name} is no name for a {kind} record", f"write {_OWNERS[kind][1]}"
    if kind in _HOSTS_ONLY and not _HOST.fullmatch(name) and not _NO_HOST_EITHER.fullmatch(name):
        what = f"{name} is no name of a host, which a record of type {kind} needs"
        yield what, "use only a-z, 0-9 and -, with no - at either end of a label"


def _value_problems(documents: Documents, zone: Zone, place: Place) -> Iterator[Problem]:
    record, seen = place.record, set[str]()
    for index, text in enumerate(record.values):
        fault, remedy = "", "write it as in a zone file"
        odd = _ODD.search(text) if record.type in _NAMED else None
        try:
            value = canonical(record.type, text, zone.zone_name)
        except ValueError as error:
            value, fault = text, str(error)
        else:
            if record.type in _TO_HOSTS:
                fault, remedy = _target_fault(parse(record.type, value)), "name a host"
            elif odd:
                fault = f"{odd[0]!r} stands in a name"
                remedy = f"leave it out, or write \\{ord(odd[0]):03} if it is meant"
            if value in seen:
                fault, remedy = f"{value[:40]} is there twice", "remove one of them"
        seen.add(value)
        if fault:
            position = place.position(documents, zone, "values", str(index))
            yield Problem(position, f"{record.name} {record.type}: {fault}", remedy)


def _target_fault(value: Value) -> str:
    """What servers have against the name of a host; an alias may have any name."""
    match value:
        case Mx(exchange=name) | Ns(target=name) | Srv(target=name):
            is_host = bool(_HOST_TARGET.fullmatch(name))
        case Svcb(priority=priority, target=name) | Https(priority=priority, target=name):
            is_host = priority == 0 or bool(_HOST_TARGET.fullmatch(name))
        case _:
            return ""
    return "" if is_host else f"{name} is no name of a host: only a-z, 0-9 and - are in one"
