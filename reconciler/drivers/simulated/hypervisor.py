"""The hypervisor port of a simulated host."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from reconciler.drivers.simulated import domains, moves, volumes
from reconciler.drivers.simulated.cell import Cell
from reconciler.drivers.simulated.faults import Call, Wire
from reconciler.drivers.simulated.state import FarmState, Host
from reconciler.model.resource import Owner
from reconciler.ports.hypervisor import (
    DomainDefinition,
    DomainState,
    Hypervisor,
    NewVolume,
    VolumeState,
)


class SimulatedHypervisor:
    """One simulated host. Every call crosses the wire once, and changes the farm at most once."""

    def __init__(self, name: str, cell: Cell, wire: Wire) -> None:
        """Nothing is looked at yet."""
        self._name = name
        self._cell = cell
        self._wire = wire

    def domains(self) -> tuple[DomainState, ...]:
        """Every domain, by name."""
        with self._call("domains"):
            found = self._host(self._cell.state).domains
            return tuple(domains.state_of(found[name]) for name in sorted(found))

    def define_domain(self, definition: DomainDefinition, owner: Owner) -> None:
        """Make it the persistent definition, and mark it."""
        with self._call("define_domain", definition.name, definition, owner):
            self._change(lambda host: domains.define(host, definition, owner))

    def mark_domain(self, name: str, owner: Owner) -> None:
        """Replace the mark."""
        with self._call("mark_domain", name, owner):
            self._change(lambda host: domains.mark(host, name, owner))

    def undefine_domain(self, name: str) -> None:
        """Forget it."""
        with self._call("undefine_domain", name):
            self._change(lambda host: domains.undefine(host, name))

    def start_domain(self, name: str) -> None:
        """Start it."""
        with self._call("start_domain", name):
            self._change(lambda host: domains.start(host, name))

    def stop_domain(self, name: str) -> None:
        """Stop it; a simulated guest obeys at once."""
        with self._call("stop_domain", name):
            self._change(lambda host: domains.stop(host, name))

    def set_autostart(self, name: str, *, autostart: bool) -> None:
        """Whether it starts with the host."""
        with self._call("set_autostart", name, autostart):
            self._change(lambda host: domains.set_autostart(host, name, autostart=autostart))

    def set_memory(self, name: str, memory_bytes: int) -> None:
        """Set the memory."""
        with self._call("set_memory", name, memory_bytes):
            self._change(lambda host: domains.set_memory(host, name, memory_bytes))

    def set_vcpus(self, name: str, vcpus: int) -> None:
        """Set the processors."""
        with self._call("set_vcpus", name, vcpus):
            self._change(lambda host: domains.set_vcpus(host, name, vcpus))

    def migrate_domain(self, name: str, destination: str) -> None:
        """Move it with its volumes; the driver carries mark and autostart along."""
        with self._call("migrate_domain", name, to=destination):
            self._cell.change(lambda farm: moves.migrate(farm, self._name, name, destination))

    def volumes(self) -> tuple[VolumeState, ...]:
        """Every volume of every pool."""
        with self._call("volumes"):
            found = volumes.states_of(self._host(self._cell.state))
            return tuple(sorted(found, key=lambda each: (each.pool, each.name)))

    def create_volume(self, volume: NewVolume, owner: Owner) -> None:
        """Make it; an image that the host has no copy of is fetched."""
        with self._call("create_volume", f"{volume.pool}/{volume.name}", volume, owner):
            missing = self._cell.state.missing_images
            self._change(lambda host: volumes.create(host, volume, owner, missing))

    def mark_volume(self, pool: str, name: str, owner: Owner) -> None:
        """Replace the mark."""
        with self._call("mark_volume", f"{pool}/{name}", owner):
            self._change(lambda host: volumes.mark(host, pool, name, owner))

    def grow_volume(self, pool: str, name: str, capacity_bytes: int) -> None:
        """Grow it."""
        with self._call("grow_volume", f"{pool}/{name}", capacity_bytes):
            self._change(lambda host: volumes.grow(host, pool, name, capacity_bytes))

    def trash_volume(self, pool: str, name: str) -> None:
        """Move it to the trash of its pool."""
        with self._call("trash_volume", f"{pool}/{name}"):
            self._change(lambda host: volumes.trash(host, pool, name))

    def send_volume(self, pool: str, name: str, destination: str) -> None:
        """Move it to the same pool of another host."""
        with self._call("send_volume", f"{pool}/{name}", to=destination):
            self._cell.change(lambda farm: moves.send(farm, self._name, pool, name, destination))

    def _call(
        self, operation: str, subject: str = "", *arguments: object, to: str | None = None
    ) -> AbstractContextManager[None]:
        machines = (self._name,) if to is None else (self._name, to)
        return self._wire.crossing(Call(machines, operation, subject, arguments))

    def _host(self, farm: FarmState) -> Host:
        return moves.host_named(farm, self._name)

    def _change(self, change: Callable[[Host], Host]) -> None:
        self._cell.change(lambda farm: moves.on_host(farm, self._name, change))


def _is_a_hypervisor(simulated: SimulatedHypervisor) -> Hypervisor:
    return simulated
