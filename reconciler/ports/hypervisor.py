"""What may be asked of one virtualization host: domains, volumes, pools, networks.

Every call either takes effect and returns, or raises a `DriverError`:
`Unreachable` (no answer within the driver's deadline, outcome unknown), `Denied`, `Conflict`
(the state of the thing forbids it) or `NotFound`. Calls are idempotent where they say so.
Names are the names on the host (`production-web-1`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from reconciler.model.resource import Owner
from reconciler.ports.libvirt_networks import Networks

Accelerator = Literal["kvm", "qemu"]
Firmware = Literal["bios", "uefi"]
LinkState = Literal["up", "down"]
Switch = Literal["linux", "openvswitch", "libvirt"]
VolumeFormat = Literal["qcow2", "raw", "iso"]  # iso: a seed
PoolType = Literal["dir", "logical", "zfs"]
GIVEN = "dhcp"  # the address that a machine is given


@dataclass(frozen=True, slots=True)
class Disk:
    """A volume as a disk of a domain. `name` is the disk's name in the document (`root`).

    A `cdrom` is read-only and is not counted among the disks the guest numbers.
    """

    name: str
    pool: str
    volume: str
    device: Literal["disk", "cdrom"] = "disk"

    @property
    def key(self) -> str:
        """What tells one disk of a domain from another."""
        return self.name


@dataclass(frozen=True, slots=True)
class Interface:
    """A network interface of a domain: its hardware address and what it is plugged into.

    `bridge` is the name of a Linux bridge, of an Open vSwitch bridge, or of a libvirt network
    with an optional `portgroup`, as `switch` says. `vlan` is the tag of an access port. `guarded`
    is the only address that it can send from, or `GIVEN` for the one that it gets by DHCP, None or
    empty for any.
    """

    mac: str
    bridge: str
    switch: Switch = "linux"
    vlan: int | None = None
    portgroup: str = ""
    link: LinkState = "up"
    guarded: str | None = None

    @property
    def key(self) -> str:
        """What tells one interface of a domain from another."""
        return self.mac


@dataclass(frozen=True, slots=True)
class DomainDefinition:
    """The persistent configuration of a domain, as far as we manage it.

    What is None in a definition to be made is left as it is, or as the hypervisor likes it;
    what was seen has a value wherever the host gives one. `vcpus_maximum` and
    `memory_maximum_bytes` are what a guest can be given while it runs. `cpu_model` is
    `host-passthrough`, `host-model` or the name of a model. `first_boot` is the digest of the
    first boot data that the guest is to act on (again).
    """

    name: str
    uuid: str
    accelerator: Accelerator
    vcpus: int
    memory_bytes: int
    disks: tuple[Disk, ...] = ()
    interfaces: tuple[Interface, ...] = ()
    vcpus_maximum: int | None = None
    memory_maximum_bytes: int | None = None
    cpu_model: str | None = None
    firmware: Firmware | None = None
    tpm: bool | None = None
    title: str | None = None
    first_boot: str | None = None


@dataclass(frozen=True, slots=True)
class DomainState:
    """A domain as it is.

    `guest` is the definition that the running guest has, where that is another one than is
    stored. `snapshots` are those that we made. A move claims the domain before it begins, so that
    it is known to both hosts: `moving_to` is the host to which it was being moved when somebody
    looked last; `arriving`: it is being moved here, and its guest is still where it comes from.
    A guest that is paused does not run.
    """

    definition: DomainDefinition
    running: bool
    autostart: bool
    owner: Owner | None = None
    guest: DomainDefinition | None = None
    snapshots: tuple[str, ...] = ()
    arriving: bool = False
    moving_to: str | None = None


@dataclass(frozen=True, slots=True)
class ImageSource:
    """A base image: where it comes from and the checksum that git pins. The host keeps a copy.

    `checksum` is in hexadecimal; `format` is what it is stored as where it comes from.
    """

    name: str
    url: str
    checksum: str
    algorithm: Literal["sha256", "sha512"] = "sha256"
    format: Literal["qcow2", "raw"] = "qcow2"


@dataclass(frozen=True, slots=True)
class Seed:
    """First boot data for cloud-init's NoCloud source, as the texts of its three files."""

    meta_data: str
    user_data: str
    network_config: str


@dataclass(frozen=True, slots=True)
class VolumeState:
    """A volume as it is. `content` is the digest of what it was made with, if that was recorded."""

    pool: str
    name: str
    format: VolumeFormat
    capacity_bytes: int
    owner: Owner | None = None
    content: str | None = None


@dataclass(frozen=True, slots=True)
class NewVolume:
    """A volume to be made: empty, a copy of an image grown to the capacity, or a seed.

    With `overlay` the volume stores only what differs from the image, which then must stay.
    `content` is recorded with the mark: the digest of what the volume is made with.
    """

    pool: str
    name: str
    format: VolumeFormat
    capacity_bytes: int
    image: ImageSource | None = None
    overlay: bool = False
    seed: Seed | None = None
    content: str | None = None


@dataclass(frozen=True, slots=True)
class TrashedVolume:
    """A volume in the trash: what it was, and since when (UTC) its grace time runs.

    `trash_name` is what it is called in its pool now; several may have had the same name before.
    """

    pool: str
    name: str
    trash_name: str
    since: datetime
    owner: Owner | None = None


@dataclass(frozen=True, slots=True)
class PoolState:
    """A storage pool as it is: its type in libvirt's words, and what is behind it."""

    name: str
    type: str
    target: str
    capacity_bytes: int
    autostart: bool = True


class Hypervisor(Networks, Protocol):
    """One virtualization host."""

    def pools(self) -> tuple[PoolState, ...]:
        """Every active storage pool."""
        ...

    def define_pool(self, name: str, type_: PoolType, target: str) -> None:
        """Make a pool of what is there, start it, and let it start with the host. Idempotent.

        Raises:
            Conflict: the name is another pool's, or the group or dataset behind it is not there.
        """
        ...

    def remove_pool(self, name: str) -> None:
        """Stop a pool and forget it; what is in it stays. Idempotent."""
        ...

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
        """Replace the mark of a domain, and drop a claim to move it. Idempotent."""
        ...

    def undefine_domain(self, name: str) -> None:
        """Forget a domain; its volumes stay. Idempotent: an unknown name is fine.

        Raises:
            Conflict: the domain is running.
        """
        ...

    def start_domain(self, name: str) -> None:
        """Start a domain on its persistent configuration, or let a paused one go on. Idempotent.

        Raises:
            NotFound: there is no such domain.
            Conflict: memory, a bridge or a volume is not to be had; or it was being moved to a host
                that has it, or that cannot be asked.
        """
        ...

    def stop_domain(self, name: str) -> None:
        """Ask the guest to shut down, and cut it off at the driver's deadline. Idempotent."""
        ...

    def set_autostart(self, name: str, *, autostart: bool) -> None:
        """Whether the domain starts with the host. Idempotent."""
        ...

    def adjust_guest(self, name: str) -> None:
        """Give the running guest what its definition says, as far as can be done while it runs.

        Processors and memory within the maxima that it was started with, disks and interfaces
        that come and go, links, what an interface is plugged into, and the title. The rest waits
        for a restart. Idempotent; nothing is done to a domain that is off.

        Raises:
            NotFound: there is no such domain.
            Conflict: the guest does not comply, or the host has no more to give. What could be
                done is done.
        """
        ...

    def migrate_domain(self, name: str, destination: str) -> None:
        """Move a domain with its volumes to another host, live if it runs.

        It can be called again after it was cut off at any point, and then goes on. Never do two
        guests of one domain run.

        Raises:
            Conflict: the destination has no such pool, no room, something of that name, or
                cannot run such a guest.
        """
        ...

    def snapshot_domain(self, name: str, snapshot: str) -> None:
        """Keep the state of a domain and its disks, with its memory if it runs. Idempotent.

        Raises:
            NotFound: there is no such domain.
            Conflict: a disk of it cannot be snapshotted.
        """
        ...

    def revert_domain(self, name: str, snapshot: str) -> None:
        """Go back to a snapshot; the guest runs if it ran then.

        Raises:
            NotFound: there is no such domain or snapshot.
        """
        ...

    def forget_snapshot(self, name: str, snapshot: str) -> None:
        """Delete a snapshot; the domain stays as it is. Idempotent."""
        ...

    def volumes(self) -> tuple[VolumeState, ...]:
        """Every volume of every active pool, ours or not. The trash is left out."""
        ...

    def create_volume(self, volume: NewVolume, owner: Owner) -> None:
        """Make a volume and mark it. All or nothing: a half-made volume is removed.

        Raises:
            NotFound: there is no such pool or image.
            Conflict: the name is taken, the pool has no room, or the image is not to be trusted.
        """
        ...

    def mark_volume(self, pool: str, name: str, owner: Owner) -> None:
        """Replace the mark of a volume and nothing else. Idempotent."""
        ...

    def write_seed(self, volume: NewVolume, owner: Owner) -> None:
        """Give a seed volume that is there new contents, and mark it. Idempotent.

        Raises:
            NotFound: there is no such volume.
        """
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

    def trash(self) -> tuple[TrashedVolume, ...]:
        """What is in the trash of all active pools."""
        ...

    def restore_volume(self, pool: str, trash_name: str) -> None:
        """Take a volume out of the trash, under its old name and with its old mark.

        Raises:
            NotFound: it is not in the trash.
            Conflict: its name has been taken meanwhile.
        """
        ...

    def purge_volume(self, pool: str, trash_name: str) -> None:
        """Delete a volume of the trash for good. Idempotent.

        Raises:
            NotFound: there is no such pool.
        """
        ...

    def tidy(
        self, environment: str, trashed_before: datetime, images: frozenset[str] | None
    ) -> None:
        """Delete what was trashed before, and cached images that are not needed any more.

        Only trash that carries the mark of the environment is deleted. `images` are the checksums
        of all images that some document names; None leaves all images alone. An image that a
        volume is an overlay of stays. Idempotent.
        """
        ...

    def send_volume(self, pool: str, name: str, destination: str) -> None:
        """Move a volume that no domain uses to the same pool of another host.

        Raises:
            Conflict: a domain uses it, or the destination has no such pool or no room.
        """
        ...
