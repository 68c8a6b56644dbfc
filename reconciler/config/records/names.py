"""Names as values: lower case and absolute, with what is special in zone files escaped."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from reconciler.config.records.syntax import escaped, fields, shown, unescaped, unquoted

ROOT = "."
LONGEST_NAME, LONGEST_LABEL = 255, 63
_SIMPLE = re.compile(r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*\.?")
_LABEL = re.compile(r"((?:[^.\\]|\\[0-9]{3}|\\[^0-9])*)(\.|\Z)")
_SPECIAL = b'"().;\\@$'


def absolute(name: str, origin: str) -> str:
    """A name with its final dot: one without is inside the origin, `@` is the origin itself.

    `origin` is a zone without the final dot; if empty, only absolute names are taken.

    Raises:
        ValueError: it is none, or longer than 255 bytes.
    """
    lower = name.lower()
    if _SIMPLE.fullmatch(lower) is None:
        return _unusual(lower, origin)
    if lower[-1] != ".":
        if not origin:
            raise ValueError(f"the name {shown(name)} needs a final dot")
        lower = f"{lower}.{origin}."
    if len(lower) >= LONGEST_NAME:
        raise ValueError(f"the name {shown(name)} is longer than {LONGEST_NAME} bytes")
    return lower


def pointer(text: str, origin: str) -> str:
    """The canonical form of a value that is nothing but a name.

    Raises:
        ValueError: it is none.
    """
    try:
        return absolute(text, origin)
    except ValueError:
        return str(_Pointer.parse(text, origin))  # it may say better what is wrong


def _unusual(name: str, origin: str) -> str:
    """Names with other letters, escapes, or nothing but the origin or the root."""
    if name == "@":
        return f"{origin}."
    if name == ROOT:
        return name
    labels, is_absolute = _labels(name)
    shown_name = ".".join(escaped(label, _SPECIAL).replace(" ", r"\032") for label in labels)
    if not is_absolute and not origin:
        raise ValueError(f"the name {shown(name)} needs a final dot")
    wire = sum(len(label) + 1 for label in labels) + 1
    wire += 0 if is_absolute else len(origin) + 1
    if wire > LONGEST_NAME:
        raise ValueError(f"the name {shown(name)} is longer than {LONGEST_NAME} bytes")
    return f"{shown_name}." if is_absolute else f"{shown_name}.{origin}."


def _labels(name: str) -> tuple[list[bytes], bool]:
    """The labels of a name, and whether it ends with a dot."""
    if (
        not name
        or not name.isascii()
        or not name.isprintable()
        or re.search(r'[ ";()]', _bare(name))
    ):
        raise ValueError(f"{shown(name)} is no name")
    labels: list[bytes] = []
    start = 0
    while start < len(name):
        match = _LABEL.match(name, start)
        if match is None:
            raise ValueError(f"the name {shown(name)} has a wrong escape")
        label = unescaped(match[1]).lower()
        if not label or len(label) > LONGEST_LABEL:
            what = "an empty label" if not label else f"a label of more than {LONGEST_LABEL} bytes"
            raise ValueError(f"the name {shown(name)} has {what}")
        labels.append(label)
        start = match.end()
        if not match[2]:
            return labels, False
    return labels, True


def _bare(name: str) -> str:
    """A name without its escapes."""
    return re.sub(r"\\.", "", name)


@dataclass(frozen=True, slots=True)
class _Pointer:
    """A record that is nothing but the name it points at."""

    target: str

    @classmethod
    def parse(cls, text: str, origin: str) -> Self:
        """From presentation form.

        Raises:
            ValueError: it is no name.
        """
        (word,) = fields(text, "a name")
        return cls(absolute(unquoted(word, "name"), origin))

    def __str__(self) -> str:
        return self.target


class Cname(_Pointer):
    """Another name of the same thing."""

    __slots__ = ()


class Ns(_Pointer):
    """A server of the zone."""

    __slots__ = ()


class Ptr(_Pointer):
    """The name of an address."""

    __slots__ = ()
