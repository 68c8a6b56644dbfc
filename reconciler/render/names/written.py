"""What a Zone document itself says: records by hand, name servers, timers, how long each lives."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from reconciler.config.records import absolute, canonical
from reconciler.config.zones import RecordField, Zone
from reconciler.ports.nameserver import RecordSet, Timers

POINTING = frozenset({"NS", "MX", "SRV"})  # whose targets must have addresses of their own


def written(zone: Zone) -> tuple[RecordSet, ...]:
    """The records written by hand."""
    return tuple(_written(zone, field) for field in zone.records)


def _written(zone: Zone, field: RecordField) -> RecordSet:
    shown = {canonical(field.type, value, zone.zone_name) for value in field.values}
    ttl = ttl_seconds(zone, field.type) if field.ttl is None else _seconds(field.ttl)
    return RecordSet(field.name, field.type, ttl, tuple(sorted(shown)))


def servers(zone: Zone) -> tuple[str, ...]:
    """The names of its servers, absolute."""
    return tuple(sorted({absolute(name, zone.zone_name) for name in zone.nameservers}))


def pointed_at(zone: Zone, records: Iterable[RecordSet]) -> set[str]:
    """The names, without the final dot, that NS, MX and SRV records of the zone point at."""
    values = [value for each in records if each.type in POINTING for value in each.values]
    return {value.split()[-1].removesuffix(".") for value in (*values, *servers(zone))}


def ttl_seconds(zone: Zone, kind: str) -> int:
    """How long records of this type live."""
    return _seconds(zone.ttls.get(kind, zone.ttl))


def timers(zone: Zone, contact: str) -> Timers:
    """Its SOA. `contact` is the farm's, if it names none."""
    return Timers(
        primary=absolute(zone.primary, zone.zone_name),
        contact=_mailbox(zone.contact or contact),
        refresh_seconds=_seconds(zone.refresh),
        retry_seconds=_seconds(zone.retry),
        expire_seconds=_seconds(zone.expire),
        negative_ttl_seconds=_seconds(zone.negative_ttl),
    )


def _mailbox(mail: str) -> str:
    """A mail address as SOA writes it: dots of the local part escaped (RFC 1035 §8)."""
    local, _, domain = mail.rpartition("@")
    return f"{local.replace('.', chr(92) + '.')}.{domain}."


def _seconds(duration: timedelta) -> int:
    return int(duration.total_seconds())
