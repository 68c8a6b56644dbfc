"""Addresses name resources, scopes name what one look at the world covers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Address:
    """The name of one resource inside one environment.

    `host` is given only for things that cannot move (`file@virt1/etc-ntp.conf`) and for
    foreign things, which are named by where they were seen. Where a virtual machine or a
    volume lives is a field of its spec, so that a move is a change and not another resource.
    """

    kind: str
    name: str
    host: str | None = None

    def __str__(self) -> str:
        where = f"@{self.host}" if self.host else ""
        return f"{self.kind}{where}/{self.name}"

    def __lt__(self, other: Address) -> bool:
        return (self.kind, self.name, self.host or "") < (other.kind, other.name, other.host or "")

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read `kind/name` or `kind@host/name` back.

        Raises:
            ValueError: the text is not an address.
        """
        head, slash, name = text.partition("/")
        kind, at, host = head.partition("@")
        if not (slash and kind and name) or (at and not host):
            message = f"{text!r} is not an address; write kind/name or kind@host/name"
            raise ValueError(message)
        return cls(kind, name, host or None)


@dataclass(frozen=True, slots=True)
class Scope:
    """What one look covers: a host's guests, its base, or one zone on the server that serves it."""

    kind: Literal["host", "base", "zone"]
    name: str
    server: str | None = None

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}" + (f"@{self.server}" if self.server else "")

    def __lt__(self, other: Scope) -> bool:
        mine, theirs = (self.kind, self.name), (other.kind, other.name)
        return (*mine, self.server or "") < (*theirs, other.server or "")

    @property
    def lock(self) -> str:
        """The name of the machine that one writer at a time may change."""
        return self.server or self.name
