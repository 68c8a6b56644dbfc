"""Addresses of names, in their shortest form."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_IPV4 = re.compile(rf"{_OCTET}(?:\.{_OCTET}){{3}}")
_GROUP = r"[1-9a-f][0-9a-f]{0,3}"
_SHORTEST = re.compile(rf"{_GROUP}(?::{_GROUP}){{0,5}}::(?:{_GROUP}(?::{_GROUP}){{0,4}})?")
_MOST_COLONS = 6  # of six groups, so that `::` stands for two or more
_IPV6_LETTERS = re.compile(r"[0-9A-Fa-f:.]{2,45}")
_EMBEDDED = re.compile(r"::(?:ffff:)?([0-9a-f]{1,4}):([0-9a-f]{1,4})")


@dataclass(frozen=True, slots=True)
class A:
    """An IPv4 address."""

    address: IPv4Address

    @classmethod
    def parse(cls, text: str, origin: str) -> A:
        """From presentation form.

        Raises:
            ValueError: it is no IPv4 address.
        """
        return cls(IPv4Address(ipv4(text, origin)))

    def __str__(self) -> str:
        return str(self.address)


@dataclass(frozen=True, slots=True)
class Aaaa:
    """An IPv6 address."""

    address: IPv6Address

    @classmethod
    def parse(cls, text: str, origin: str) -> Aaaa:
        """From presentation form.

        Raises:
            ValueError: it is no IPv6 address.
        """
        return cls(IPv6Address(ipv6(text, origin)))

    def __str__(self) -> str:
        return shortest(self.address)


def ipv4(text: str, origin: str = "") -> str:
    """An IPv4 address in its one form.

    Raises:
        ValueError: it is none.
    """
    del origin
    if _IPV4.fullmatch(text):
        return text
    raise ValueError(f"{text[:40]!r} is no IPv4 address")


def ipv6(text: str, origin: str = "") -> str:
    """An IPv6 address in its one form.

    Raises:
        ValueError: it is none.
    """
    del origin
    if _SHORTEST.fullmatch(text) and text.count(":") <= _MOST_COLONS:
        return text
    try:
        if _IPV6_LETTERS.fullmatch(text):
            return shortest(IPv6Address(text))
    except ValueError:
        pass
    raise ValueError(f"{text[:40]!r} is no IPv6 address")


def shortest(address: IPv6Address) -> str:
    """As servers answer it: mapped and compatible addresses end with an IPv4 one (RFC 5952 §5)."""
    text = address.compressed.partition("%")[0]
    if match := _EMBEDDED.fullmatch(text):
        return text[: match.start(1)] + str(IPv4Address(int(address) & 0xFFFFFFFF))
    return text
