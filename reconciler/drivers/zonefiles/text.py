"""A zone as a file that name servers read (RFC 1035 §5): one line for each record."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from pydantic import TypeAdapter, ValidationError

from reconciler.config.records import RECORD_TYPES, canonical
from reconciler.ports.nameserver import RecordSet, Rules, ZoneState

HEADER = "; Written by reconciler; what is changed here by hand is undone.\n"
_RULES = re.compile(r"^; rules: (\{[ -~]*\})$", re.MULTILINE)
_ADAPTER = TypeAdapter(Rules)
_UNQUOTED = re.compile(r'"(?:[^"\\]|\\.)*"|\\.')
_TYPE = re.compile(r"\A[A-Z][A-Z0-9]{0,31}\Z")


def zone_text(zone: ZoneState) -> str:
    """The file of a zone, in plain ASCII. Its rules are kept in a comment, for us to keep.

    Raises:
        ValueError: a value cannot be written as it is; all of them are named.
    """
    if reasons := list(unwritable(zone.name, zone.records)):
        raise ValueError("; ".join(reasons))
    timers = zone.timers
    numbers = (
        zone.serial,
        timers.refresh_seconds,
        timers.retry_seconds,
        timers.expire_seconds,
        timers.negative_ttl_seconds,
    )
    head = f"@ {timers.negative_ttl_seconds} IN SOA {timers.primary} {timers.contact}"
    rules = _ADAPTER.dump_json(zone.rules or Rules()).decode()
    lines = [f"{HEADER}; rules: {rules}\n$ORIGIN {zone.name}.\n"]
    lines.append(f"{head} {' '.join(map(str, numbers))}\n")
    for record in zone.records:
        begin = f"{record.name} {record.ttl_seconds} IN {record.type} "
        lines += [f"{begin}{value}\n" for value in record.values]
    return "".join(lines)


def rules_of(text: str) -> Rules:
    """The rules of a file; what nobody understands lets nobody in."""
    match = _RULES.search(text)
    try:
        return _ADAPTER.validate_json(match[1]) if match else Rules()
    except ValidationError:
        return Rules()


def unwritable(zone: str, records: Iterable[RecordSet]) -> Iterator[str]:
    """Values that would be read as something else, or as more than one record."""
    for record in records:
        for value in record.values:
            if why := _why_not(zone, record, value):
                yield f"{record.key} cannot be {value[:80]!r}: {why}"


def _why_not(zone: str, record: RecordSet, value: str) -> str | None:
    if not _TYPE.match(record.type):
        return "that is no type"
    if not value.isascii() or not value.isprintable() or value != value.strip():
        return "it is not plain text on one line"
    if record.type in RECORD_TYPES:
        try:
            form = canonical(record.type, value, zone)
        except ValueError as error:
            return str(error)
        return None if form == value else f"it would be read as {form[:80]}"
    bare = _UNQUOTED.sub("", value)
    return "it holds a quote, bracket or comment" if set(bare) & set('";()') else None
