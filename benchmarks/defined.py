"""A config repository whose machines are the domains of the libvirt benchmark."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks.farm import PER_FILE, repository_of
from benchmarks.libvirt_host import (
    BRIDGE,
    ENVIRONMENT,
    POOL,
    Reach,
    disk_name,
    domain_name,
    mac,
    uuid_of,
)
from reconciler.drivers.libvirt_.marks import Mark
from reconciler.engine.verify import Look
from reconciler.kinds.volume_operations import CreateVolume


def repository(directory: Path, reach: Reach, machines: int) -> Path:
    """A git repository that describes so many machines on that host."""
    return repository_of(_documents(reach, machines), directory, ENVIRONMENT)


def wanted_disks(look: Look) -> dict[str, Mark]:
    """The marks of the volumes that are to be made, by name, as if they had been made."""
    steps = [step for change in look.plan.changes for step in change.operations]
    return {
        step.volume.name: Mark(step.owner, step.volume.content, step.volume.format)
        for step in steps
        if isinstance(step, CreateVolume)
    }


def _documents(reach: Reach, machines: int) -> Iterator[tuple[str, str]]:
    yield "farm.yaml", "kind: Farm\nname: farm\ndomain: farm.internal\ncontact: ops@farm.internal\n"
    yield f"environments/{ENVIRONMENT}/environment.yaml", _ENVIRONMENT
    yield (
        "networks/lan.yaml",
        f"kind: Network\nname: lan\nsubnet: 10.0.0.0/8\nbridge: {BRIDGE}\n",
    )
    yield f"hosts/{reach.name}.yaml", _host(reach)
    for first in range(0, machines, PER_FILE):
        group = range(first, min(first + PER_FILE, machines))
        yield f"vms/group-{first}.yaml", "---\n".join(_machine(number) for number in group)


def _host(reach: Reach) -> str:
    return f"""kind: Host
name: {reach.name}
environment: {ENVIRONMENT}
address: {reach.address}
memory: 999 GiB
accelerator: qemu
pools:
  - {{name: {POOL}, size: 9 TiB, target: /var/lib/libvirt/images}}
"""


def _machine(number: int) -> str:
    name = domain_name(number)
    return f"""kind: VirtualMachine
name: vm-{number}
libvirt_name: {name}
uuid: {uuid_of(name)}
memory: 64 MiB
running: false
autostart: false
disks:
  - {{name: root, size: 1 MiB, format: raw, volume: {disk_name(number)}}}
networks:
  - network: lan
    address: 10.{1 + number // 40000}.{number // 200 % 200}.{1 + number % 200}
    mac: {mac(number)}
"""


_ENVIRONMENT = f"kind: Environment\nname: {ENVIRONMENT}\ndomain: farm.internal\n"
