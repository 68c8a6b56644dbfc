"""A libvirt for the benchmark, one of the lab's hosts or `test:///`, and the domains put on it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_DNS, uuid5

import libvirt

from reconciler.config.documents import Host
from reconciler.drivers.farm import Means, RealFarm
from reconciler.drivers.images.rules import ImageRules
from reconciler.drivers.libvirt_.connection import LibvirtConnection
from reconciler.drivers.libvirt_.hypervisor import LibvirtHypervisor, Patience
from reconciler.drivers.libvirt_.manifest import Manifest, MemoryManifest, RemoteManifest
from reconciler.drivers.libvirt_.marks import Mark
from reconciler.drivers.libvirt_.over_ssh import SshProgram
from reconciler.drivers.libvirt_.reading import Dialect
from reconciler.drivers.libvirt_.storage import Storage
from reconciler.drivers.libvirt_.writing import Formats, domain_xml
from reconciler.drivers.ssh.access import Access
from reconciler.model.resource import Owner
from reconciler.ports.hypervisor import (
    Accelerator,
    Disk,
    DomainDefinition,
    Hypervisor,
    ImageSource,
    Interface,
)

MIB = 1 << 20
POOL = "default"
BRIDGE = "br-lan"
PREFIX = "bench-"
ENVIRONMENT = "development"
OWNER = Owner(ENVIRONMENT, "vm", "0123456789abcdef")
DEADLINE = timedelta(minutes=30)
_VOLUME = "<volume><name>{name}</name><capacity unit='MiB'>1</capacity></volume>"
_TEST_POOL = "default-pool"


@dataclass(frozen=True, slots=True)
class Virthost:
    """A host: the product's door to it, and what prepares it past the product."""

    hypervisor: Hypervisor
    manifest: Manifest
    connection: LibvirtConnection
    pool: str
    domain_type: str
    accelerator: Accelerator = "qemu"

    def definition(self, number: int) -> DomainDefinition:
        """A domain with a disk and an interface, as it is defined and never started."""
        name = domain_name(number)
        return DomainDefinition(
            name=name,
            uuid=uuid_of(name),
            accelerator=self.accelerator,
            vcpus=1,
            memory_bytes=64 * MIB,
            disks=(Disk("root", self.pool, disk_name(number)),),
            interfaces=(Interface(mac(number), BRIDGE),),
        )

    def make_volumes(self, marks: Mapping[str, Mark]) -> None:
        """Make volumes of these names and mark them, all at once."""

        def make(connection: Any) -> None:
            pool = connection.storagePoolLookupByName(self.pool)
            for name in marks:
                pool.createXML(_VOLUME.format(name=name))

        self.connection.run("make volumes", make, deadline=DEADLINE)
        self.manifest.change({f"{self.pool}/{name}": mark for name, mark in marks.items()})

    def put_domains(self, numbers: range) -> None:
        """Define domains past the product, with the XML that the product gives them."""
        names = {self.accelerator: self.domain_type}
        formats: Formats = {(self.pool, disk_name(number)): "raw" for number in numbers}

        def put(connection: Any) -> None:
            for number in numbers:
                wanted = self.definition(number)
                connection.defineXML(domain_xml(wanted, OWNER, Dialect(names), formats))

        self.connection.run("put domains", put, deadline=DEADLINE)

    def clear(self) -> None:
        """Remove what a benchmark put there, also one that was killed."""
        names = self.connection.run("clear", self._clear, deadline=DEADLINE)
        marks = [key for key in self.manifest.read() if key.startswith(f"{self.pool}/{PREFIX}")]
        self.manifest.change(dict.fromkeys({*marks, *(f"{self.pool}/{name}" for name in names)}))

    def _clear(self, connection: Any) -> list[str]:
        for domain in connection.listAllDomains(0):
            if domain.name().startswith(PREFIX):
                domain.undefine()
        pool = connection.storagePoolLookupByName(self.pool)
        volumes = [each for each in pool.listAllVolumes(0) if each.name().startswith(PREFIX)]
        names = [volume.name() for volume in volumes]
        for volume in volumes:
            with suppress(libvirt.libvirtError):
                volume.delete(0)
        return names


def domain_name(number: int) -> str:
    """What the domain is called on its host; machine `vm-N` of environment `bench` is the same."""
    return f"{PREFIX}vm-{number}"


def disk_name(number: int) -> str:
    """What the volume of its disk is called."""
    return f"{domain_name(number)}-root"


def disk_marks(count: int) -> dict[str, Mark]:
    """The marks of the disks of so many domains, by name of the volume."""
    return {disk_name(number): Mark(OWNER, format="raw") for number in range(count)}


def uuid_of(name: str) -> str:
    """The UUID of a domain."""
    return str(uuid5(NAMESPACE_DNS, name))


def mac(number: int) -> str:
    """The hardware address of a domain."""
    return f"52:54:00:{number >> 16:02x}:{number >> 8 & 255:02x}:{number & 255:02x}"


@dataclass(frozen=True, slots=True)
class Reach:
    """The way to a host of the lab."""

    name: str
    address: str
    access: Access


@contextmanager
def farm_of(reach: Reach, state: Path) -> Iterator[RealFarm]:
    """A farm of that one host, as the product drives it."""
    host = Host.model_validate(
        {
            "kind": "Host",
            "name": reach.name,
            "environment": ENVIRONMENT,
            "address": reach.address,
            "memory": "999 GiB",
            "accelerator": "qemu",
        }
    )
    means = Means(
        access=reach.access,
        images=ImageRules(),
        state_directory=state,
        now=_now,
        monotonic=time.monotonic,
        sleep=time.sleep,
    )
    farm = RealFarm(lambda: {reach.name: host}, means)
    try:
        yield farm
    finally:
        farm.close()


def real_host(farm: RealFarm, reach: Reach, state: Path) -> Virthost:
    """The host of that farm, with a connection of its own for what is done past the product."""
    ssh = SshProgram(state / "past-the-product", reach.access)
    return Virthost(
        hypervisor=farm.hypervisor(reach.name),
        manifest=RemoteManifest(farm.shell(reach.name)),
        connection=LibvirtConnection(reach.name, "", dial=lambda: ssh.dial(reach.address)),
        pool=POOL,
        domain_type="qemu",
    )


def test_host() -> Virthost:
    """The test driver of libvirt: a host within this process, which lasts as long as it."""
    connection = LibvirtConnection("test", "test:///default")
    connection.run("open", lambda _: None)
    manifest = MemoryManifest()
    storage = Storage(manifest, _no_image, _now)
    patience = Patience(time.sleep, time.monotonic)
    hypervisor = LibvirtHypervisor(connection, storage, patience, domain_types={"qemu": "test"})
    return Virthost(hypervisor, manifest, connection, _TEST_POOL, "test")


def _no_image(connection: object, source: ImageSource) -> Mapping[str, object]:
    del connection
    raise LookupError(source.name)


def _now() -> datetime:
    return datetime.now(UTC)
