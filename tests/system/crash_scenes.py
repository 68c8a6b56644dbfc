"""What is done to a machine while the reconciler is killed: how it is, and what is wanted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from uuid import NAMESPACE_DNS, uuid5

from reconciler.kinds.domain import DomainSpec
from reconciler.kinds.volume import VolumeSpec
from reconciler.model.address import Address
from reconciler.model.change import Disruption
from reconciler.model.resource import Desired
from reconciler.ports.hypervisor import Disk, ImageSource, Interface, Seed
from tests.system.driven import MIB, POOL
from tests.system.lab import Lab

ENVIRONMENT = "production"
NAME = "crash"
HOST_NAME = f"{ENVIRONMENT}-{NAME}"
MAC = "52:54:00:00:66:{:02x}"
Wish = tuple[Desired[Any], ...]


@dataclass(frozen=True, slots=True)
class Scene:
    """What is wanted before and after."""

    before: Wish
    after: Wish


def seed(text: str) -> Seed:
    """First boot data that no guest reads here."""
    return Seed(f"local-hostname: {text}\n", "#cloud-config\n", "version: 2\n")


def volume(host: str, disk: str, form: str = "qcow2", mib: int = 8, **fields: Any) -> Desired[Any]:
    """A volume of the machine."""
    spec = VolumeSpec(host, POOL, f"{HOST_NAME}-{disk}", form, mib * MIB, **fields)  # type: ignore[arg-type] # one of its formats
    return Desired(Address("volume", f"{NAME}-{disk}"), spec)


def domain(host: str, disks: tuple[str, ...], **fields: Any) -> Desired[Any]:
    """The domain of the machine, with these disks; one called seed is its CD-ROM."""
    kinds = {"seed": "cdrom"}
    spec = DomainSpec(
        host=host,
        libvirt_name=HOST_NAME,
        uuid=str(uuid5(NAMESPACE_DNS, NAME)),
        accelerator="qemu",
        vcpus=1,
        memory_bytes=64 * MIB,
        running=True,
        autostart=True,
        disks=tuple(
            Disk(disk, POOL, f"{HOST_NAME}-{disk}", device=kinds.get(disk, "disk"))  # type: ignore[arg-type] # one of both
            for disk in disks
        ),
        interfaces=(Interface(MAC.format(1), "br-lan"),),
    )
    return Desired(Address("domain", NAME), replace(spec, **fields))


def machine(host: str, **fields: Any) -> Wish:
    """Two disks of both formats, a seed, and a domain that runs."""
    return (
        volume(host, "root"),
        volume(host, "data", "raw"),
        volume(host, "seed", "iso", 1, seed=seed("one"), content="one"),
        domain(host, ("root", "data", "seed"), **fields),
    )


def created(lab: Lab, one: str, two: str) -> Scene:
    del lab, two
    return Scene((), machine(one))


def created_from_image(lab: Lab, one: str, two: str) -> Scene:
    del two
    image = ImageSource("tiny", str(lab.image("tiny")), lab.checksum("tiny"))
    return Scene((), (volume(one, "root", mib=256, image=image), domain(one, ("root",))))


def changed(lab: Lab, one: str, two: str) -> Scene:
    """A disk grows, a disk and an interface are plugged, and the title is another."""
    del lab, two
    after = (
        volume(one, "root", mib=16),
        volume(one, "data", "raw", 12),
        volume(one, "seed", "iso", 1, seed=seed("one"), content="one"),
        volume(one, "more"),
        domain(
            one,
            ("root", "data", "more", "seed"),
            interfaces=(Interface(MAC.format(1), "br-lan"), Interface(MAC.format(2), "br-lan")),
            title="changed",
            autostart=False,
        ),
    )
    return Scene(machine(one), after)


def restarted(lab: Lab, one: str, two: str) -> Scene:
    del lab, two
    return Scene(machine(one), machine(one, memory_bytes=96 * MIB, vcpus=2))


def moved_live(lab: Lab, one: str, two: str) -> Scene:
    del lab
    return Scene(machine(one), machine(two))


def moved_off(lab: Lab, one: str, two: str) -> Scene:
    del lab
    return Scene(machine(one, running=False), machine(two, running=False))


def deleted(lab: Lab, one: str, two: str) -> Scene:
    del lab, two
    return Scene(machine(one), ())


def reseeded(lab: Lab, one: str, two: str) -> Scene:
    del lab, two
    after = tuple(
        replace(each, spec=replace(each.spec, seed=seed("two"), content="two"))
        if each.address.name.endswith("-seed")
        else each
        for each in machine(one)
    )
    return Scene(machine(one), after)


def replaced(lab: Lab, one: str, two: str) -> Scene:
    """A disk is made anew, smaller, and the old one is trashed."""
    del lab, two
    root, _, *rest = machine(one)
    return Scene(machine(one), (root, volume(one, "data", "raw", 4), *rest))


def snapshotted(lab: Lab, one: str, two: str) -> Scene:
    """A change that is made only after a snapshot, which is forgotten when all went well."""
    del lab, two

    def wish(memory_mib: int) -> Wish:
        spec = {"memory_bytes": memory_mib * MIB, "snapshot_from": Disruption.RESTART}
        return (volume(one, "root"), domain(one, ("root",), **spec))

    return Scene(wish(64), wish(96))


SCENES: dict[str, Callable[[Lab, str, str], Scene]] = {
    each.__name__: each
    for each in (
        *(created, created_from_image, changed, restarted, moved_live, moved_off),
        *(deleted, reseeded, replaced, snapshotted),
    )
}
