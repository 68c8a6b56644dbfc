"""A zone as a file on its server: what it is called, and its text (RFC 1035 §5)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from reconciler.drivers.dns.updates import as_served, parsed, soa_with
from reconciler.drivers.refusal import Refused
from reconciler.ports.nameserver import NewZone, RecordSet

APEX = "@"
ENDING = ".db"
LONGEST_FILE_NAME = 240
_ODD = re.compile(r"[^a-z0-9._-]")
_ESCAPE = re.compile(r"=([0-9A-F]{2})")


def file_name(zone: str) -> str:
    """What the file of a zone is called: what is no plain letter is written as its number.

    Raises:
        Refused: the name is too long for that.
    """
    name = _ODD.sub(lambda match: "".join(f"={byte:02X}" for byte in match[0].encode()), zone)
    if name.startswith(("-", ".")):
        name = f"={ord(name[0]):02X}{name[1:]}"
    if len(name) > LONGEST_FILE_NAME:
        raise Refused(f"{zone[:80]}… has too many odd letters to be the name of a file")
    return name + ENDING


def zone_of(file: str) -> str | None:
    """The zone whose file is called so; None if it is no such file."""
    if not file.endswith(ENDING):
        return None
    name = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), file.removesuffix(ENDING))
    return name if name and file_name(name) == file else None


def zone_text(zone: NewZone) -> bytes:
    """The text of a new zone; each value is read and written anew, so that it is nothing else.

    Raises:
        Refused: a value is none.
    """
    return "".join(f"{line}\n" for line in _lines(zone)).encode("ascii")


def _lines(zone: NewZone) -> Iterator[str]:
    ttl = zone.timers.negative_ttl_seconds
    soa = soa_with(zone.timers, zone.serial, ttl)
    timers, numbers = zone.timers, " ".join(str(number) for number in _numbers(zone))
    value = parsed("SOA", f"{timers.primary} {timers.contact} {numbers}")
    if value.to_wire() != soa.wire:
        raise Refused("the SOA record is not what was meant")
    yield f"{zone.name}. {ttl} IN SOA {value.to_text()}"
    for record in zone.records:
        yield from _record_lines(zone.name, record)


def _numbers(zone: NewZone) -> tuple[int, ...]:
    timers = zone.timers
    return (
        zone.serial,
        timers.refresh_seconds,
        timers.retry_seconds,
        timers.expire_seconds,
        timers.negative_ttl_seconds,
    )


def _record_lines(zone: str, record: RecordSet) -> Iterator[str]:
    owner = f"{zone}." if record.name == APEX else f"{record.name}.{zone}."
    for value in as_served(record).values:
        text = parsed(record.type, value).to_text()
        yield f"{owner} {record.ttl_seconds} IN {record.type} {text}"
