"""What the benchmark of bases wants on each host, and the config repository that says so."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.farm import commit, repository_of
from benchmarks.libvirt_host import ENVIRONMENT, Reach

PACKAGES = (
    "bind9",
    "dmidecode",
    "e2fsprogs",
    "ethtool",
    "grep",
    "iproute2",
    "iptables",
    "kea-dhcp4-server",
    "kmod",
    "libvirt-clients",
)
SERVICES = ("kea-dhcp4-server", "lab-switch", "libvirt-guests", "named", "ssh")
FILES = tuple(f"/etc/bench-{number}.conf" for number in range(20))
_FARM = "kind: Farm\nname: farm\ndomain: farm.internal\ncontact: ops@farm.internal\n"
_ENVIRONMENT = f"kind: Environment\nname: {ENVIRONMENT}\ndomain: farm.internal\n"
_STACK = "stacks/virthost.yaml"


def content(path: str, edition: int) -> str:
    """What a file holds, about 1 KiB; only the first file differs between editions."""
    changing = edition if path == FILES[0] else 0
    return "".join(f"{path} edition {changing} line {line}\n" for line in range(24))


def repository(directory: Path, reaches: Sequence[Reach]) -> Path:
    """A git repository that describes these hosts."""
    return repository_of(_documents(reaches), directory, ENVIRONMENT)


def edit(work: Path, edition: int) -> None:
    """Commit another edition of the one file that all hosts have."""
    (work / _STACK).write_text(_stack(edition))
    commit(work)


def _documents(reaches: Sequence[Reach]) -> Iterator[tuple[str, str]]:
    yield "farm.yaml", _FARM
    yield f"environments/{ENVIRONMENT}/environment.yaml", _ENVIRONMENT
    yield _STACK, _stack(0)
    for reach in reaches:
        document = {
            "kind": "Host",
            "name": reach.name,
            "environment": ENVIRONMENT,
            "address": reach.address,
            "memory": "2 GiB",
            "accelerator": "qemu",
            "stack": "virthost",
        }
        yield f"hosts/{reach.name}.yaml", json.dumps(document)


def _stack(edition: int) -> str:
    document = {
        "kind": "Stack",
        "name": "virthost",
        "packages": [{"name": name} for name in PACKAGES],
        "files": [
            {"path": path, "mode": "0644", "owner": "root:root", "content": content(path, edition)}
            for path in FILES
        ],
        "services": [{"name": name, "enabled": True, "running": True} for name in SERVICES],
    }
    return json.dumps(document)
