"""What may be asked of one virtualization host: domains, volumes, pools.

Every call either takes effect and returns, or raises a `DriverError`:
`Unreachable` (no answer within the driver's deadline, outcome unknown), `Denied`, `Conflict`
(the state of the thing forbids it) or `NotFound`. Calls are idempotent where they say so.
Names are the names on the host (`production-web-1`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from reconciler.model.resource import Owner

Accelerator = Literal["kvm", "qemu"]
VolumeFormat = Literal["qcow2", "raw"]


@dataclass(frozen=True, slots=True)
class Disk:
    """A volume as a disk of a domain. `name` is the disk's name in the document (`root`)."""

    name: str
    pool: str
    volume: str

    @property
    def key(self) -> str:
        """What tells one disk of a domain from another."""
        return self.name


@dataclass(frozen=True, slots=True)
class Interface:
    """A network interface of a domain: its hardware address and the bridge it is plugged into."""

    mac: str
    bridge: str

    @property
    def key(self) -> str:
        """What tells one interface of a domain from another."""
        return self.mac


@dataclass(frozen=True, slots=True)
class DomainDefinition:
    """The persistent configuration of a domain, as far as we manage it."""

    name: str
    uuid: str
    accelerator: Accelerator
    vcpus: int
    memory_bytes: int
    disks: tuple[Disk, ...] = ()
    interfaces: tuple[Interface, ...] = ()


@dataclass(frozen=True, slots=True)
class DomainState:
    """A domain as it is. `pending_restart`: it runs on an older definition than is stored."""

    definition: DomainDefinition
    running: bool
    autostart: bool
    owner: Owner | None = None
    pending_restart: bool = False


@dataclass(frozen=True, slots=True)
class ImageSource:
    """A base image: where it comes from and the checksum that git pins. The host keeps a copy."""

    name: str
    url: str
    sha256: str


@dataclass(frozen=True, slots=True)
class VolumeState:
    """A volume as it is."""

    pool: str
    name: str
    format: VolumeFormat
    capacity_bytes: int
    owner: Owner | None = None


@dataclass(frozen=True, slots=True)
class NewVolume:
    """A volume to be made: empty, or a copy of an image grown to the capacity."""

    pool: str
    name: str
    format: VolumeFormat
    capacity_bytes: int
    image: ImageSource | None = None


class Hypervisor(Protocol):
    """One virtualization host."""

    def domains(self) -> tuple[DomainState, ...]:
        """Every domain of the host, running or not, ours or not."""
        ...

    def define_domain(self, definition: DomainDefinition, owner: Owner) -> None:
        """Make this the persistent configuration, and mark it. Idempotent.

        A running domain keeps running on its old configuration, and then waits for a restart.

        Raises:
            Conflict: another UUID has the name, another name the UUID, a volume is missing, or the
                host cannot run such a domain.
        """
        ...

    def mark_domain(self, name: str, owner: Owner) -> None:
        """Replace the mark of a domain and nothing else. Idempotent."""
        ...

    def undefine_domain(self, name: str) -> None:
        """Forget a domain; its volumes stay. Idempotent: an unknown name is fine.

        Raises:
            Conflict: the domain is running.
        """
        ...

    def start_domain(self, name: str) -> None:
        """Start a domain on its persistent configuration. Idempotent.

        Raises:
            NotFound: there is no such domain.
            Conflict: memory, a bridge or a volume is not to be had.
        """
        ...

    def stop_domain(self, name: str) -> None:
        """Ask the guest to shut down, and cut it off at the driver's deadline. Idempotent."""
        ...

    def set_autostart(self, name: str, *, autostart: bool) -> None:
        """Whether the domain starts with the host. Idempotent."""
        ...

    def set_memory(self, name: str, memory_bytes: int) -> None:
        """Set the memory, of the running guest too if there is one. Idempotent.

        Raises:
            Conflict: the guest runs and cannot be given this much live.
        """
        ...

    def set_vcpus(self, name: str, vcpus: int) -> None:
        """Set the number of virtual processors, of a running guest too. Idempotent.

        Raises:
            Conflict: the guest runs and cannot be given this many live.
        """
        ...

    def migrate_domain(self, name: str, destination: str) -> None:
        """Move a domain with its volumes to another host, live if it runs.

        Raises:
            Conflict: the destination has no such pool, no room, or something of that name.
        """
        ...

    def volumes(self) -> tuple[VolumeState, ...]:
        """Every volume of every active pool, ours or not. The trash is left out."""
        ...

    def create_volume(self, volume: NewVolume, owner: Owner) -> None:
        """Make a volume and mark it. All or nothing: a half-made volume is removed.

        Raises:
            NotFound: there is no such pool or image.
            Conflict: the name is taken, or the pool has no room.
        """
        ...

    def mark_volume(self, pool: str, name: str, owner: Owner) -> None:
        """Replace the mark of a volume and nothing else. Idempotent."""
        ...

    def grow_volume(self, pool: str, name: str, capacity_bytes: int) -> None:
        """Grow a volume, under a running guest too. Idempotent.

        Raises:
            Conflict: it would shrink, or the pool has no room.
        """
        ...

    def trash_volume(self, pool: str, name: str) -> None:
        """Take a volume out of use, keeping its data for a grace time. Idempotent.

        Raises:
            Conflict: a domain still uses it.
        """
        ...

    def send_volume(self, pool: str, name: str, destination: str) -> None:
        """Move a volume that no domain uses to the same pool of another host.

        Raises:
            Conflict: a domain uses it, or the destination has no such pool or no room.
        """
        ...
