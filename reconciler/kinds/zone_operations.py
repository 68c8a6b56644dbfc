"""The operations on zones: each is one atomic change on the name server."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.errors import Conflict
from reconciler.model.change import Disruption
from reconciler.ports.nameserver import NewZone, RecordSet, ZoneUpdate
from reconciler.ports.world import Ports


@dataclass(frozen=True, slots=True)
class OnServer:
    """The common part of operations that change one name server."""

    server: str

    @property
    def machines(self) -> frozenset[str]:
        """The name server."""
        return frozenset({self.server})


@dataclass(frozen=True, slots=True)
class CreateZone(OnServer):
    """Begin to serve a zone."""

    zone: NewZone
    disruption: Disruption = Disruption.LIVE

    def run(self, ports: Ports) -> None:
        """Call the name server."""
        ports.nameserver(self.server).create_zone(self.zone)

    def __str__(self) -> str:
        """In words."""
        return f"create zone {self.zone.name} on {self.server}"


@dataclass(frozen=True, slots=True)
class UpdateZone(OnServer):
    """Change records, provided that nobody else changed the zone since it was looked at."""

    update: ZoneUpdate
    disruption: Disruption = Disruption.LIVE

    def run(self, ports: Ports) -> None:
        """Call the name server."""
        ports.nameserver(self.server).update_zone(self.update)

    def __str__(self) -> str:
        """In words."""
        update = self.update
        counts = f"put {len(update.put)}, remove {len(update.remove)} record sets"
        return f"update zone {update.zone} on {self.server}: {counts}"


@dataclass(frozen=True, slots=True)
class PutRecords(OnServer):
    """Put records into a zone that is not ours, where nobody has any of those names yet."""

    zone: str
    records: tuple[RecordSet, ...]
    environment: str
    disruption: Disruption = Disruption.LIVE

    def run(self, ports: Ports) -> None:
        """Look at the serial and update."""
        server = ports.nameserver(self.server)
        serial = server.zone(self.zone).serial
        absent = tuple(record.key for record in self.records)
        update = ZoneUpdate(self.zone, serial, self.environment, put=self.records, absent=absent)
        server.update_zone(update)

    def __str__(self) -> str:
        """In words."""
        return f"put {len(self.records)} record sets into zone {self.zone} on {self.server}"


@dataclass(frozen=True, slots=True)
class DropZone(OnServer):
    """Take our records out of a zone; with the authority, stop serving it.

    `keys` are those of our record sets and of the registry's about them.
    """

    zone: str
    keys: tuple[str, ...]
    environment: str
    authority: bool
    disruption: Disruption = Disruption.REPLACE

    def run(self, ports: Ports) -> None:
        """Look again, so that nobody else's record goes with the zone.

        Raises:
            Conflict: the zone holds records of others.
        """
        server = ports.nameserver(self.server)
        if self.zone not in server.zones():
            return
        state = server.zone(self.zone)
        others = [r.key for r in state.records if r.key not in self.keys]
        if self.authority and others:
            cause = f"it holds records of others: {', '.join(others[:5])}; adopt or remove them"
            raise Conflict(self.server, f"delete zone {self.zone}", cause)
        if self.authority:
            server.delete_zone(self.zone)
            return
        ours = {record.key for record in state.records} & set(self.keys)
        remove = tuple(sorted(ours))
        server.update_zone(ZoneUpdate(self.zone, state.serial, self.environment, remove=remove))

    def __str__(self) -> str:
        """In words."""
        what = "delete zone" if self.authority else f"remove {len(self.keys)} record sets from zone"
        return f"{what} {self.zone} on {self.server}"
