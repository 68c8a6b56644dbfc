"""How a service is reached (RFC 9460): at other names, ports, and with which protocols."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from reconciler.config.records.names import absolute
from reconciler.config.records.svcb_params import (
    ALPN,
    MANDATORY,
    NO_DEFAULT_ALPN,
    key_of,
    name_of,
    param,
)
from reconciler.config.records.syntax import Word, lacking, number, unquoted, words

Param = tuple[int, str | None]


@dataclass(frozen=True, slots=True)
class _Binding:
    """A name to go on with (priority 0, AliasMode), or a way to the service, with parameters.

    `params` are keys in their order, with values in quotes.
    """

    priority: int
    target: str
    params: tuple[Param, ...] = ()

    @classmethod
    def parse(cls, text: str, origin: str) -> Self:
        """From presentation form.

        Raises:
            ValueError: what is wrong in which part.
        """
        found = words(text)
        if len(found) < len(("priority", "target")):
            raise ValueError(lacking(found, "a priority", "a name", "parameters"))
        priority = number(found[0], "priority")
        target = absolute(unquoted(found[1], "name"), origin)
        if found[2:] and not priority:
            raise ValueError("with priority 0 it is an alias, which has no parameters")
        return cls(priority, target, _params(found[2:]))

    def __str__(self) -> str:
        shown = (
            name_of(key) if value is None else f"{name_of(key)}={value}"
            for key, value in self.params
        )
        return " ".join([str(self.priority), self.target, *shown])


class Svcb(_Binding):
    """How a service of any protocol is reached."""

    __slots__ = ()


class Https(_Binding):
    """How a web site is reached."""

    __slots__ = ()


def _params(parts: tuple[Word, ...]) -> tuple[Param, ...]:
    found: dict[int, str | None] = {}
    for part in parts:
        key, value = param(part)
        if key in found:
            raise ValueError(f"{name_of(key)} is there twice")
        found[key] = value
    needed = (found.get(MANDATORY) or '""')[1:-1]
    for name in needed.split(",") if needed else ():
        if key_of(name) not in found:
            raise ValueError(f"mandatory names {name}, which is not there")
    if NO_DEFAULT_ALPN in found and ALPN not in found:
        raise ValueError("no-default-alpn needs alpn")
    return tuple(sorted(found.items(), key=lambda each: each[0]))
