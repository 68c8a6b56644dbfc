"""Sizes and durations as people write them: `4 GiB`, `512 MiB`, `30m`, `2w`."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

_SIZE = re.compile(r"\A(?P<number>[0-9]{1,19}(?:\.[0-9]{1,6})?) ?(?P<unit>[KMGTP]i?B|B)\Z")
_DURATION = re.compile(r"\A(?:[0-9]{1,9}[smhdw] ?){1,5}\Z")
_PART = re.compile(r"([0-9]{1,9})([smhdw])")

UNIT_BYTES = {
    "B": 1,
    **{f"{prefix}iB": 1024**power for power, prefix in enumerate("KMGTP", 1)},
    **{f"{prefix}B": 1000**power for power, prefix in enumerate("KMGTP", 1)},
}
MOST_SECONDS = 2**31 - 1
UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def parse_size(text: str) -> int:
    """Bytes from a size with a unit; decimal (`GB`) and binary (`GiB`) units differ.

    Raises:
        ValueError: there is no unit, or the size is not a whole number of bytes.
    """
    match = _SIZE.match(text)
    if match is None:
        message = f"{text[:40]!r} is not a size; write a number and a unit, such as 4 GiB"
        raise ValueError(message)
    size = Decimal(match["number"]) * UNIT_BYTES[match["unit"]]
    if size != int(size):
        message = f"{text!r} is not a whole number of bytes; use a smaller unit"
        raise ValueError(message)
    return int(size)


def format_size(size_bytes: int) -> str:
    """The shortest exact way to write a size in binary units."""
    for unit in ("PiB", "TiB", "GiB", "MiB", "KiB"):
        if size_bytes and size_bytes % UNIT_BYTES[unit] == 0:
            return f"{size_bytes // UNIT_BYTES[unit]} {unit}"
    return f"{size_bytes} B"


def parse_duration(text: str) -> timedelta:
    """A duration from numbers with units: `30m`, `1h 30m`, `2w`.

    Raises:
        ValueError: the text is not a duration.
    """
    if _DURATION.match(text) is None:
        message = f"{text[:40]!r} is not a duration; write a number and s, m, h, d or w"
        raise ValueError(message)
    seconds = sum(int(number) * UNIT_SECONDS[unit] for number, unit in _PART.findall(text))
    if seconds > MOST_SECONDS:
        message = f"{text[:40]!r} is longer than 68 years, which is the most that DNS can say"
        raise ValueError(message)
    return timedelta(seconds=seconds)


def format_duration(duration: timedelta) -> str:
    """The shortest exact way to write a duration of whole seconds."""
    seconds = int(duration.total_seconds())
    for unit in ("w", "d", "h", "m"):
        if seconds and seconds % UNIT_SECONDS[unit] == 0:
            return f"{seconds // UNIT_SECONDS[unit]}{unit}"
    return f"{seconds}s"
