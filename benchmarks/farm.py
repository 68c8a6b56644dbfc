"""A farm of any size: its documents, its git repository and its simulated hosts."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

from reconciler.drivers.simulated.state import FarmState, Host, Pool, Server

HOSTS = 40
PER_FILE = 10
GIB = 1 << 30
_GIT = ("git", "-c", "user.name=bench", "-c", "user.email=bench@farm.internal")


def documents(machines: int) -> Iterator[tuple[str, str]]:
    """The files of a config repository with so many machines, ten in a file."""
    yield "farm.yaml", "kind: Farm\nname: farm\ndomain: farm.internal\ncontact: ops@farm.internal\n"
    yield "environments/production/environment.yaml", _ENVIRONMENT
    yield "networks/lan.yaml", "kind: Network\nname: lan\nsubnet: 10.0.0.0/8\nbridge: br-lan\n"
    yield "stacks/web.yaml", "kind: Stack\nname: web\ncpus: 2\nmemory: 2 GiB\n"
    yield "zones/farm.yaml", _ZONE
    for number in range(HOSTS):
        yield f"hosts/virt{number}.yaml", _host(number, machines)
    for first in range(0, machines, PER_FILE):
        group = range(first, min(first + PER_FILE, machines))
        yield f"vms/group-{first}.yaml", "---\n".join(machine(number) for number in group)


def machine(number: int, memory: str = "2 GiB") -> str:
    """The document of one machine."""
    high, middle, low = number >> 16, (number >> 8) & 255, number & 255
    return f"""kind: VirtualMachine
name: vm-{number}
stack: web
memory: {memory}
disks:
  - {{name: root, size: 16 GiB}}
  - {{name: data, size: 8 GiB}}
networks:
  - network: lan
    address: 10.{1 + number // 40000}.{number // 200 % 200}.{1 + number % 200}
    mac: 52:54:00:{high:02x}:{middle:02x}:{low:02x}
"""


def repository(directory: Path, machines: int) -> Path:
    """A git repository whose branch `production` describes the farm."""
    return repository_of(documents(machines), directory, "production")


def repository_of(files: Iterable[tuple[str, str]], directory: Path, branch: str) -> Path:
    """A git repository with these files, by path, on this branch."""
    directory.mkdir(parents=True)
    _run("init", "-q", "-b", branch, cwd=directory)
    for path, text in files:
        file = directory / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    commit(directory)
    return directory


def commit(directory: Path) -> None:
    """Commit all that is there."""
    _run("add", "-A", cwd=directory)
    _run("commit", "-qm", "Change the farm", cwd=directory)


def hosts(machines: int) -> FarmState:
    """The hosts and the name server that the documents want."""
    memory = _memory(machines) * GIB
    pools = {"default": Pool(capacity_bytes=1 << 50)}
    host = Host(memory_bytes=memory, cpus=256, bridges=("br-lan",), pools=pools)
    return FarmState(
        hosts={f"virt{number}": host for number in range(HOSTS)}, nameservers={"ns": Server()}
    )


def _host(number: int, machines: int) -> str:
    return f"""kind: Host
name: virt{number}
environment: production
address: 10.255.0.{number + 1}
memory: {_memory(machines)} GiB
pools:
  - {{name: default, size: 900 TiB, target: /srv}}
"""


def _memory(machines: int) -> int:
    return max(64, machines * 3 // HOSTS)


def _run(*arguments: str, cwd: Path) -> None:
    subprocess.run([*_GIT, *arguments], cwd=cwd, check=True, capture_output=True)


_ENVIRONMENT = "kind: Environment\nname: production\ndomain: farm.internal\n"
_ZONE = """kind: Zone
name: farm.internal
server: ns
primary: ns
nameservers: [ns]
reverse: [lan]
records:
  - {name: ns, type: A, values: [10.255.1.1]}
"""
