"""`$GENERATE` of BIND: many records from one line, a number in each."""

from __future__ import annotations

import re
from collections.abc import Iterator

LARGEST = 2**31 - 1
MOST = 65_536
_RANGE = re.compile(r"\A([0-9]{1,10})-([0-9]{1,10})(?:/([0-9]{1,10}))?\Z")
_PLACE = re.compile(r"\\[0-9]{3}|\\.|\$\$|\$\{([^}]*)(\}?)|\$")
_FORMAT = re.compile(r"\A(-?[0-9]{1,10})(?:,([0-9]{1,3})(?:,([doxXnN]))?)?\Z")


def numbers(text: str) -> range:
    """The numbers of a range such as `1-254` or `0-100/2`.

    Raises:
        ValueError: it is none, or there are too many.
    """
    match = _RANGE.match(text)
    first, last, step = (int(match[n] or 1) if match else 0 for n in (1, 2, 3))
    if match is None or first > last or step < 1 or max(last, step) > LARGEST:
        raise ValueError(f"{text[:40]!r} is no range such as 1-254 or 0-100/2")
    found = range(first, last + 1, step)
    if len(found) > MOST:
        raise ValueError(f"that makes {len(found)} records; at most {MOST} are read")
    return found


def filled(template: str, number: int) -> str:
    """The template with the number where `$` or `${offset,width,base}` stands.

    Raises:
        ValueError: what stands between the braces is no such thing, or the number gets too large.
    """
    return "".join(_pieces(template, number))


def _pieces(template: str, number: int) -> Iterator[str]:
    at = 0
    for match in _PLACE.finditer(template):
        yield template[at : match.start()]
        at = match.end()
        found = match[0]
        if found in {"$$", "\\$"}:
            yield "$"
        elif found[0] == "\\":
            yield found
        elif match[1] is None:
            yield str(number)
        else:
            yield _formatted(number, match[1], is_closed=bool(match[2]))
    yield template[at:]


def _formatted(number: int, text: str, *, is_closed: bool) -> str:
    match = _FORMAT.match(text)
    if match is None or not is_closed:
        raise ValueError(f"${{{text[:40]} is not as in ${{offset,width,base}}")
    value, width, base = number + int(match[1]), int(match[2] or 0), match[3] or "d"
    if not -LARGEST - 1 <= value <= LARGEST or abs(int(match[1])) > LARGEST:
        raise ValueError(f"{number} with offset {match[1]} is out of range")
    if base in "nN":
        return _nibbles(value, width, is_upper=base == "N")
    if base != "d" and value < 0:
        value += 2**32
    return f"{value:0{width}{base}}" if width else f"{value:{base}}"


def _nibbles(value: int, width: int, *, is_upper: bool) -> str:
    """The hexadecimal digits, last first, as labels; `width` counts letters and dots."""
    value %= 2**32
    said = ""
    while True:
        said += f"{value & 15:x}"
        value >>= 4
        width = max(width - 1, 0)
        if not width and not value:
            return said.upper() if is_upper else said
        said += "."
        width = max(width - 1, 0)
        if not width and not value:
            return said.upper() if is_upper else said
