"""Hand-written record values in the one form in which servers answer them.

What was written and what is served must be equal letter by letter, or every look is a difference:
names are lower case and absolute, text is quoted, addresses are in their shortest form.
"""

from __future__ import annotations

import re
from ipaddress import ip_address

NAME_IS_LAST = frozenset({"CNAME", "NS", "PTR", "MX", "SRV"})
TEXT_CHUNK = 255
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
_ESCAPE = re.compile(r"\\(?:(?P<number>[01][0-9]{2}|2[0-4][0-9]|25[0-5])|(?P<letter>.))")


def presentation(kind: str, value: str, zone: str) -> str:
    """The canonical presentation form of one value of a record of this type."""
    if kind in {"A", "AAAA"}:
        return str(ip_address(value))
    if kind in NAME_IS_LAST:
        *numbers, name = value.split()
        return " ".join([*(str(int(number)) for number in numbers), absolute(name, zone)])
    if kind == "TXT":
        return _quoted(value)
    flags, tag, text = value.split(maxsplit=2)  # CAA
    return f"{int(flags)} {tag} {_quoted(text)}"


def absolute(name: str, zone: str) -> str:
    """A name with its final dot: one without is inside the zone, `@` is the zone itself."""
    lower = name.lower()
    if lower == "@":
        return f"{zone}."
    return lower if lower.endswith(".") else f"{lower}.{zone}."


def _quoted(value: str) -> str:
    """Text in quotes, in pieces of at most 255 bytes (RFC 1035 §3.3.14)."""
    if value.startswith('"'):
        pieces = [_unescaped(piece) for piece in _STRING.findall(value)]
    else:
        content = value.encode()
        pieces = [content[i : i + TEXT_CHUNK] for i in range(0, len(content), TEXT_CHUNK)] or [b""]
    return " ".join(f'"{"".join(map(_escaped, piece))}"' for piece in pieces)


def _unescaped(text: str) -> bytes:
    """What stands between quotes, with its escapes read (RFC 1035 §5.1)."""

    def read(match: re.Match[str]) -> str:
        return chr(int(match["number"])) if match["number"] else match["letter"]

    return _ESCAPE.sub(read, text).encode("latin-1")


def _escaped(byte: int) -> str:
    letter = chr(byte)
    if letter in '"\\':
        return f"\\{letter}"
    return letter if " " <= letter <= "~" else f"\\{byte:03}"
