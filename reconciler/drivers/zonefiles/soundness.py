"""What makes records no zone, although each can be read: as BIND's own checker says it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import dns.rdata
from dns.dnssec import key_id
from dns.rdtypes.ANY.DNSKEY import DNSKEY

from reconciler.model.position import Position, Problem
from reconciler.ports.nameserver import Timers

APEX = "@"
SINGLE = frozenset({"CNAME", "DNAME"})
_BESIDE_CNAME = frozenset({"CNAME", "KEY", "NSEC", "RRSIG", "SIG", "NXT"})
_HOST = re.compile(r"\A(?:\*\.)?(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+\Z")
_HASH = re.compile(r"\A[0-9a-v]+(?:\.|\Z)")
_DISCOVERY = re.compile(r"\A(?:b|db|r|dr|lb)\._dns-sd\._udp(?:\.|\Z)")
_ARPA = re.compile(r"(?:\A|\.)(?:in-addr|ip6)\.arpa\Z")
_NO_KEY = {"CDS": "0 0 0 00", "CDNSKEY": "0 3 0 AA=="}  # "delete what the parent has"


@dataclass(frozen=True, slots=True)
class Record:
    """One record as it stands in a file. `name` is relative to the zone."""

    name: str
    type: str
    ttl_seconds: int
    value: str
    position: Position


@dataclass(frozen=True, slots=True)
class Soa:
    """A SOA record as it stands in a file."""

    is_apex: bool
    serial: int
    timers: Timers
    position: Position


def unsound(
    zone: str, soas: Sequence[Soa], records: Sequence[Record], file: str
) -> Iterator[Problem]:
    """All that is wrong with the records together."""
    if not soas:
        yield Problem(Position(file), f"zone {zone} has no SOA record")
    for soa in soas[1:]:
        yield Problem(soa.position, f"a second SOA record; the first is at {soas[0].position}")
    if soas and not soas[0].is_apex:
        yield Problem(soas[0].position, f"the SOA record does not belong to {zone}")
    if not any((each.name, each.type) == (APEX, "NS") for each in records):
        yield Problem(Position(file), f"zone {zone} has no NS record of its own")
    yield from _homeless(zone, records)
    yield from _clashes(records)
    yield from _keys(records)
    for record in records:
        if why := _why_not(zone, record):
            yield Problem(record.position, why)


def _homeless(zone: str, records: Iterable[Record]) -> Iterator[Problem]:
    """Servers of the zone, inside it, without an address there."""
    records = tuple(records)
    homes = {each.name for each in records if each.type in {"A", "AAAA"}}
    cuts = {each.name for each in records if each.type == "NS"} - {APEX}
    for record in records:
        if (record.name, record.type) != (APEX, "NS"):
            continue
        name = APEX if record.value == f"{zone}." else record.value.removesuffix(f".{zone}.")
        if name == record.value or name in homes:
            continue
        if not any(name.endswith(f".{cut}") for cut in cuts):
            what = f"name server {record.value} has no address in the zone"
            yield Problem(record.position, what)


def _clashes(records: Iterable[Record]) -> Iterator[Problem]:
    """Records that cannot be at one name."""
    by_name: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        by_name[record.name].append(record)
    for name, here in by_name.items():
        types = {each.type: each for each in reversed(here)}
        for kind in sorted(SINGLE & types.keys()):
            values = {each.value for each in here if each.type == kind}
            if len(values) > 1:
                yield Problem(types[kind].position, f"{name} has {len(values)} {kind} records")
        if "CNAME" in types and (others := sorted(types.keys() - _BESIDE_CNAME)):
            where = types[others[0]].position
            what = f"{name} has a CNAME and other data: {', '.join(others)} at {where}"
            yield Problem(types["CNAME"].position, what)


def _keys(records: Iterable[Record]) -> Iterator[Problem]:
    """What tells the parent of keys must tell of keys that are there."""
    apex = [each for each in records if each.name == APEX]
    keys = [each.value for each in apex if each.type == "DNSKEY"]
    known = {"CDNSKEY": set(keys), "CDS": {_tag(key) for key in keys}}
    for record in apex:
        if record.type not in known or record.value == _NO_KEY[record.type]:
            continue
        said = record.value if record.type == "CDNSKEY" else " ".join(record.value.split()[:2])
        if said not in known[record.type]:
            yield Problem(record.position, f"the {record.type} record is of no DNSKEY of the zone")


def _tag(key: str) -> str:
    """The tag and the algorithm of a DNSKEY, as they begin a CDS record."""
    read = dns.rdata.from_text("IN", "DNSKEY", key)
    return f"{key_id(read)} {int(read.algorithm)}" if isinstance(read, DNSKEY) else ""


def _why_not(zone: str, record: Record) -> str | None:
    """Why a record cannot be at its name, or point where it does."""
    name = zone if record.name == APEX else f"{record.name}.{zone}"
    if record.type == "DS" and record.name == APEX:
        return "a DS record belongs to the parent of a zone"
    if record.type == "NSEC3" and not _HASH.match(name):
        return f"{name} is no hash that an NSEC3 record could belong to"
    if record.type in {"SVCB", "HTTPS"}:
        priority, target, *_ = record.value.split(" ")
        if priority != "0" and target != "." and not _HOST.match(target):
            return f"{target} is no name of a host"
    if record.type == "PTR" and _ARPA.search(name) and not _DISCOVERY.match(record.name):
        return None if _HOST.match(record.value) else f"{record.value} is no name of a host"
    return None
