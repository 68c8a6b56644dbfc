"""The operations on zones: each is one atomic change on the name server."""

from __future__ import annotations

from dataclasses import dataclass, replace

from reconciler.errors import Conflict, NotFound
from reconciler.kinds.zone_registry import is_mark, is_mark_key
from reconciler.model.change import Disruption
from reconciler.ports.nameserver import (
    Grant,
    Nameserver,
    NewZone,
    RecordSet,
    Rules,
    ZoneState,
    ZoneUpdate,
)
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
        """Call the name server, if there is anything to change."""
        update = self.update
        if update.put or update.remove or update.timers:
            ports.nameserver(self.server).update_zone(update)

    def __str__(self) -> str:
        """In words; marks come along unsaid."""
        update = self.update
        put = sum(not is_mark(record) for record in update.put)
        removed = sum(not is_mark_key(key) for key in update.remove)
        where = f"zone {update.zone} on {self.server}"
        if not (put or removed or update.timers):
            return f"mark records of {where}"
        return f"update {where}: put {put}, remove {removed} record sets"


@dataclass(frozen=True, slots=True)
class SetRules(OnServer):
    """Say who may change what in a zone, and how its serial goes on."""

    zone: str
    rules: Rules
    disruption: Disruption = Disruption.LIVE

    def run(self, ports: Ports) -> None:
        """Call the name server."""
        ports.nameserver(self.server).set_rules(self.zone, self.rules)

    def __str__(self) -> str:
        """In words."""
        return f"set the rules of zone {self.zone} on {self.server}"


@dataclass(frozen=True, slots=True)
class PutRecords(OnServer):
    """Put records into a zone that is not ours, where nobody has any of those names yet."""

    zone: str
    records: tuple[RecordSet, ...]
    marks: tuple[RecordSet, ...]
    environment: str
    disruption: Disruption = Disruption.LIVE

    def run(self, ports: Ports) -> None:
        """Look at the serial and update.

        Raises:
            NotFound: the zone is not served.
        """
        server = ports.nameserver(self.server)
        serial = server.serials([self.zone]).get(self.zone)
        if serial is None:
            cause = "the zone is not served; who has its authority must make it first"
            raise NotFound(self.server, f"put records into zone {self.zone}", cause)
        absent = tuple(record.key for record in self.records)
        put = (*self.records, *self.marks)
        server.update_zone(ZoneUpdate(self.zone, serial, self.environment, put=put, absent=absent))

    def __str__(self) -> str:
        """In words."""
        return f"put {len(self.records)} record sets into zone {self.zone} on {self.server}"


@dataclass(frozen=True, slots=True)
class RemoveRecords(OnServer):
    """Take our records, and the marks on them, out of a zone that is not ours."""

    zone: str
    records: tuple[RecordSet, ...]
    marks: tuple[RecordSet, ...]
    environment: str
    disruption: Disruption = Disruption.REPLACE

    def run(self, ports: Ports) -> None:
        """Look at the serial and update; nothing is to be done where the zone is gone."""
        server = ports.nameserver(self.server)
        serial = server.serials([self.zone]).get(self.zone)
        if serial is not None:
            keys = tuple(record.key for record in (*self.records, *self.marks))
            server.update_zone(ZoneUpdate(self.zone, serial, self.environment, remove=keys))

    def __str__(self) -> str:
        """In words."""
        return f"remove {len(self.records)} record sets from zone {self.zone} on {self.server}"


@dataclass(frozen=True, slots=True)
class DropZone(OnServer):
    """Serve a zone no more. `ours` are our record sets in it, marks among them.

    `is_open`: what others have in it may go along.
    """

    zone: str
    ours: tuple[RecordSet, ...]
    environment: str
    is_open: bool = False
    disruption: Disruption = Disruption.REPLACE

    def run(self, ports: Ports) -> None:
        """Let nobody else in, and look again, so that no record of others goes with the zone.

        Raises:
            Conflict: the zone holds records of others.
        """
        server = ports.nameserver(self.server)
        try:
            state = server.zone(self.zone)
            self._check(state)
            if state.rules is not None:
                self._let_nobody_in(server, state.rules)
        except NotFound:
            return
        server.delete_zone(self.zone)

    def _let_nobody_in(self, server: Nameserver, rules: Rules) -> None:
        """From now on only we may write; if somebody was faster, it is as before."""
        server.set_rules(self.zone, replace(rules, grants=(Grant(self.environment),)))
        try:
            self._check(server.zone(self.zone))
        except Conflict:
            server.set_rules(self.zone, rules)
            raise

    def _check(self, state: ZoneState) -> None:
        if others := self._others(state):
            cause = f"it holds records of others: {', '.join(others[:5])}; adopt or remove them"
            raise Conflict(self.server, f"delete zone {self.zone}", cause)

    def _others(self, state: ZoneState) -> tuple[str, ...]:
        """Marks alone hold no zone: they may be of one with which it is not shared any more."""
        if self.is_open:
            return ()
        ours = {record.key for record in self.ours}
        return tuple(
            record.key for record in state.records if record.key not in ours and not is_mark(record)
        )

    def __str__(self) -> str:
        """In words."""
        return f"delete zone {self.zone} on {self.server}"
