"""Hand-written record values in the one form in which servers answer them.

What was written and what is served must be equal letter by letter, or every look is a difference:
names are lower case and absolute, text is quoted, addresses are in their shortest form.
"""

from __future__ import annotations

from ipaddress import ip_address

NAME_IS_LAST = frozenset({"CNAME", "NS", "PTR", "MX", "SRV"})
TEXT_CHUNK = 255


def presentation(kind: str, value: str, zone: str) -> str:
    """The canonical presentation form of one value of a record of this type."""
    if kind in {"A", "AAAA"}:
        return str(ip_address(value))
    if kind in NAME_IS_LAST:
        *front, name = value.split()
        return " ".join([*front, absolute(name, zone)])
    if kind == "TXT":
        return _quoted(value)
    return " ".join(value.split())


def absolute(name: str, zone: str) -> str:
    """A name with its final dot: one without is inside the zone, `@` is the zone itself."""
    lower = name.lower()
    if lower == "@":
        return f"{zone}."
    return lower if lower.endswith(".") else f"{lower}.{zone}."


def _quoted(value: str) -> str:
    """Text in quotes, in pieces of at most 255 bytes (RFC 1035 §3.3.14)."""
    if value.startswith('"'):
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    pieces = [escaped[i : i + TEXT_CHUNK] for i in range(0, len(escaped), TEXT_CHUNK)] or [""]
    return " ".join(f'"{piece}"' for piece in pieces)
