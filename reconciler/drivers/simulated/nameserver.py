"""The name server port of a simulated server."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime

from reconciler.drivers.refusal import Missing
from reconciler.drivers.simulated import zones
from reconciler.drivers.simulated.cell import Cell
from reconciler.drivers.simulated.faults import Call, Wire
from reconciler.drivers.simulated.state import FarmState, Server
from reconciler.ports.nameserver import Nameserver, NewZone, Rules, ZoneState, ZoneUpdate


class SimulatedNameserver:
    """One simulated server. Every call crosses the wire once, and changes the farm at most once."""

    def __init__(self, name: str, cell: Cell, wire: Wire, now: Callable[[], datetime]) -> None:
        """Nothing is looked at yet. `now` is the clock of the server."""
        self._name = name
        self._cell = cell
        self._wire = wire
        self._now = now

    def zones(self) -> tuple[str, ...]:
        """The names of its zones."""
        with self._call("zones"):
            return tuple(sorted(self._server(self._cell.state).zones))

    def serials(self, names: Iterable[str]) -> Mapping[str, int]:
        """The serial of each of these zones that it serves."""
        with self._call("serials"):
            served = self._server(self._cell.state).zones
            return {name: served[name].serial for name in names if name in served}

    def zone(self, name: str) -> ZoneState:
        """The whole zone."""
        with self._call("zone", name):
            return zones.named(self._server(self._cell.state), name)

    def create_zone(self, zone: NewZone) -> None:
        """Begin to serve a zone."""
        with self._call("create_zone", zone.name, zone):
            self._change(lambda server: zones.create(server, zone))

    def update_zone(self, update: ZoneUpdate) -> None:
        """Change a zone, wholly or not at all."""
        with self._call("update_zone", update.zone, update):
            self._change(lambda server: zones.update(server, update, self._now()))

    def set_rules(self, name: str, rules: Rules) -> None:
        """Let a zone be treated like this from now on."""
        with self._call("set_rules", name, rules):
            self._change(lambda server: zones.with_rules(server, name, rules))

    def delete_zone(self, name: str) -> None:
        """Serve the zone no more."""
        with self._call("delete_zone", name):
            self._change(lambda server: zones.delete(server, name))

    def _call(
        self, operation: str, subject: str = "", *arguments: object
    ) -> AbstractContextManager[None]:
        return self._wire.crossing(Call((self._name,), operation, subject, arguments))

    def _server(self, farm: FarmState) -> Server:
        return server_named(farm, self._name)

    def _change(self, change: Callable[[Server], Server]) -> None:
        self._cell.change(lambda farm: on_server(farm, self._name, change))


def server_named(farm: FarmState, name: str) -> Server:
    """The server of that name.

    Raises:
        Missing: there is none.
    """
    server = farm.nameservers.get(name)
    if server is None:
        message = f"there is no name server {name}"
        raise Missing(message)
    return server


def on_server(farm: FarmState, name: str, change: Callable[[Server], Server]) -> FarmState:
    """The farm after a change of one server; the same farm if that changed nothing.

    Raises:
        Missing: there is no such server.
    """
    before = server_named(farm, name)
    after = change(before)
    if after is before:
        return farm
    return replace(farm, nameservers={**farm.nameservers, name: after})


def _is_a_nameserver(simulated: SimulatedNameserver) -> Nameserver:
    return simulated
