"""The product's drivers on the hosts of the lab, and the tiny guest as the port speaks of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_DNS, uuid5

from reconciler.cli.repository import pause
from reconciler.config.documents import Host
from reconciler.drivers.farm import Means, RealFarm
from reconciler.drivers.images.rules import ImageRules
from reconciler.drivers.ssh.access import Access
from reconciler.model.resource import Owner
from reconciler.ports.hypervisor import (
    Disk,
    DomainDefinition,
    Hypervisor,
    ImageSource,
    Interface,
    NewVolume,
    Seed,
)
from tests.system.lab import Lab

MIB = 1024**2
POOL = "default"
OWNER = Owner("production", "web", "0123456789abcdef")
_SEED = """\
version: 2
ethernets:
  lan: {{match: {{macaddress: '{mac}'}}, addresses: [{address}/24]}}
"""


@contextmanager
def driven(lab: Lab, state: Path, **means: Any) -> Iterator[RealFarm]:
    """The farm of the lab, with everything the product uses for a real one."""
    hosts = {name: _described(name, host.address) for name, host in lab.hosts.items()}
    farm = RealFarm(
        lambda: hosts,
        Means(
            access=Access(lab.ssh_key, lab.known_hosts),
            images=ImageRules(directories=(lab.directory / "images",)),
            state_directory=state,
            now=lambda: datetime.now(UTC),  # noqa: TID251 - a real farm lives in real time
            monotonic=time.monotonic,
            sleep=pause,
            **means,
        ),
    )
    try:
        yield farm
    finally:
        farm.close()


def make_tiny(
    lab: Lab, hypervisor: Hypervisor, name: str, address: str, **changes: Any
) -> DomainDefinition:
    """A tiny guest with a seed, defined and started; it answers at the address soon."""
    definition = tiny(name, address, **changes)
    image = ImageSource("tiny", str(lab.image("tiny")), lab.checksum("tiny"))
    root = NewVolume(POOL, f"{name}-root", "qcow2", 256 * MIB, image=image)
    hypervisor.create_volume(root, OWNER)
    mac = definition.interfaces[0].mac
    seed = Seed(
        f"local-hostname: {name}\n", "#cloud-config\n", _SEED.format(mac=mac, address=address)
    )
    hypervisor.create_volume(NewVolume(POOL, f"{name}-seed", "iso", MIB, seed=seed), OWNER)
    hypervisor.define_domain(definition, OWNER)
    hypervisor.start_domain(name)
    return definition


def tiny(name: str, address: str, **changes: Any) -> DomainDefinition:
    """The definition of a tiny guest."""
    number = int(address.rpartition(".")[2])
    definition = DomainDefinition(
        name=name,
        uuid=str(uuid5(NAMESPACE_DNS, name)),
        accelerator="qemu",
        vcpus=1,
        memory_bytes=96 * MIB,
        disks=(
            Disk("root", POOL, f"{name}-root"),
            Disk("seed", POOL, f"{name}-seed", device="cdrom"),
        ),
        interfaces=(Interface(f"52:54:00:00:00:{number:02x}", "br-lan"),),
    )
    return replace(definition, **changes)


def _described(name: str, address: str) -> Host:
    return Host.model_validate(
        {
            "kind": "Host",
            "name": name,
            "environment": "development",
            "address": address,
            "memory": "4 GiB",
            "accelerator": "qemu",
        }
    )
