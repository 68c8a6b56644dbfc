"""The hypervisor port of a simulated host."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from reconciler.drivers.refusal import Refused
from reconciler.drivers.simulated import (
    domains,
    guests,
    moves,
    networks,
    snapshots,
    trash,
    volumes,
)
from reconciler.drivers.simulated.arrival import arrive
from reconciler.drivers.simulated.cell import Cell
from reconciler.drivers.simulated.faults import Call, Wire
from reconciler.drivers.simulated.state import FarmState, Host
from reconciler.model.resource import Owner
from reconciler.ports.hypervisor import (
    DomainDefinition,
    DomainState,
    Hypervisor,
    NewVolume,
    PoolState,
    PoolType,
    TrashedVolume,
    VolumeState,
)
from reconciler.ports.libvirt_networks import NetworkDefinition, NetworkState
from reconciler.ports.network_facts import Reservation


class SimulatedHypervisor:
    """One simulated host. Every call crosses the wire once, and changes the farm at most once."""

    def __init__(
        self,
        name: str,
        cell: Cell,
        wire: Wire,
        now: Callable[[], datetime],
        is_past: Callable[[datetime], bool],
    ) -> None:
        """Nothing is looked at yet. `now` is the clock of the host, `is_past` what it has seen."""
        self._name = name
        self._is_past = is_past
        self._cell = cell
        self._wire = wire
        self._now = now

    def pools(self) -> tuple[PoolState, ...]:
        """Every pool, by name."""
        with self._call("pools"):
            return tuple(volumes.pools_of(self._host(self._cell.state)))

    def define_pool(self, name: str, type_: PoolType, target: str) -> None:
        """Make it of what is there."""
        with self._call("define_pool", name, type_, target):
            self._change(lambda host: volumes.define_pool(host, name, type_, target))

    def remove_pool(self, name: str) -> None:
        """Stop it and forget it."""
        with self._call("remove_pool", name):
            self._change(lambda host: volumes.remove_pool(host, name))

    def networks(self) -> tuple[NetworkState, ...]:
        """Every network of libvirt's own, by name."""
        with self._call("networks"):
            return tuple(networks.states_of(self._host(self._cell.state)))

    def define_network(self, definition: NetworkDefinition) -> None:
        """Make it, and start it."""
        with self._call("define_network", definition.name, definition):
            self._change(lambda host: networks.define(host, definition))

    def remove_network(self, name: str) -> None:
        """Stop it and forget it."""
        with self._call("remove_network", name):
            self._change(lambda host: networks.remove(host, name))

    def reserve(self, network: str, environment: str, entries: tuple[Reservation, ...]) -> None:
        """Make these the reservations of the environment."""
        with self._call("reserve", network, environment, entries):
            self._change(lambda host: networks.reserve(host, network, environment, entries))

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

    def adjust_guest(self, name: str) -> None:
        """Give the guest what its definition says, as far as that goes."""
        refusals: list[str] = []
        with self._call("adjust_guest", name):
            self._change(lambda host: guests.adjust(host, name, refusals.append))
            if refusals:
                raise Refused("; ".join(refusals))

    def snapshot_domain(self, name: str, snapshot: str) -> None:
        """Keep how it is now."""
        with self._call("snapshot_domain", name, snapshot):
            self._change(lambda host: snapshots.take(host, name, snapshot))

    def revert_domain(self, name: str, snapshot: str) -> None:
        """Go back to a snapshot."""
        with self._call("revert_domain", name, snapshot):
            self._change(lambda host: snapshots.revert(host, name, snapshot))

    def forget_snapshot(self, name: str, snapshot: str) -> None:
        """Delete a snapshot."""
        with self._call("forget_snapshot", name, snapshot):
            self._change(lambda host: snapshots.forget(host, name, snapshot))

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

    def write_seed(self, volume: NewVolume, owner: Owner) -> None:
        """Give a seed new contents."""
        with self._call("write_seed", f"{volume.pool}/{volume.name}", volume, owner):
            self._change(lambda host: volumes.write_seed(host, volume, owner))

    def grow_volume(self, pool: str, name: str, capacity_bytes: int) -> None:
        """Grow it."""
        with self._call("grow_volume", f"{pool}/{name}", capacity_bytes):
            self._change(lambda host: volumes.grow(host, pool, name, capacity_bytes))

    def trash_volume(self, pool: str, name: str) -> None:
        """Move it to the trash of its pool."""
        with self._call("trash_volume", f"{pool}/{name}"):
            self._change(lambda host: trash.put(host, pool, name, self._now()))

    def trash(self) -> tuple[TrashedVolume, ...]:
        """What is in the trash of every pool, the oldest first."""
        with self._call("trash"):
            found = trash.volumes_of(self._host(self._cell.state))
            return tuple(sorted(found, key=lambda each: (each.since, each.pool, each.trash_name)))

    def restore_volume(self, pool: str, trash_name: str) -> None:
        """Take it out of the trash."""
        with self._call("restore_volume", f"{pool}/{trash_name}"):
            self._change(lambda host: trash.restore(host, pool, trash_name))

    def purge_volume(self, pool: str, trash_name: str) -> None:
        """Delete it for good."""
        with self._call("purge_volume", f"{pool}/{trash_name}"):
            self._change(lambda host: trash.purge(host, pool, trash_name))

    def tidy(
        self, environment: str, trashed_before: datetime, images: frozenset[str] | None
    ) -> None:
        """Delete an environment's old trash, and the copies of images that nothing needs."""
        with self._call("tidy", "", environment, trashed_before, images):
            self._change(lambda host: trash.tidy(host, environment, trashed_before, images))

    def send_volume(self, pool: str, name: str, destination: str) -> None:
        """Move it to the same pool of another host."""
        with self._call("send_volume", f"{pool}/{name}", to=destination):
            self._cell.change(lambda farm: moves.send(farm, self._name, pool, name, destination))

    @contextmanager
    def _call(
        self, operation: str, subject: str = "", *arguments: object, to: str | None = None
    ) -> Iterator[None]:
        machines = (self._name,) if to is None else (self._name, to)
        with self._wire.crossing(Call(machines, operation, subject, arguments)):
            for each in machines:
                arrive(self._cell, each, self._is_past)
            yield

    def _host(self, farm: FarmState) -> Host:
        return moves.host_named(farm, self._name)

    def _change(self, change: Callable[[Host], Host]) -> None:
        self._cell.change(lambda farm: moves.on_host(farm, self._name, change))


def _is_a_hypervisor(simulated: SimulatedHypervisor) -> Hypervisor:
    return simulated
