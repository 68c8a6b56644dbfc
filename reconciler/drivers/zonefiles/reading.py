"""A zone file as the zone it means, or everything that is wrong with it.

Each entry is read by itself, so that one that is wrong hides no other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from reconciler.config.records import absolute
from reconciler.drivers.zonefiles.entries import Entry, Unreadable, entries
from reconciler.drivers.zonefiles.generate import MOST, filled, numbers
from reconciler.drivers.zonefiles.rdata import check_type, value_of
from reconciler.drivers.zonefiles.soundness import Record, Soa, unsound
from reconciler.errors import ConfigError
from reconciler.model.position import Position, Problem
from reconciler.ports.nameserver import RecordSet, Timers, ZoneState

LONGEST_TTL = 2**31 - 1
MOST_INCLUDES = 64
_TTL = re.compile(r"\A(?:[0-9]{1,10}[wdhms]?)+\Z", re.IGNORECASE)
_TTL_PART = re.compile(r"([0-9]{1,10})([wdhms]?)", re.IGNORECASE)
_SECONDS = {"w": 604800, "d": 86400, "h": 3600, "m": 60, "s": 1, "": 1}
_CLASSES = {"IN", "CH", "HS", "CHAOS"}

Include = Callable[[str, str], tuple[str, str]]
"""From the file that includes and the name in it: the name and the text of what is included.

Raises:
    ValueError: it may not be included, or cannot be read.
"""


@dataclass(frozen=True, slots=True)
class ReadZone:
    """A zone that was read. `notes` tell of what was left out, as the server would leave it out."""

    state: ZoneState
    notes: tuple[Problem, ...]
    positions: dict[str, Position]
    """Where the first record of a set stands, by the key of the set."""


@dataclass(slots=True)
class _Reading:
    """What is known in the middle of a file."""

    zone: str
    include: Include
    owner: str | None = None
    origin: str = ""
    default_ttl: int | None = None
    last_ttl: int | None = None
    included: int = 0
    records: list[Record] = field(default_factory=list)
    soas: list[Soa] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    notes: list[Problem] = field(default_factory=list)


def no_includes(file: str, name: str) -> tuple[str, str]:
    """Nothing may be included."""
    del file
    raise ValueError(f"{name[:80]!r} cannot be included here")


def read_zone(text: str, zone: str, file: str, include: Include = no_includes) -> ReadZone:
    """The zone in a file. `zone` is its name without the final dot.

    Raises:
        ConfigError: all that is wrong, by file and line.
    """
    reading = _Reading(zone, include, origin=f"{zone}.")
    _read(reading, text, file)
    if not reading.problems:
        reading.problems += unsound(zone, reading.soas, reading.records, file)
    if reading.problems:
        raise ConfigError(reading.problems)
    return _zone_of(reading)


def _read(reading: _Reading, text: str, file: str) -> None:
    try:
        for entry in entries(text):
            try:
                _take(reading, entry, file)
            except ValueError as error:
                reading.problems.append(_problem(file, entry.line, str(error)))
    except Unreadable as error:
        reading.problems.append(_problem(file, error.line, str(error)))


def _take(reading: _Reading, entry: Entry, file: str) -> None:
    word = entry.words[0]
    if entry.is_same_owner or word[0] != "$":
        _take_record(reading, entry, file)
        return
    directive = _DIRECTIVES.get(word.upper())
    if directive is None:
        raise ValueError(f"{word[:80]!r} is no directive that is known")
    directive(reading, entry, file)


def _take_origin(reading: _Reading, entry: Entry, file: str) -> None:
    del file
    (name,) = _arguments(entry, 1, 1, "a name")
    reading.origin = absolute(_bare(name), reading.origin[:-1])


def _take_ttl(reading: _Reading, entry: Entry, file: str) -> None:
    del file
    (text,) = _arguments(entry, 1, 1, "a time")
    reading.default_ttl = _ttl(text)


def _take_include(reading: _Reading, entry: Entry, file: str) -> None:
    """Read another file; origin and owner are afterwards as they were before."""
    name, *origin = _arguments(entry, 1, 2, "a file, and perhaps a name")
    before = (reading.origin, reading.owner)
    if origin:
        reading.origin = absolute(_bare(origin[0]), reading.origin[:-1])
    reading.included += 1
    if reading.included > MOST_INCLUDES:
        raise ValueError(f"more than {MOST_INCLUDES} files are included")
    other, text = reading.include(file, _bare(name))
    _read(reading, text, other)
    reading.origin, reading.owner = before


def _take_generate(reading: _Reading, entry: Entry, file: str) -> None:
    span, owner, *rest = _arguments(entry, 4, None, "a range, a name, a type and a value")
    given, words = _given(tuple(rest))
    if len(words) < 2:  # noqa: PLR2004 (a type and a value)
        raise ValueError("after $GENERATE come a range, a name, a type and a value")
    if len(reading.records) > MOST * 16:
        raise ValueError("too many records are generated")
    for number in numbers(span):
        name = absolute(filled(owner, number), reading.origin[:-1])
        value = [filled(word, number) for word in words[1:]]
        _add(reading, (name, given, words[0], value), file, entry.line)


_DIRECTIVES: dict[str, Callable[[_Reading, Entry, str], None]] = {
    "$ORIGIN": _take_origin,
    "$TTL": _take_ttl,
    "$INCLUDE": _take_include,
    "$GENERATE": _take_generate,
}


def _take_record(reading: _Reading, entry: Entry, file: str) -> None:
    words = entry.words
    if not entry.is_same_owner:
        reading.owner = None  # what follows a wrong owner is wrong, too
        reading.owner = absolute(words[0], reading.origin[:-1])
        words = words[1:]
    if reading.owner is None:
        raise ValueError("there is no name before this record that it could belong to")
    ttl, words = _given(words)
    if not words:
        raise ValueError("there is no type")
    _add(reading, (reading.owner, ttl, words[0], list(words[1:])), file, entry.line)


def _given(words: tuple[str, ...]) -> tuple[int | None, tuple[str, ...]]:
    """The TTL before a type, if it is given, and the words from the type on."""
    ttl, seen_class = None, False
    while words:
        upper = words[0].upper()
        if ttl is None and _TTL.match(upper):
            ttl = _ttl(upper)
        elif not seen_class and upper in _CLASSES:
            seen_class = True
            if upper != "IN":
                raise ValueError(f"class {upper} is not served; only IN is")
        else:
            break
        words = words[1:]
    return ttl, words


def _add(
    reading: _Reading, record: tuple[str, int | None, str, list[str]], file: str, line: int
) -> None:
    name, given, written, words = record
    kind = check_type(written)
    if kind == "SOA":
        soa = _soa(reading, name, words, line, file)
        reading.last_ttl = given if given is not None else reading.last_ttl
        if reading.last_ttl is None and reading.default_ttl is None:
            reading.last_ttl = soa.timers.negative_ttl_seconds
        reading.soas.append(soa)
        return
    value = value_of(kind, words, reading.origin)
    ttl = _ttl_of(reading, given)
    relative = _inside(name, reading.zone)
    if relative is None:
        what = f"{name} is not in zone {reading.zone}; its {kind} record is left out"
        reading.notes.append(_problem(file, line, what))
        return
    reading.records.append(Record(relative, kind, ttl, value, Position(file, line)))


def _ttl_of(reading: _Reading, given: int | None) -> int:
    if given is not None:
        reading.last_ttl = given
        return given
    ttl = reading.default_ttl if reading.default_ttl is not None else reading.last_ttl
    if ttl is None:
        raise ValueError("it has no TTL, and there is no $TTL before it")
    return ttl


def _soa(reading: _Reading, name: str, words: list[str], line: int, file: str) -> Soa:
    if len(words) != 7:  # noqa: PLR2004 (two names and five numbers)
        raise ValueError("a SOA record has two names and five numbers")
    origin = reading.origin[:-1]
    primary, contact = (absolute(_bare(word), origin) for word in words[:2])
    if not words[2].isdigit() or int(words[2]) >= 2**32:
        raise ValueError(f"{words[2][:40]!r} is no serial")
    timers = Timers(primary, contact, *(_ttl(word) for word in words[3:]))
    is_apex = name == f"{reading.zone}."
    return Soa(is_apex, int(words[2]), timers, Position(file, line))


def _ttl(text: str) -> int:
    if not _TTL.match(text):
        raise ValueError(f"{text[:40]!r} is no time such as 3600 or 1h")
    parts = _TTL_PART.findall(text.lower())
    seconds = sum(int(number) * _SECONDS[unit] for number, unit in parts)
    if seconds > LONGEST_TTL:
        raise ValueError(f"{text[:40]} is longer than {LONGEST_TTL} seconds")
    return seconds


def _arguments(entry: Entry, least: int, most: int | None, meaning: str) -> list[str]:
    words = list(entry.words[1:])
    if len(words) < least or (most is not None and len(words) > most):
        raise ValueError(f"after {entry.words[0]} comes {meaning}")
    return words


def _bare(word: str) -> str:
    return word[1:-1] if word.startswith('"') else word


def _inside(name: str, zone: str) -> str | None:
    """A name relative to the zone; None if it is not in it."""
    if name == f"{zone}.":
        return "@"
    relative = name.removesuffix(f".{zone}.")
    return None if relative == name else relative


def _problem(file: str, line: int, what: str) -> Problem:
    return Problem(Position(file, line), what)


def _zone_of(reading: _Reading) -> ReadZone:
    sets: dict[tuple[str, str], tuple[int, dict[str, None]]] = {}
    positions: dict[str, Position] = {}
    for record in reading.records:
        _, values = sets.setdefault((record.name, record.type), (record.ttl_seconds, {}))
        values[record.value] = None
        positions.setdefault(f"{record.name}/{record.type}", record.position)
    soa = reading.soas[0]
    records = tuple(sorted(_sets(sets)))
    state = ZoneState(reading.zone, soa.serial, soa.timers, records)
    return ReadZone(state, tuple(reading.notes), positions)


def _sets(
    sets: dict[tuple[str, str], tuple[int, dict[str, None]]],
) -> Iterator[RecordSet]:
    for (name, kind), (ttl, values) in sets.items():
        yield RecordSet(name, kind, ttl, tuple(sorted(values)))
