"""All that a simulated farm is, as frozen data: what `world.yaml` holds and a snapshot shows.

Mappings are never changed in place: a change makes a new state that shares what stayed the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pydantic import ConfigDict, NonNegativeInt, PositiveInt

from reconciler.drivers.simulated.base.state import Base
from reconciler.drivers.simulated.faults import Fault
from reconciler.model.resource import Owner
from reconciler.ports.hypervisor import Accelerator, DomainDefinition, PoolType, VolumeFormat
from reconciler.ports.libvirt_networks import NetworkDefinition
from reconciler.ports.nameserver import ZoneState
from reconciler.ports.network_facts import Reservation

FORMATS: Mapping[PoolType, frozenset[VolumeFormat]] = {
    "dir": frozenset({"qcow2", "raw", "iso"}),
    "logical": frozenset({"raw", "iso"}),
    "zfs": frozenset({"raw", "iso"}),
}
BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)  # of the time of a farm whose clock nobody winds


@dataclass(frozen=True, slots=True)
class Volume:
    """A volume; `image` is the checksum of the image it was made from.

    With `overlay` it is of no use without that image. `content` is the digest that was recorded
    with its mark.
    """

    format: VolumeFormat
    capacity_bytes: PositiveInt
    image: str | None = None
    owner: Owner | None = None
    overlay: bool = False
    content: str | None = None


@dataclass(frozen=True, slots=True)
class Trashed:
    """A volume in the trash: the name it had, and since when it is there."""

    name: str
    volume: Volume
    since: datetime = BEGINNING


@dataclass(frozen=True, slots=True)
class Pool:
    """A storage pool. Volumes take their whole capacity from it, those in the trash too.

    The trash is by the names that volumes have in it, for several may have had the same before.
    `target` is what is behind it; a folder of its name below /pools where that is not said.
    """

    capacity_bytes: NonNegativeInt
    type: PoolType = "dir"
    target: str | None = None
    volumes: Mapping[str, Volume] = field(default_factory=dict)
    trash: Mapping[str, Trashed] = field(default_factory=dict)

    @property
    def free_bytes(self) -> int:
        """What is left for new volumes."""
        used = sum(volume.capacity_bytes for volume in self.volumes.values())
        trashed = sum(each.volume.capacity_bytes for each in self.trash.values())
        return self.capacity_bytes - used - trashed


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a domain goes back to: its definition and mark, and its guest if it ran."""

    definition: DomainDefinition
    running: bool = False
    owner: Owner | None = None
    runs_on: DomainDefinition | None = None


@dataclass(frozen=True, slots=True)
class Domain:
    """A domain with its persistent `definition` and, if it runs, its guest.

    `runs_on` is the definition of the running guest where that is another one. What is None in a
    definition is as usual; a `vcpus_maximum` that is not None says that processors can be
    unplugged.
    """

    definition: DomainDefinition
    running: bool = False
    autostart: bool = False
    owner: Owner | None = None
    runs_on: DomainDefinition | None = None
    snapshots: Mapping[str, Snapshot] = field(default_factory=dict)

    @property
    def live(self) -> DomainDefinition:
        """What the guest has now, if it runs."""
        return self.runs_on or self.definition


@dataclass(frozen=True, slots=True)
class Network:
    """A network of libvirt's own. `runs_on` is what it runs with where that is another definition.

    `reservations` are by hardware address.
    """

    definition: NetworkDefinition
    reservations: tuple[Reservation, ...] = ()
    running: bool = True
    autostart: bool = True
    runs_on: NetworkDefinition | None = None


@dataclass(frozen=True, slots=True)
class Host:
    """A virtualization host. `images` are the cached ones: name by checksum.

    `base` is what it is itself, below its guests. `forgotten` are pools that were removed, by what
    is behind them: what was in them is still there.
    """

    memory_bytes: PositiveInt
    cpus: PositiveInt = 1
    accelerators: tuple[Accelerator, ...] = ("kvm", "qemu")
    bridges: tuple[str, ...] = ()
    images: Mapping[str, str] = field(default_factory=dict)
    pools: Mapping[str, Pool] = field(default_factory=dict)
    forgotten: Mapping[str, Pool] = field(default_factory=dict)
    domains: Mapping[str, Domain] = field(default_factory=dict)
    networks: Mapping[str, Network] = field(default_factory=dict)
    base: Base = field(default_factory=Base)

    @property
    def free_memory_bytes(self) -> int:
        """What no running guest has."""
        used = (each.live.memory_bytes for each in self.domains.values() if each.running)
        return self.memory_bytes - sum(used)


@dataclass(frozen=True, slots=True)
class Server:
    """A name server and the zones it is primary for."""

    zones: Mapping[str, ZoneState] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FarmState:
    """A whole farm. `missing_images` are names of images that cannot be fetched any more."""

    __pydantic_config__ = ConfigDict(extra="forbid", strict=True)

    hosts: Mapping[str, Host] = field(default_factory=dict)
    nameservers: Mapping[str, Server] = field(default_factory=dict)
    missing_images: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()
