"""The hypervisor port of a host with libvirt."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from reconciler.drivers.libvirt_ import (
    domains,
    inventory,
    live,
    looking,
    moves,
    networks,
    pool_making,
    snapshots,
    trash,
    volumes,
)
from reconciler.drivers.libvirt_.claims import claim_on
from reconciler.drivers.libvirt_.connection import LibvirtConnection
from reconciler.drivers.libvirt_.reading import Dialect
from reconciler.drivers.libvirt_.storage import Storage
from reconciler.drivers.libvirt_.transfer import Side
from reconciler.drivers.libvirt_.usage import place_at
from reconciler.errors import Conflict
from reconciler.model.resource import Owner
from reconciler.ports.hypervisor import (
    Accelerator,
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

LOOK_SECONDS = 0.5
SNAPSHOT_DEADLINE = timedelta(minutes=10)
COPY_DEADLINE = timedelta(minutes=30)
MOVE_DEADLINE = timedelta(hours=6)  # a host that dies meanwhile is noticed by the keepalive
Neighbour = Callable[[str], "LibvirtHypervisor"]


@dataclass(frozen=True, slots=True)
class Patience:
    """How to wait for a guest that was asked to shut down or to let go of something; how long."""

    sleep: Callable[[float], None]
    monotonic: Callable[[], float]
    shutdown_deadline: timedelta = timedelta(minutes=2)
    adjust_deadline: timedelta = timedelta(minutes=1)


class LibvirtHypervisor:
    """One host, and how it reaches the others."""

    def __init__(
        self,
        connection: LibvirtConnection,
        storage: Storage,
        patience: Patience,
        *,
        domain_types: Mapping[Accelerator, str],
        address: str = "",
        neighbour: Neighbour | None = None,
    ) -> None:
        """`domain_types` are the accelerators that the host has, with libvirt's names for them.

        That is said and never found out: a host may list an accelerator that does not work.
        `address` is where other hosts reach this one, `neighbour` gives another host by its name.
        """
        self._connection = connection
        self._storage = storage
        self._domain_types = domain_types
        self._patience = patience
        self._address = address
        self._neighbour = neighbour

    def domains(self) -> tuple[DomainState, ...]:
        """Every domain, by name."""
        seen = self._connection.run("domains", lambda c: list(looking.listed(c)))
        works = [looking.state_of(each, self._connection.host, self._dialect) for each in seen]
        found = (each for each in self._connection.gather("domains", works) if each is not None)
        return tuple(sorted(found, key=lambda each: each.definition.name))

    def define_domain(self, definition: DomainDefinition, owner: Owner) -> None:
        """Make it the persistent definition, and mark it."""
        self._connection.run(
            f"define domain {definition.name}",
            lambda c: domains.define(c, self._storage, definition, owner, self._dialect(c)),
        )

    def mark_domain(self, name: str, owner: Owner) -> None:
        """Replace the mark."""
        self._connection.run(f"mark domain {name}", lambda c: domains.mark(c, name, owner))

    def undefine_domain(self, name: str) -> None:
        """Forget it."""
        self._connection.run(f"undefine domain {name}", lambda c: domains.undefine(c, name))

    def start_domain(self, name: str) -> None:
        """Start it, unless it went to another host in a move that was never finished."""
        operation, host = f"start domain {name}", self._connection.host
        goal = self._connection.run(operation, lambda c: claim_on(c.lookupByName(name), host))
        if goal is not None:
            self._between(operation, goal, lambda _, there: moves.check_not_there(there, name))
        self._connection.run(operation, lambda c: domains.start(c, name))

    def stop_domain(self, name: str) -> None:
        """Ask it to stop, wait, and cut it off. The connection is free for others meanwhile."""
        operation = f"stop domain {name}"
        self._connection.run(operation, lambda c: domains.ask_to_stop(c, name))
        patience = self._patience
        deadline = patience.monotonic() + patience.shutdown_deadline.total_seconds()
        while self._connection.run(operation, lambda c: domains.is_running(c, name)):
            if patience.monotonic() >= deadline:
                self._connection.run(operation, lambda c: domains.cut_off(c, name))
                return
            patience.sleep(LOOK_SECONDS)

    def set_autostart(self, name: str, *, autostart: bool) -> None:
        """Whether it starts with the host."""
        self._connection.run(
            f"set autostart {name}", lambda c: domains.set_autostart(c, name, autostart=autostart)
        )

    def adjust_guest(self, name: str) -> None:
        """Ask the guest, and wait for it. The connection is free for others meanwhile."""
        operation, patience = f"adjust guest {name}", self._patience
        deadline = patience.monotonic() + patience.adjust_deadline.total_seconds()
        while True:
            progress = self._connection.run(
                operation, lambda c: live.adjust(c, name, self._dialect(c))
            )
            if not progress.waits or patience.monotonic() >= deadline:
                break
            patience.sleep(LOOK_SECONDS)
        if problems := (*progress.refusals, *progress.waits):
            raise Conflict(self._connection.host, operation, "; ".join(problems))

    def migrate_domain(self, name: str, destination: str) -> None:
        """Carry out a migration between the two daemons, or bring one to its end."""
        self._between(
            f"migrate domain {name} to {destination}",
            destination,
            lambda here, there: moves.migrate(here, there, name),
        )

    def snapshot_domain(self, name: str, snapshot: str) -> None:
        """Make it; the guest stands still while its memory is written."""
        self._connection.run(
            f"snapshot domain {name} as {snapshot}",
            lambda c: snapshots.take(c, name, snapshot, self._dialect(c)),
            deadline=SNAPSHOT_DEADLINE,
        )

    def revert_domain(self, name: str, snapshot: str) -> None:
        """Go back to it."""
        self._connection.run(
            f"revert domain {name} to {snapshot}",
            lambda c: snapshots.revert(c, name, snapshot),
            deadline=SNAPSHOT_DEADLINE,
        )

    def forget_snapshot(self, name: str, snapshot: str) -> None:
        """Delete it."""
        self._connection.run(
            f"delete snapshot {snapshot} of domain {name}",
            lambda c: snapshots.forget(c, name, snapshot),
            deadline=SNAPSHOT_DEADLINE,
        )

    def volumes(self) -> tuple[VolumeState, ...]:
        """Every volume of every active pool."""
        found = self._connection.run("volumes", lambda c: list(volumes.observe(c, self._storage)))
        return tuple(sorted(found, key=lambda each: (each.pool, each.name)))

    def create_volume(self, volume: NewVolume, owner: Owner) -> None:
        """Make it; an image that the host has no copy of is brought there first."""
        self._connection.run(
            f"create volume {volume.pool}/{volume.name}",
            lambda c: volumes.create(c, self._storage, volume, owner),
            deadline=COPY_DEADLINE if volume.image else None,
        )

    def mark_volume(self, pool: str, name: str, owner: Owner) -> None:
        """Replace the mark."""
        self._connection.run(
            f"mark volume {pool}/{name}",
            lambda c: volumes.mark(c, self._storage, pool, name, owner),
        )

    def write_seed(self, volume: NewVolume, owner: Owner) -> None:
        """Write it."""
        self._connection.run(
            f"write seed {volume.pool}/{volume.name}",
            lambda c: volumes.write_seed(c, self._storage, volume, owner),
        )

    def grow_volume(self, pool: str, name: str, capacity_bytes: int) -> None:
        """Grow it."""
        self._connection.run(
            f"grow volume {pool}/{name}",
            lambda c: volumes.grow(c, self._storage, pool, name, capacity_bytes),
        )

    def trash_volume(self, pool: str, name: str) -> None:
        """Rename it into the trash of its pool."""
        self._connection.run(
            f"trash volume {pool}/{name}",
            lambda c: trash.put(c, self._storage, pool, name),
        )

    def trash(self) -> tuple[TrashedVolume, ...]:
        """What is in the trash, the oldest first."""
        found = self._connection.run("trash", lambda c: list(trash.listing(c, self._storage)))
        return tuple(sorted(found, key=lambda each: (each.since, each.pool, each.trash_name)))

    def restore_volume(self, pool: str, trash_name: str) -> None:
        """Rename it back."""
        self._connection.run(
            f"restore volume {pool}/{trash_name}",
            lambda c: trash.restore(c, self._storage, pool, trash_name),
        )

    def purge_volume(self, pool: str, trash_name: str) -> None:
        """Delete it."""
        self._connection.run(
            f"purge volume {pool}/{trash_name}",
            lambda c: trash.purge(c, self._storage, pool, trash_name),
        )

    def tidy(
        self, environment: str, trashed_before: datetime, images: frozenset[str] | None
    ) -> None:
        """Delete what is old enough."""
        self._connection.run(
            "tidy up",
            lambda c: trash.tidy(c, self._storage, environment, trashed_before, images),
            deadline=COPY_DEADLINE,
        )

    def send_volume(self, pool: str, name: str, destination: str) -> None:
        """Stream it to the other host, then delete it here."""
        self._between(
            f"send volume {pool}/{name} to {destination}",
            destination,
            lambda here, there: moves.send_volume(here, there, pool, name),
        )

    def pools(self) -> tuple[PoolState, ...]:
        """Every active pool."""
        return tuple(self._connection.run("pools", lambda c: list(inventory.pools(c))))

    def define_pool(self, name: str, type_: PoolType, target: str) -> None:
        """Make it of what is there, and start it."""
        self._connection.run(
            f"define pool {name}", lambda c: pool_making.define(c, name, type_, target)
        )

    def remove_pool(self, name: str) -> None:
        """Stop it and forget it."""
        self._connection.run(f"remove pool {name}", lambda c: pool_making.remove(c, name))

    def networks(self) -> tuple[NetworkState, ...]:
        """Every network of libvirt's own that is stored, by name."""
        found = self._connection.run("networks", lambda c: list(networks.listing(c)))
        return tuple(sorted(found, key=lambda each: each.name))

    def define_network(self, definition: NetworkDefinition) -> None:
        """Make it, start it, and change what can be changed while it runs."""
        self._connection.run(
            f"define network {definition.name}", lambda c: networks.define(c, definition)
        )

    def remove_network(self, name: str) -> None:
        """Stop it and forget it."""
        self._connection.run(f"remove network {name}", lambda c: networks.remove(c, name))

    def reserve(self, network: str, environment: str, entries: tuple[Reservation, ...]) -> None:
        """Make these the reservations of the environment, one by one."""
        self._connection.run(
            f"reserve addresses in network {network}",
            lambda c: networks.reserve(c, network, environment, entries),
        )

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.close()

    def _between(
        self, operation: str, destination: str, work: Callable[[Side, Side], None]
    ) -> None:
        """Work on this host and another at once, on connections of their own."""
        if self._neighbour is None:
            raise Conflict(self._connection.host, operation, f"it knows no way to {destination}")
        other = self._neighbour(destination)
        self._connection.run(
            operation,
            lambda here: other._connection.run(  # noqa: SLF001 - the same class, another host
                operation,
                lambda there: work(self._side(here), other._side(there)),  # noqa: SLF001
                deadline=MOVE_DEADLINE,
            ),
            deadline=MOVE_DEADLINE,
        )

    def _side(self, connection: Any) -> Side:
        return Side(
            host=self._connection.host,
            address=self._address,
            connection=connection,
            storage=self._storage,
            dialect=self._dialect(connection),
        )

    def _dialect(self, connection: Any) -> Dialect:
        return Dialect(self._domain_types, partial(place_at, connection))


def _is_a_hypervisor(libvirt: LibvirtHypervisor) -> Hypervisor:
    return libvirt
