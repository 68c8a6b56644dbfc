"""A VirtualMachine document becomes a domain and its volumes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from reconciler.config.documents import AttachmentField, DiskField, Image, VirtualMachine
from reconciler.config.first_boot import SEED
from reconciler.config.networks import Network
from reconciler.config.repository import Documents
from reconciler.kinds.domain import DomainSpec, volume_address
from reconciler.kinds.network.libvirt_reservations import reservations_name
from reconciler.kinds.volume import VolumeSpec
from reconciler.model.address import Address
from reconciler.model.change import Disruption
from reconciler.model.position import Position
from reconciler.model.resource import Desired
from reconciler.ports.hypervisor import GIVEN, Disk, ImageSource, Interface
from reconciler.render.first_boot import rerun_content, root_content, seed_disk, seed_volume
from reconciler.render.identity import host_name, mac_of, machine_identity, machine_uuid

WRITTEN_AS = {
    "vcpus": "cpus",
    "vcpus_maximum": "cpus_maximum",
    "memory_bytes": "memory",
    "memory_maximum_bytes": "memory_maximum",
    "title": "description",
    "interfaces": "networks",
    "pending_restart": "restart",
}

SNAPSHOT_FROM: Mapping[str, Disruption | None] = {
    "never": None,
    "restart": Disruption.RESTART,
    "replace": Disruption.REPLACE,
}


def machine_resources(documents: Documents, machine: VirtualMachine) -> Iterator[Desired[Any]]:
    """The volumes of a machine, then its domain."""
    domain = _domain(documents, machine)
    for index, disk in enumerate(machine.disks):
        yield _volume(documents, machine, disk, is_root=index == 0)
    yield from seed_volume(documents, machine, domain)
    yield Desired(
        address=Address("domain", machine.name),
        spec=domain,
        position=documents.position("VirtualMachine", machine.name),
        formerly=Address("domain", machine.renamed_from) if machine.renamed_from else None,
        adopts=machine.adopt,
        locate=partial(_position, documents, machine.name),
    )


def image_source(image: Image) -> ImageSource:
    """What an Image document says, as hosts are told it."""
    if image.sha512:
        return ImageSource(image.name, image.url, image.sha512, "sha512", image.format)
    return ImageSource(image.name, image.url, str(image.sha256), "sha256", image.format)


def _position(documents: Documents, name: str, path: str) -> Position:
    """Where the value behind a field of the domain's spec was written."""
    head, *rest = path.split(".")
    return documents.position("VirtualMachine", name, WRITTEN_AS.get(head, head), *rest)


def _domain(documents: Documents, machine: VirtualMachine) -> DomainSpec:
    environment, identity = documents.environment, machine_identity(machine)
    return DomainSpec(
        host=machine.host,
        libvirt_name=machine.libvirt_name or host_name(environment, identity),
        uuid=machine.uuid or machine_uuid(environment, identity),
        accelerator=None,
        vcpus=machine.cpus,
        memory_bytes=machine.memory,
        running=machine.running,
        autostart=machine.autostart and not machine.starts_after,
        disks=(
            *(
                Disk(disk.name, disk.pool, _volume_name(documents, machine, disk))
                for disk in machine.disks
            ),
            *seed_disk(machine, host_name(environment, f"{identity}-{SEED}")),
        ),
        interfaces=tuple(_interface(documents, machine, each) for each in machine.networks),
        vcpus_maximum=machine.cpus_maximum,
        memory_maximum_bytes=machine.memory_maximum,
        cpu_model=machine.cpu_model,
        firmware=machine.firmware,
        tpm=machine.tpm,
        title=machine.description or None,
        first_boot=rerun_content(machine),
        after=machine.starts_after,
        networks=tuple(_reservations(documents, machine)) or None,
        snapshot_from=SNAPSHOT_FROM[documents.policy.snapshot_before],
        pending_restart=False if machine.restart == "automatic" else None,
    )


def _interface(
    documents: Documents, machine: VirtualMachine, attachment: AttachmentField
) -> Interface:
    network = documents.networks[attachment.network]
    return Interface(
        mac=mac_of(documents.environment, machine, attachment),
        bridge=network.bridge,
        switch=network.switch,
        vlan=attachment.vlan or network.vlan,
        portgroup=network.portgroup or "",
        link=attachment.link,
        guarded=_guarded(network, attachment),
    )


def _guarded(network: Network, attachment: AttachmentField) -> str | None:
    """The address that the machine may send from; one that it is given is learned on the host."""
    if not network.guard_addresses or network.switch != "linux":
        return None
    return str(attachment.address) if attachment.address else GIVEN


def _reservations(documents: Documents, machine: VirtualMachine) -> Iterator[Address]:
    """Where the machine's addresses are kept for it, before it asks for them."""
    for attachment in machine.networks:
        network = documents.networks[attachment.network]
        if network.dhcp is None or attachment.address is None:
            continue
        if network.switch == "libvirt" and network.hosts:
            name = reservations_name(network.bridge, documents.environment)
            yield Address("libvirt_reservations", name)
        name = reservations_name(network.name, documents.environment)
        yield from (Address("reservations", name, server) for server in network.dhcp.servers)


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
        content=root_content(machine) if is_root else None,
        image=image_source(image) if image else None,
        overlay=is_root and disk.image == "overlay",
    )
    former = volume_address(machine.renamed_from, disk.name) if machine.renamed_from else None
    position = documents.position("VirtualMachine", machine.name, "disks", disk.name)
    address = volume_address(machine.name, disk.name)
    return Desired(address, spec, position, former, adopts=machine.adopt)


def _volume_name(documents: Documents, machine: VirtualMachine, disk: DiskField) -> str:
    return disk.volume or host_name(
        documents.environment, f"{machine_identity(machine)}-{disk.name}"
    )
