"""All that a simulated farm is, as frozen data: what `world.yaml` holds and a snapshot shows.

Mappings are never changed in place: a change makes a new state that shares what stayed the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pydantic import ConfigDict, NonNegativeInt, PositiveInt

from reconciler.drivers.simulated.faults import Fault
from reconciler.model.resource import Owner
from reconciler.ports.hypervisor import Accelerator, DomainDefinition, VolumeFormat
from reconciler.ports.nameserver import ZoneState

PoolType = Literal["dir", "logical", "zfs"]
FORMATS: Mapping[PoolType, frozenset[VolumeFormat]] = {
    "dir": frozenset({"qcow2", "raw"}),
    "logical": frozenset({"raw"}),
    "zfs": frozenset({"raw"}),
}


@dataclass(frozen=True, slots=True)
class Volume:
    """A volume; `image` is the checksum of the image it was made from."""

    format: VolumeFormat
    capacity_bytes: PositiveInt
    image: str | None = None
    owner: Owner | None = None


@dataclass(frozen=True, slots=True)
class Trashed:
    """A volume in the trash, under the name it had. Several may have had the same."""

    name: str
    volume: Volume


@dataclass(frozen=True, slots=True)
class Pool:
    """A storage pool. Volumes take their whole capacity from it, those in the trash too."""

    capacity_bytes: NonNegativeInt
    type: PoolType = "dir"
    volumes: Mapping[str, Volume] = field(default_factory=dict)
    trash: tuple[Trashed, ...] = ()

    @property
    def free_bytes(self) -> int:
        """What is left for new volumes."""
        used = sum(volume.capacity_bytes for volume in self.volumes.values())
        trashed = sum(each.volume.capacity_bytes for each in self.trash)
        return self.capacity_bytes - used - trashed


@dataclass(frozen=True, slots=True)
class Domain:
    """A domain with its persistent `definition` and, if it runs, its guest.

    `runs_on` is the definition of the running guest where that is another one, and
    `memory_maximum_bytes` the memory it was started with where it now has less.
    """

    definition: DomainDefinition
    running: bool = False
    autostart: bool = False
    owner: Owner | None = None
    runs_on: DomainDefinition | None = None
    memory_maximum_bytes: PositiveInt | None = None

    @property
    def live(self) -> DomainDefinition:
        """What the guest has now, if it runs."""
        return self.runs_on or self.definition


@dataclass(frozen=True, slots=True)
class Host:
    """A virtualization host. `images` are the cached ones: checksum by name."""

    memory_bytes: PositiveInt
    cpus: PositiveInt = 1
    accelerators: tuple[Accelerator, ...] = ("kvm", "qemu")
    bridges: tuple[str, ...] = ()
    images: Mapping[str, str] = field(default_factory=dict)
    pools: Mapping[str, Pool] = field(default_factory=dict)
    domains: Mapping[str, Domain] = field(default_factory=dict)

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
