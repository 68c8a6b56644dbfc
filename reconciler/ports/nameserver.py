"""What may be asked of one authoritative name server.

Errors as in `reconciler.ports.hypervisor`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol


@dataclass(frozen=True, slots=True, order=True)
class RecordSet:
    """All records of one name and type (RFC 2181 §5).

    `name` is relative to the zone, `@` is the apex. `values` are in presentation form, sorted,
    with names in them absolute (`mail.farm.`).
    """

    name: str
    type: str
    ttl_seconds: int
    values: tuple[str, ...]

    @property
    def key(self) -> str:
        """What tells one record set of a zone from another."""
        return f"{self.name}/{self.type}"


@dataclass(frozen=True, slots=True)
class Timers:
    """What a zone's SOA record says beside the serial (RFC 1035 §3.3.13)."""

    primary: str
    contact: str
    refresh_seconds: int
    retry_seconds: int
    expire_seconds: int
    negative_ttl_seconds: int


@dataclass(frozen=True, slots=True, order=True)
class Grant:
    """What the holder of a key may change in a zone: one name, or all `below` it and itself.

    `holder` is an environment, or `dhcp`. `name` is relative to the zone, `@` its apex. `types` are
    types of records, none for all.
    """

    holder: str
    name: str = "@"
    below: bool = True
    types: tuple[str, ...] = ()

    def covers(self, name: str, kind: str) -> bool:
        """Whether records of that name and type may be changed."""
        is_below = self.below and (self.name == "@" or name.endswith(f".{self.name}"))
        return (name == self.name or is_below) and (not self.types or kind in self.types)


@dataclass(frozen=True, slots=True)
class Rules:
    """How a server treats a zone: who may change what, and how the serial goes on.

    `date`: a serial is a date and two digits, or one more than before where that is greater.
    """

    grants: tuple[Grant, ...] = ()
    serials: Literal["increment", "date"] = "increment"

    def of(self, holder: str) -> tuple[Grant, ...]:
        """What one holder of a key may change."""
        return tuple(grant for grant in self.grants if grant.holder == holder)


@dataclass(frozen=True, slots=True)
class ZoneState:
    """A zone as it is served. `rules` None: the server does not tell, or they are not ours."""

    name: str
    serial: int
    timers: Timers
    records: tuple[RecordSet, ...]
    rules: Rules | None = None


@dataclass(frozen=True, slots=True)
class NewZone:
    """A zone to begin with. `environment` is who makes it, with its key.

    `rules` None: the server is not ours to tell, and nobody is let in by us.
    """

    name: str
    timers: Timers
    serial: int
    records: tuple[RecordSet, ...]
    environment: str
    rules: Rules | None = None


@dataclass(frozen=True, slots=True)
class ZoneUpdate:
    """One atomic change of a zone (RFC 2136).

    `environment` is in whose name, and so with which key. `serial` is the serial the zone must
    still have. `absent` are keys of record sets that must not exist, so that nobody's record is
    overwritten; `put` replaces whole sets; `remove` are keys.
    """

    zone: str
    serial: int
    environment: str
    put: tuple[RecordSet, ...] = ()
    remove: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    timers: Timers | None = None


def forbidden(rules: Rules, update: ZoneUpdate) -> tuple[str, ...]:
    """The keys of what an update touches and its environment may not change."""
    grants = rules.of(update.environment)
    soa = ("@/SOA",) if update.timers else ()
    keys = (*(record.key for record in update.put), *update.remove, *soa)
    return tuple(key for key in keys if not any(_covers(grant, key) for grant in grants))


def _covers(grant: Grant, key: str) -> bool:
    name, _, kind = key.rpartition("/")
    return grant.covers(name, kind)


class Nameserver(Protocol):
    """One authoritative server."""

    def zones(self) -> tuple[str, ...]:
        """The names of the zones it is primary for, without the final dot."""
        ...

    def serials(self, names: Iterable[str]) -> Mapping[str, int]:
        """The serial of each of these zones that it serves: the cheap look."""
        ...

    def zone(self, name: str) -> ZoneState:
        """The whole zone.

        A driver may remember it while its serial stays, but not for longer than its full audit.

        Raises:
            NotFound: it does not serve the zone.
        """
        ...

    def create_zone(self, zone: NewZone) -> None:
        """Begin to serve a zone with these records.

        Raises:
            Conflict: it serves the zone already, or the records contradict each other.
        """
        ...

    def update_zone(self, update: ZoneUpdate) -> None:
        """Change a zone, wholly or not at all; the serial goes up.

        What does not fit into one message is sent in several, in an order in which no name is
        without its records at any time; then it may be changed in part.

        Raises:
            NotFound: it does not serve the zone.
            Conflict: the serial has moved on, a set in `absent` exists, or no zone would result.
            Denied: the environment may not change that.
        """
        ...

    def set_rules(self, name: str, rules: Rules) -> None:
        """Let a zone be treated like this from now on. Idempotent.

        Raises:
            NotFound: it does not serve the zone.
            Denied: its configuration is not ours.
        """
        ...

    def delete_zone(self, name: str) -> None:
        """Serve the zone no more. Idempotent."""
        ...
