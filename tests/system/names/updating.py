"""A process that puts groups of records into a zone, one update each, and says what was done."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime

from reconciler.drivers.dns.access import Key, ServerAccess
from reconciler.drivers.dns.server import DynamicNameserver
from reconciler.errors import Conflict, Unreachable
from reconciler.ports.nameserver import RecordSet, ZoneUpdate

ZONE = "farm.internal"
GROUP = 20


def group(number: int) -> tuple[RecordSet, ...]:
    """The record sets of one update."""
    return tuple(
        RecordSet(f"m{number}-{each}", "A", 60, (f"10.0.{number}.{each}",)) for each in range(GROUP)
    )


def update(server: DynamicNameserver, number: int) -> None:
    """Put a group there, however often that takes."""
    while True:
        try:
            zone = server.zone(ZONE)
            if set(group(number)) <= set(zone.records):
                return
            absent = tuple(record.key for record in group(number))
            server.update_zone(
                ZoneUpdate(ZONE, zone.serial, "production", group(number), absent=absent)
            )
        except (Unreachable, Conflict):
            time.sleep(0.02)  # noqa: TID251 - a process of its own
        else:
            return


def main(address: str, port: str, name: str, secret: str, first: str) -> None:
    """Put all groups from the first on."""
    key = Key(name, "hmac-sha256", secret)
    access = ServerAccess("ns", address, int(port), lambda _: key, "production")
    server = DynamicNameserver(
        access,
        None,
        monotonic=time.monotonic,
        now=lambda: datetime.now(UTC),  # noqa: TID251 - BIND checks it
    )
    for number in range(int(first), 100):
        update(server, number)
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
