"""What may be asked of one authoritative name server.

Errors as in `reconciler.ports.hypervisor`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


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


@dataclass(frozen=True, slots=True)
class ZoneState:
    """A zone as it is served."""

    name: str
    serial: int
    timers: Timers
    records: tuple[RecordSet, ...]


@dataclass(frozen=True, slots=True)
class ZoneUpdate:
    """One atomic change of a zone (RFC 2136).

    `serial` is the serial the zone must still have. `absent` are keys of record sets that must not
    exist, so that nobody's record is overwritten; `put` replaces whole sets; `remove` are keys.
    """

    zone: str
    serial: int
    put: tuple[RecordSet, ...] = ()
    remove: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    timers: Timers | None = None


class Nameserver(Protocol):
    """One authoritative server."""

    def zones(self) -> tuple[str, ...]:
        """The names of the zones it is primary for, without the final dot."""
        ...

    def zone(self, name: str) -> ZoneState:
        """The whole zone.

        Raises:
            NotFound: it does not serve the zone.
        """
        ...

    def create_zone(
        self, name: str, timers: Timers, serial: int, records: tuple[RecordSet, ...]
    ) -> None:
        """Begin to serve a zone with these records.

        Raises:
            Conflict: it serves the zone already, or the records contradict each other.
        """
        ...

    def update_zone(self, update: ZoneUpdate) -> None:
        """Change a zone, wholly or not at all; the serial goes up.

        Raises:
            NotFound: it does not serve the zone.
            Conflict: the serial has moved on, a set in `absent` exists, or no zone would result.
        """
        ...

    def delete_zone(self, name: str) -> None:
        """Serve the zone no more. Idempotent."""
        ...
