"""S11: what a document says of a zone is what a zone file of it says, and nothing else.

Each payload stands where a person can write: as a name, as a value of each type, in what names the
servers. Either the document is refused, or dnspython reads exactly the wanted records back.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import dns.name
import dns.zone
import pytest

from reconciler.config.records import RECORD_TYPES
from reconciler.errors import ConfigError
from reconciler.kinds.zone import ZoneSpec
from reconciler.render.names.zones import zone_resources
from tests.farms.repository import FARM, documents

FILE = "environments/production/zone.yaml"
PAYLOADS = [
    "x\n$INCLUDE /etc/passwd",
    "$INCLUDE /etc/passwd",
    "$GENERATE 1-9 a$ A 192.0.2.$",
    "$ORIGIN other.example.",
    "$TTL 1",
    "; comment",
    "x ; comment",
    "x\\; comment",
    "( x",
    "x )",
    "(\n)",
    "x\r\ny A 192.0.2.66",
    "x\ty",
    "x\x00y",
    "x\x0by",
    "\u2028x",
    "ｘ",
    '"',
    '"x',
    'x"',
    '"x" "y',
    'x" 300 IN A 192.0.2.66 "',
    '"x\n@ NS evil.example."',
    "x\\",
    "\\",
    "\\0",
    "\\300",
    "\\010$INCLUDE",
    "\\\n",
    "@",
    "*",
    "*.x",
    "x.*",
    ".",
    "..",
    "x..y",
    "evil.example.",
    "www.evil.example.",
    "www\\.evil\\.example",
    "_reconciler",
    "production._reconciler",
    "a" * 64,
    ".".join(["a" * 63] * 5),
    "\\# 4 c0000242",
    "TYPE1 \\# 4 c0000242",
    "300 IN A 192.0.2.66",
    "",
    " ",
]
HEADS = {  # what makes a payload the last part of a value
    "A": [""],
    "AAAA": [""],
    "CAA": ["0 issue ", "0 ", ""],
    "CNAME": [""],
    "HTTPS": ["1 ", "1 . alpn=", "1 . key65000=", "1 . ", "0 "],
    "MX": ["10 ", ""],
    "NAPTR": ['1 1 "u" "x" "!^.*$!x!" ', '1 1 "u" "x" ', "1 1 "],
    "NS": [""],
    "PTR": [""],
    "SRV": ["0 0 443 ", "0 0 "],
    "SSHFP": ["1 1 ", ""],
    "SVCB": ["1 ", "1 . mandatory=", "1 . dohpath="],
    "TLSA": ["3 1 1 ", "3 "],
    "TXT": ["", '"x" '],
}
OWNERS = {"SRV": "_x._tcp", "TLSA": "_443._tcp"}


def zones_of(text: str) -> Iterator[ZoneSpec]:
    """What is rendered from the farm with this zone document; nothing if it is refused."""
    try:
        desired = tuple(zone_resources(documents({FILE: text})))
    except ConfigError:
        return
    for each in desired:
        yield each.spec


def with_record(name: str, kind: str, value: str) -> str:
    fields = json.dumps({"name": name, "type": kind, "values": [value]})
    return f"{FARM[FILE]}  - {fields}\n"


def check_reads_back(spec: ZoneSpec) -> None:
    """The zone file of the wanted records holds them and nothing else."""
    lines = [f"@ 300 IN SOA {spec.name}. x. 1 2 3 4 5"]
    for record in spec.records:
        lines += [f"{record.name} {record.ttl_seconds} IN {record.type} {v}" for v in record.values]
    assert all(line.isascii() and line.isprintable() for line in lines)
    zone = dns.zone.from_text("\n".join(lines), origin=f"{spec.name}.", relativize=False)
    origin = dns.name.from_text(spec.name)
    assert all(name.is_subdomain(origin) for name in zone)
    read = sorted(
        (str(name.relativize(origin)), data.rdtype.name, text_of(data))
        for name, _, data in zone.iterate_rdatas()
        if data.rdtype.name != "SOA"
    )
    assert read == sorted((r.name, r.type, value) for r in spec.records for value in r.values)


def text_of(data: dns.rdata.Rdata) -> str:
    if data.rdtype.name in {"SSHFP", "TLSA"}:
        return str(data.to_text(chunksize=0))
    return str(data.to_text())


def test_every_type_has_its_payloads() -> None:
    assert set(HEADS) == set(RECORD_TYPES)


@pytest.mark.parametrize("payload", PAYLOADS)
@pytest.mark.parametrize("kind", RECORD_TYPES)
def test_a_hostile_value_is_refused_or_is_one_record(kind: str, payload: str) -> None:
    for head in HEADS[kind]:
        for spec in zones_of(with_record(OWNERS.get(kind, "hostile"), kind, head + payload)):
            check_reads_back(spec)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_hostile_name_is_refused_or_is_that_name(payload: str) -> None:
    for spec in zones_of(with_record(payload, "TXT", "x")):
        check_reads_back(spec)
        assert spec.name != "farm.internal" or payload in {each.name for each in spec.records}


@pytest.mark.parametrize("payload", PAYLOADS)
@pytest.mark.parametrize("key", ["primary", "nameservers", "origin", "server", "reverse"])
def test_a_hostile_field_is_refused_or_gives_a_right_zone(key: str, payload: str) -> None:
    lines = [line for line in FARM[FILE].splitlines() if not line.startswith(f"{key}:")]
    value = json.dumps([payload] if key in {"nameservers", "reverse"} else payload)
    for spec in zones_of("\n".join([*lines, f"{key}: {value}", ""])):
        check_reads_back(spec)


def test_a_name_outside_of_the_zone_is_refused() -> None:
    for name in ("www.evil.example.", "evil.example.", "www.farm.internal", "farm.internal"):
        assert list(zones_of(with_record(name, "A", "192.0.2.1"))) == []


def test_what_is_right_is_not_refused() -> None:
    specs = list(zones_of(with_record("hostile", "TXT", "x ; (y) $z")))
    assert [spec.name for spec in specs] == ["farm.internal", "1.168.192.in-addr.arpa"]
    (record,) = [each for each in specs[0].records if each.name == "hostile"]
    assert record.values == ('"x ; (y) $z"',)
