"""The two tools, each as a process of its own: octoDNS with octodns-bind, and the program."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from benchmarks.farm import commit, repository_of
from benchmarks.names.named import KEY, Server
from benchmarks.names.records import ours, quoted, theirs, written
from tests.sealed.sealing import Reader, seal

PACKAGES = ("octodns==1.22.0", "octodns-bind==1.1.0")
CACHE = Path(".cache") / "octodns"
COMPILED = Path(".cache") / "compiled"
LAUNCH = Path(__file__).with_name("launch.py")
PROGRAM = Path(sys.executable).with_name("reconciler")
ENVIRONMENT = "production"
KIB = 1024
_CONFIG = """\
manager: {{max_workers: 1}}
providers:
  config:
    class: octodns.provider.yaml.YamlProvider
    directory: {directory}
    default_ttl: 3600
    enforce_order: false
  bind:
    class: octodns_bind.Rfc2136Provider
    host: {server.address}
    port: {server.port}
    timeout: 300
    key_name: {key}
    key_secret: {secret}
    key_algorithm: hmac-sha256
zones:
  {zone}.: {{sources: [config], targets: [bind]}}
"""
_SETTINGS = """\
repository: {{url: {work}}}
environments: [{environment}]
state_directory: {state}
hosts: {{ssh_key: {reader}, known_hosts: {reader}, deadline: 300s}}
secrets: {{identity: {reader}}}
"""
SERVER = "ns"
_NAMESERVER = """\
kind: Nameserver
name: {SERVER}
environment: {environment}
address: {server.address}
port: {server.port}
keys: {{production: "secret://dns/production"}}
"""
_RECORDS = "{kind: Farm, name: farm, domain: farm.internal, contact: a@farm.internal}\n"
_POLICY = "{{kind: Environment, name: {0}, domain: farm.internal, drift: heal}}\n"


@dataclass(frozen=True, slots=True)
class Took:
    """What a process took: seconds by the clock and of processors, and the most memory it had."""

    seconds: float
    cpu_seconds: float
    peak_mib: float


class Tool(Protocol):
    """One of the two, with its files in a directory."""

    @property
    def name(self) -> str:
        """What it is called."""

    def write(self, edition: int) -> None:
        """Write this edition of the zone."""

    def look(self) -> Took:
        """Compare the zone with what is written; there must be nothing to do.

        Raises:
            RuntimeError: there is, or it failed.
        """

    def change(self) -> Took:
        """Make the zone what is written.

        Raises:
            RuntimeError: it failed.
        """


@dataclass(frozen=True, slots=True)
class OctoDns:
    """octoDNS as its documentation has it; names need not be in order, which is quicker."""

    directory: Path
    zone: str
    count: int
    server: Server
    name: str = "octoDNS 1.22.0, octodns-bind 1.1.0"

    def install(self) -> None:
        """Install it, unless it is there: 20 MiB, from PyPI."""
        if not self._program().exists():
            subprocess.run([sys.executable, "-m", "venv", CACHE], check=True)
            pip = str(self._program().with_name("pip"))
            subprocess.run([pip, "install", "--quiet", *PACKAGES], check=True)

    def write(self, edition: int) -> None:
        """Write the zone, and how it is to be brought to the server."""
        zone = theirs(self.zone, self.count, self.server.address, edition)
        written(self.directory / f"{self.zone}.yaml", zone)
        config = _CONFIG.format(
            directory=self.directory,
            server=self.server,
            key=KEY,
            secret=quoted(self.server.secret),
            zone=self.zone,
        )
        written(self.directory / "config" / "octodns.yaml", iter([config]))

    def look(self) -> Took:
        """A run that plans."""
        took, said = measured(self._argv())
        if "No changes" not in said:
            raise _odd("octoDNS", said)
        return took

    def change(self) -> Took:
        """A run that plans and does it."""
        took, said = measured([*self._argv(), "--doit"])
        if not re.search(rf"Updates?={self.count // 100}\b", said):
            raise _odd("octoDNS", said)
        return took

    def _argv(self) -> list[str]:
        config = self.directory / "config" / "octodns.yaml"
        return [str(self._program()), "--config-file", str(config)]

    def _program(self) -> Path:
        return CACHE.absolute() / "bin" / "octodns-sync"


@dataclass(frozen=True, slots=True)
class Ours:
    """The program, from a git repository."""

    directory: Path
    zone: str
    count: int
    server: Server
    name: str = "reconciler"

    @property
    def settings(self) -> Path:
        """The operator's settings."""
        return self.directory / "settings.yaml"

    @property
    def work(self) -> Path:
        """The repository that people work in."""
        return self.directory / "work"

    def install(self) -> None:
        """Make the repository and the settings."""
        reader = Reader()
        key = reader.write(self.directory / "age.txt")
        secrets = seal({"production": self.server.secret}, [reader.recipient])
        files = {
            "farm.yaml": _RECORDS,
            f"environments/{ENVIRONMENT}/environment.yaml": _POLICY.format(ENVIRONMENT),
            "nameservers/ns.yaml": _NAMESERVER.format(
                SERVER=SERVER, environment=ENVIRONMENT, server=self.server
            ),
            "secrets/dns.sops.yaml": secrets,
        }
        repository_of(files.items(), self.work, ENVIRONMENT)
        state = self.directory / "state"
        text = _SETTINGS.format(work=self.work, environment=ENVIRONMENT, state=state, reader=key)
        self.settings.write_text(text)

    def write(self, edition: int) -> None:
        """Commit the zone."""
        zone = ours(self.zone, self.count, self.server.address, edition)
        written(self.work / f"environments/{ENVIRONMENT}/zone.yaml", zone)
        commit(self.work)

    def look(self) -> Took:
        """A plan, with nothing in memory."""
        took, said = measured(self._argv("plan"))
        if "Plan: 0 to create, 0 to update, 0 to move, 0 to delete" not in said:
            raise _odd("reconciler", said)
        return took

    def change(self) -> Took:
        """A sync, with nothing in memory."""
        took, _ = measured(self._argv("sync"))
        return took

    def _argv(self, action: str) -> list[str]:
        return [str(PROGRAM), "--config", str(self.settings), action, "-e", ENVIRONMENT]


def measured(argv: Sequence[str]) -> tuple[Took, str]:
    """Run a program to its end: what it took, with all that it started, and what it said.

    Raises:
        RuntimeError: it failed.
    """
    with tempfile.NamedTemporaryFile("r") as file:
        launch = [sys.executable, "-I", "-S", str(LAUNCH), file.name, *argv]
        done = subprocess.run(
            launch,
            env=_surroundings(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        told = file.read().split()
    if done.returncode:
        raise _odd(argv[0], done.stdout)
    seconds, cpu_seconds, peak_kib = map(float, told)
    return Took(seconds, cpu_seconds, peak_kib / KIB), done.stdout


def _surroundings() -> dict[str, str]:
    """Whatever is set here, both tools have their modules compiled, as an installed program has."""
    kept = {name: each for name, each in os.environ.items() if not name.startswith("PYTHON")}
    return {**kept, "PYTHONPYCACHEPREFIX": str(COMPILED.absolute())}


def _odd(what: str, said: str) -> RuntimeError:
    return RuntimeError(f"{what} did not do what it should:\n{said[-2000:]}")
