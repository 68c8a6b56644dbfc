"""A zone of any size, as each tool wants it written, and as the name server reads it first."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

TTL_SECONDS = 3600
EVERY = 20  # of so many records 14 are A, 3 AAAA, 2 CNAME and 1 TXT
AAAA_FROM, CNAME_FROM, TXT_FROM = 14, 17, 19
CHANGED_EVERY = 100  # one in a hundred
SERVER = "ns"


@dataclass(frozen=True, slots=True)
class Record:
    """One record of the zone. `value` is relative to the zone where it is a name."""

    name: str
    type: str
    value: str


def records(count: int, edition: int = 0) -> Iterator[Record]:
    """So many records; of each edition one in a hundred is another."""
    for number in range(count):
        name, place = f"h{number:06d}", number % EVERY
        new = edition if number % CHANGED_EVERY == 0 else 0
        if place < AAAA_FROM:
            address = f"10.{new % 200}.{number // 250 % 250}.{number % 250}"
            yield Record(name, "A", f"{address}")
        elif place < CNAME_FROM:
            yield Record(
                name, "AAAA", f"2001:db8::{number // 50_000 + 1:x}:{number % 50_000 + 1:x}"
            )
        elif place < TXT_FROM:
            yield Record(name, "CNAME", "h000000")
        else:
            yield Record(name, "TXT", f"machine {number}")


def zone_file(zone: str, count: int, address: str) -> Iterator[str]:
    """The lines that the name server reads first."""
    soa = f"{SERVER}.{zone}. hostmaster.{zone}. 1 10800 1800 1209600 1800"
    yield f"$ORIGIN {zone}.\n$TTL {TTL_SECONDS}\n@ IN SOA {soa}\n@ NS {SERVER}\n"
    yield f"{SERVER} A {address}\n"
    for each in records(count):
        value = f'"{each.value}"' if each.type == "TXT" else each.value
        yield f"{each.name} {each.type} {value}\n"


def ours(zone: str, count: int, address: str, edition: int = 0) -> Iterator[str]:
    """The Zone document."""
    yield f"kind: Zone\nname: {zone}\nserver: ns\nprimary: {SERVER}\nnameservers: [{SERVER}]\n"
    yield f"contact: hostmaster@{zone}\nrecords:\n"
    yield f"  - {{name: {SERVER}, type: A, values: [{address}]}}\n"
    for each in records(count, edition):
        yield f"  - {{name: {each.name}, type: {each.type}, values: ['{each.value}']}}\n"


def theirs(zone: str, count: int, address: str, edition: int = 0) -> Iterator[str]:
    """The YAML of octoDNS."""
    yield f"'':\n  type: NS\n  ttl: {TTL_SECONDS}\n  values: [{SERVER}.{zone}.]\n"
    for each in records(count, edition):
        value = f"{each.value}.{zone}." if each.type == "CNAME" else each.value
        yield f"{each.name}:\n  type: {each.type}\n  ttl: {TTL_SECONDS}\n  value: '{value}'\n"
    yield f"{SERVER}:\n  type: A\n  ttl: {TTL_SECONDS}\n  value: {address}\n"


def written(path: Path, lines: Iterator[str]) -> None:
    """Write a file, with the directories it is in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        file.writelines(lines)


def quoted(text: str) -> str:
    """A text as YAML and JSON quote it."""
    return json.dumps(text)
