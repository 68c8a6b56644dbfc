"""What a contract is tried on: a driver with a farm of known shape behind it.

Host `virt1` has 32 GiB of memory, the pool `default` of 100 GiB, an image pool and the bridge
`br-lan`; `virt2` is like it, and `bare` has neither pool nor bridge.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import NAMESPACE_DNS, uuid5

from reconciler.model.resource import Owner
from reconciler.ports.hypervisor import (
    Disk,
    DomainDefinition,
    DomainState,
    Hypervisor,
    ImageSource,
    Interface,
    NewVolume,
    Seed,
    VolumeState,
)

MIB = 1024**2
GIB = 1024**3
POOL = "default"
OWNER = Owner("production", "web-1", "0123456789abcdef")
OTHER_OWNER = Owner("production", "web-1", "fedcba9876543210")
IMAGE = ImageSource("debian-12", "https://images.example/debian-12.qcow2", "ab" * 32)
LOST_IMAGE = ImageSource("gone", "https://images.example/gone.qcow2", "cd" * 32)

# What `test:///` does not do, so that the driver cannot keep that part of the contract on it.
NOT_ON_TEST_DRIVER = {
    "upload": "test:/// does not implement virStorageVolUpload",
    "hot plug": "test:/// neither attaches nor detaches devices",
    "resize": "test:/// does not implement virStorageVolResize",
    "memory check": "test:/// starts domains that need more memory than the host has",
    "bridge check": "test:/// starts domains without their bridges",
    "disk check": "test:/// starts domains without their volumes",
    "disk lock": "test:/// starts two domains on one volume",
    "storage": "pools of test:/// have nothing behind them",
    "network users": "test:/// does not count who is plugged in",
    "dnsmasq": "test:/// forgets what is said to dnsmasq in its own words",
}

# What a lab host does not do, or has otherwise than a bench should.
NOT_IN_THE_LAB = {
    "memory check": "nobody knows how much memory a lab host has",
    "full pool": "a directory takes more than it has room for, as long as it is not written",
    "image": "the images of the contract are nowhere to be had",
}


@dataclass(frozen=True)
class Bench:
    """A host under test, and the others of its farm."""

    hypervisor: Hypervisor
    add_foreign: Callable[[str], None]
    add_image: Callable[[ImageSource, int], None]
    vanish: Callable[[str], None]  # somebody deletes a volume of pool `default` by hand
    hosts: dict[str, Hypervisor] = field(default_factory=dict)

    def domain(self, name: str) -> DomainState:
        return next(each for each in self.hypervisor.domains() if each.definition.name == name)

    def names(self) -> set[str]:
        return {each.definition.name for each in self.hypervisor.domains()}

    def volume(self, name: str) -> VolumeState:
        return next(each for each in self.hypervisor.volumes() if each.name == name)

    def volume_names(self) -> set[str]:
        return {each.name for each in self.hypervisor.volumes()}

    def make(self, *names: str, start: bool = False, **changes: Any) -> DomainDefinition:
        """Make volumes and domains of those names, as `definition` gives them."""
        for name in names:
            wanted = definition(name, **changes)
            for disk in wanted.disks:
                if disk.volume not in self.volume_names():
                    self.hypervisor.create_volume(volume(disk.volume), OWNER)
            self.hypervisor.define_domain(wanted, OWNER)
            if start:
                self.hypervisor.start_domain(name)
        return definition(names[-1], **changes)


def definition(name: str = "web", **changes: Any) -> DomainDefinition:
    number = sum(name.encode()) % 256
    standard: dict[str, Any] = {
        "name": name,
        "uuid": str(uuid5(NAMESPACE_DNS, name)),
        "accelerator": "qemu",
        "vcpus": 2,
        "memory_bytes": 2 * GIB,
        "disks": (Disk("root", POOL, f"{name}-root"), Disk("data", POOL, f"{name}-data")),
        "interfaces": (Interface(f"52:54:00:00:00:{number:02x}", "br-lan"),),
    }
    return DomainDefinition(**{**standard, **changes})


def seed(name: str, **changes: Any) -> NewVolume:
    contents = Seed("instance-id: web\n", "#cloud-config\n{}\n", "version: 2\n")
    made = {"format": "iso", "capacity_bytes": MIB, "seed": contents, "content": "0123"}
    return volume(name, **{**made, **changes})


def volume(name: str, **changes: Any) -> NewVolume:
    standard: dict[str, Any] = {
        "pool": POOL,
        "name": name,
        "format": "qcow2",
        "capacity_bytes": 8 * GIB,
    }
    return NewVolume(**{**standard, **changes})
