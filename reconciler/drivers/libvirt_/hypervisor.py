"""The hypervisor port of a host with libvirt."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from reconciler.drivers.libvirt_ import domains, volumes
from reconciler.drivers.libvirt_.connection import LibvirtConnection
from reconciler.drivers.libvirt_.manifest import Manifest
from reconciler.drivers.libvirt_.reading import Dialect
from reconciler.drivers.refusal import Refused
from reconciler.model.resource import Owner
from reconciler.ports.hypervisor import (
    Accelerator,
    DomainDefinition,
    DomainState,
    Hypervisor,
    NewVolume,
    VolumeState,
)

IMAGE_POOL = "images"
LOOK_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Patience:
    """How to wait for a guest that was asked to shut down, and how long."""

    sleep: Callable[[float], None]
    monotonic: Callable[[], float]
    shutdown_deadline: timedelta = timedelta(minutes=2)


class LibvirtHypervisor:
    """One host. It does not yet move domains or volumes to other hosts."""

    def __init__(
        self,
        connection: LibvirtConnection,
        manifest: Manifest,
        patience: Patience,
        *,
        domain_types: Mapping[Accelerator, str],
        image_pool: str = IMAGE_POOL,
    ) -> None:
        """`domain_types` are the accelerators that the host has, with libvirt's names for them.

        That is said and never found out: a host may list an accelerator that does not work.
        """
        self._connection = connection
        self._manifest = manifest
        self._domain_types = domain_types
        self._patience = patience
        self._image_pool = image_pool

    def domains(self) -> tuple[DomainState, ...]:
        """Every domain, by name."""
        found = self._connection.run(
            "domains", lambda c: list(domains.observe(c, self._dialect(c)))
        )
        return tuple(sorted(found, key=lambda each: each.definition.name))

    def define_domain(self, definition: DomainDefinition, owner: Owner) -> None:
        """Make it the persistent definition, and mark it."""
        self._connection.run(
            f"define domain {definition.name}",
            lambda c: domains.define(c, definition, owner, self._dialect(c)),
        )

    def mark_domain(self, name: str, owner: Owner) -> None:
        """Replace the mark."""
        self._connection.run(f"mark domain {name}", lambda c: domains.mark(c, name, owner))

    def undefine_domain(self, name: str) -> None:
        """Forget it."""
        self._connection.run(f"undefine domain {name}", lambda c: domains.undefine(c, name))

    def start_domain(self, name: str) -> None:
        """Start it."""
        self._connection.run(f"start domain {name}", lambda c: domains.start(c, name))

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

    def set_memory(self, name: str, memory_bytes: int) -> None:
        """Set the memory."""
        self._connection.run(
            f"set memory {name}", lambda c: domains.set_memory(c, name, memory_bytes)
        )

    def set_vcpus(self, name: str, vcpus: int) -> None:
        """Set the processors."""
        self._connection.run(f"set vcpus {name}", lambda c: domains.set_vcpus(c, name, vcpus))

    def migrate_domain(self, name: str, destination: str) -> None:
        """Refuse: this driver cannot yet."""
        self._connection.run(f"migrate domain {name} to {destination}", _cannot_move)

    def volumes(self) -> tuple[VolumeState, ...]:
        """Every volume of every active pool."""
        found = self._connection.run(
            "volumes", lambda c: list(volumes.observe(c, self._manifest.read()))
        )
        return tuple(sorted(found, key=lambda each: (each.pool, each.name)))

    def create_volume(self, volume: NewVolume, owner: Owner) -> None:
        """Make it; an image must be in the image pool already."""
        self._connection.run(
            f"create volume {volume.pool}/{volume.name}",
            lambda c: volumes.create(c, volume, owner, self._manifest, self._image_pool),
        )

    def mark_volume(self, pool: str, name: str, owner: Owner) -> None:
        """Replace the mark."""
        self._connection.run(
            f"mark volume {pool}/{name}",
            lambda c: volumes.mark(c, pool, name, owner, self._manifest),
        )

    def grow_volume(self, pool: str, name: str, capacity_bytes: int) -> None:
        """Grow it."""
        self._connection.run(
            f"grow volume {pool}/{name}",
            lambda c: volumes.grow(c, pool, name, capacity_bytes, self._dialect(c)),
        )

    def trash_volume(self, pool: str, name: str) -> None:
        """Copy it to the trash of its pool, and delete it."""
        self._connection.run(
            f"trash volume {pool}/{name}",
            lambda c: volumes.trash(c, pool, name, self._manifest, self._dialect(c)),
        )

    def send_volume(self, pool: str, name: str, destination: str) -> None:
        """Refuse: this driver cannot yet."""
        self._connection.run(f"send volume {pool}/{name} to {destination}", _cannot_move)

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.close()

    def _dialect(self, connection: Any) -> Dialect:
        return Dialect(self._domain_types, partial(volumes.place_of, connection))


def _cannot_move(connection: Any) -> None:
    del connection
    raise Refused("this driver cannot move things between hosts yet")


def _is_a_hypervisor(libvirt: LibvirtHypervisor) -> Hypervisor:
    return libvirt
