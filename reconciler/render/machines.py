"""A VirtualMachine document becomes a domain and its volumes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from reconciler.config.documents import DiskField, VirtualMachine
from reconciler.config.repository import Documents
from reconciler.kinds.domain import DomainSpec, volume_address
from reconciler.kinds.volume import VolumeSpec
from reconciler.model.address import Address
from reconciler.model.position import Position
from reconciler.model.resource import Desired
from reconciler.ports.hypervisor import Disk, ImageSource, Interface
from reconciler.render.identity import host_name, machine_mac, machine_uuid

WRITTEN_AS = {
    "vcpus": "cpus",
    "memory_bytes": "memory",
    "interfaces": "networks",
    "pending_restart": "restart",
}


def machine_resources(documents: Documents, machine: VirtualMachine) -> Iterator[Desired[Any]]:
    """The volumes of a machine, then its domain."""
    for index, disk in enumerate(machine.disks):
        yield _volume(documents, machine, disk, is_root=index == 0)
    yield Desired(
        address=Address("domain", machine.name),
        spec=_domain(documents, machine),
        position=documents.position("VirtualMachine", machine.name),
        formerly=Address("domain", machine.renamed_from) if machine.renamed_from else None,
        locate=partial(_position, documents, machine.name),
    )


def _position(documents: Documents, name: str, path: str) -> Position:
    """Where the value behind a field of the domain's spec was written."""
    head, *rest = path.split(".")
    return documents.position("VirtualMachine", name, WRITTEN_AS.get(head, head), *rest)


def _identity(machine: VirtualMachine) -> str:
    """A renamed machine keeps the UUID, addresses and volumes of its first name."""
    former: str | None = machine.renamed_from
    return former or str(machine.name)


def _domain(documents: Documents, machine: VirtualMachine) -> DomainSpec:
    environment, identity = documents.environment, _identity(machine)
    return DomainSpec(
        host=machine.host,
        libvirt_name=machine.libvirt_name or host_name(environment, identity),
        uuid=machine_uuid(environment, identity),
        accelerator=None,
        vcpus=machine.cpus,
        memory_bytes=machine.memory,
        running=machine.running,
        autostart=machine.autostart,
        disks=tuple(
            Disk(disk.name, disk.pool, _volume_name(documents, machine, disk))
            for disk in machine.disks
        ),
        interfaces=_interfaces(documents, machine),
        pending_restart=False if machine.restart == "automatic" else None,
    )


def _interfaces(documents: Documents, machine: VirtualMachine) -> tuple[Interface, ...]:
    return tuple(
        Interface(
            mac=each.mac or machine_mac(documents.environment, _identity(machine), each.network),
            bridge=documents.networks[each.network].bridge,
        )
        for each in machine.networks
    )


def _volume(
    documents: Documents, machine: VirtualMachine, disk: DiskField, *, is_root: bool
) -> Desired[VolumeSpec]:
    image = documents.images[machine.image] if is_root and machine.image else None
    spec = VolumeSpec(
        host=machine.host,
        pool=disk.pool,
        name=_volume_name(documents, machine, disk),
        format=disk.format,
        capacity_bytes=disk.size,
        image=ImageSource(image.name, image.url, image.sha256) if image else None,
    )
    former = volume_address(machine.renamed_from, disk.name) if machine.renamed_from else None
    position = documents.position("VirtualMachine", machine.name, "disks", disk.name)
    return Desired(volume_address(machine.name, disk.name), spec, position, former)


def _volume_name(documents: Documents, machine: VirtualMachine, disk: DiskField) -> str:
    return host_name(documents.environment, f"{_identity(machine)}-{disk.name}")
