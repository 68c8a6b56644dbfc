"""The neighbours of the benchmark of bases: pyinfra and Ansible, in environments of their own.

Each is set up as its documentation says, and as fast as it goes: all hosts at once, packages in one
operation. Ansible's modules run on the host with pipelining and a kept connection, without facts.
"""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from benchmarks import declared, peer
from benchmarks.declared import FILES, PACKAGES, SERVICES
from benchmarks.libvirt_host import Reach

PYINFRA = "pyinfra==3.10.0"
CACHE = Path(".cache")
APT = Path("/usr/lib/python3/dist-packages")
_DEPLOY = f"""\
from pyinfra.operations import apt, files, systemd

for path in {FILES!r}:
    files.put(src="." + path, dest=path, user="root", group="root", mode="644")
apt.packages(packages={list(PACKAGES)!r})
for name in {SERVICES!r}:
    systemd.service(service=name, running=True, enabled=True)
"""
_SETTINGS = """\
[defaults]
inventory = inventory.json
local_tmp = tmp
forks = 10
display_ok_hosts = false
[ssh_connection]
pipelining = true
"""
_PLAYBOOK: list[dict[str, Any]] = [
    {
        "hosts": "all",
        "gather_facts": False,
        "environment": {"PYTHONPATH": peer.LIBRARIES},
        "tasks": [
            {
                "name": "files",
                "ansible.builtin.copy": {
                    "src": "{{ playbook_dir }}{{ item }}",
                    "dest": "{{ item }}",
                    "owner": "root",
                    "group": "root",
                    "mode": "0644",
                },
                "loop": list(FILES),
            },
            {"name": "packages", "ansible.builtin.apt": {"name": list(PACKAGES)}},
            {
                "name": "services",
                "ansible.builtin.systemd_service": {
                    "name": "{{ item }}",
                    "enabled": True,
                    "state": "started",
                },
                "loop": list(SERVICES),
            },
        ],
    }
]


class Peer(Protocol):
    """A tool that does the same, its files in a directory."""

    @property
    def name(self) -> str:
        """What it is called, and its version."""

    def ready(self) -> AbstractContextManager[None]:
        """While this lasts, the tool can work."""

    def write(self, edition: int) -> None:
        """Write all that it is to do."""

    def run(self, *, changes: int) -> float:
        """How many seconds it takes.

        Raises:
            RuntimeError: it failed, or did not make so many changes on each host.
        """


@dataclass(frozen=True, slots=True)
class Pyinfra:
    """pyinfra's own command."""

    directory: Path
    reaches: Sequence[Reach]
    name: str = PYINFRA.replace("==", " ")

    @contextmanager
    def ready(self) -> Iterator[None]:
        """It is installed, unless it is there: 100 MiB, from PyPI."""
        if not self._program().exists():
            environment = self._program().parent.parent
            subprocess.run([sys.executable, "-m", "venv", environment], check=True)
            pip = str(self._program().with_name("pip"))
            subprocess.run([pip, "install", "--quiet", "--no-compile", PYINFRA], check=True)
        yield

    def write(self, edition: int) -> None:
        """Write the deploy, its inventory and the files."""
        _write_files(self.directory, edition)
        hosts = [(reach.name, self._host(reach)) for reach in self.reaches]
        (self.directory / "inventory.py").write_text(f"hosts = {hosts!r}\n")
        (self.directory / "deploy.py").write_text(_DEPLOY)

    def run(self, *, changes: int) -> float:
        """Run it; by its own table it changes so much on each host."""
        took, said = _run([self._program(), "-y", "inventory.py", "deploy.py"], self.directory)
        total = re.search(r"Grand total +\d+ +(\d+|-) +- +\d+", said)
        if total is None or total[1].replace("-", "0") != str(changes * len(self.reaches)):
            raise RuntimeError(f"pyinfra did not do what it should:\n{said[-2000:]}")
        return took

    def _program(self) -> Path:
        return CACHE.absolute() / "pyinfra" / "bin" / "pyinfra"

    def _host(self, reach: Reach) -> dict[str, str]:
        return {
            "ssh_hostname": reach.address,
            "ssh_user": reach.access.user,
            "ssh_key": str(reach.access.key_file.absolute()),
            "ssh_known_hosts_file": str(reach.access.known_hosts.absolute()),
        }


@dataclass(frozen=True, slots=True)
class Ansible:
    """Ansible's playbooks."""

    directory: Path
    reaches: Sequence[Reach]
    name: str = peer.PACKAGE.replace("==", " ")

    @contextmanager
    def ready(self) -> Iterator[None]:
        """It is installed, and the hosts are lent apt's bindings for Python."""
        peer.installed(CACHE.absolute() / "ansible")
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as tar:
            for file in (APT / "apt", *APT.glob("apt_*.so")):
                tar.add(file, file.name)
        try:
            for reach in self.reaches:
                command = f"mkdir -p {peer.LIBRARIES} && tar -x --no-same-owner -C {peer.LIBRARIES}"
                subprocess.run([*peer.ssh(reach), command], input=archive.getvalue(), check=True)
            yield
        finally:
            for reach in self.reaches:
                peer.remove_libraries(reach)

    def write(self, edition: int) -> None:
        """Write the playbook, its inventory and the files."""
        _write_files(self.directory, edition)
        hosts = {reach.name: peer.variables(reach) for reach in self.reaches}
        (self.directory / "ansible.cfg").write_text(_SETTINGS)
        (self.directory / "inventory.json").write_text(json.dumps({"all": {"hosts": hosts}}))
        (self.directory / "site.yaml").write_text(json.dumps(_PLAYBOOK))

    def run(self, *, changes: int) -> float:
        """Run the playbook; so many of its tasks change something on each host."""
        program = CACHE.absolute() / "ansible" / "bin" / "ansible-playbook"
        took, said = _run([program, "site.yaml"], self.directory)
        recap = re.findall(r"ok=\d+ +changed=(\d+) +unreachable=0 +failed=0", said)
        if recap != [str(changes)] * len(self.reaches):
            raise RuntimeError(f"Ansible did not do what it should:\n{said[-2000:]}")
        return took


def _write_files(directory: Path, edition: int) -> None:
    for path in FILES:
        file = directory / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(declared.content(path, edition))


def _run(argv: Sequence[str | Path], directory: Path) -> tuple[float, str]:
    environment = {
        "PATH": f"{Path(argv[0]).parent}:{os.environ['PATH']}",
        "HOME": str(directory),
        "LANG": "C.UTF-8",
    }
    began = time.perf_counter()
    done = subprocess.run(
        argv,
        cwd=directory,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    took = time.perf_counter() - began
    said = done.stdout + done.stderr
    if done.returncode:
        raise RuntimeError(f"{argv[0]} failed:\n{said[-3000:]}")
    return took, said
