"""The lab as tests see it: its hosts by name, what to do to them, and what the guests tell.

Nothing here goes through the product: it is how a test checks by other means what the product
did.
"""

from __future__ import annotations

import fcntl
import re
import shlex
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

CHECKOUT = Path(__file__).parents[2]
COMMAND = CHECKOUT / "deploy/lab/lab"
PATIENCE = timedelta(seconds=30)
CLEANUP = Path(__file__).with_name("clean-host")
STATUS_PORT = 7


@dataclass(frozen=True, slots=True)
class Result:
    """How a command on a host ended."""

    code: int
    stdout: str
    stderr: str


@dataclass(frozen=True, slots=True)
class LabHost:
    """A host of the lab, reached by plain ssh."""

    name: str
    address: str
    ssh_key: Path
    known_hosts: Path

    def run(self, *argv: str, stdin: bytes = b"", within: timedelta = PATIENCE) -> str:
        """What a command prints; fails the test if the command fails or takes too long."""
        result = self.attempt(*argv, stdin=stdin, within=within)
        assert result.code == 0, (
            f"{shlex.join(argv)} on {self.name}: exit {result.code}\n{result.stderr}"
        )
        return result.stdout

    def attempt(self, *argv: str, stdin: bytes = b"", within: timedelta = PATIENCE) -> Result:
        """Run a command that may fail.

        Raises:
            subprocess.TimeoutExpired: it took longer than `within`; it may still run.
        """
        done = subprocess.run(
            [*self._ssh(), shlex.join(argv)],
            input=stdin,
            capture_output=True,
            timeout=within.total_seconds(),
            check=False,
        )
        return Result(done.returncode, done.stdout.decode(), done.stderr.decode("utf-8", "replace"))

    def write_file(self, path: str, content: bytes) -> None:
        """Put a file on the host."""
        self.run("dd", f"of={path}", "status=none", stdin=content)

    def _ssh(self) -> list[str]:
        options = {
            "IdentityFile": self.ssh_key,
            "IdentitiesOnly": "yes",
            "IdentityAgent": "none",
            "UserKnownHostsFile": self.known_hosts,
            "StrictHostKeyChecking": "yes",
            "BatchMode": "yes",
            "ConnectTimeout": "5",
        }
        flags = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
        return ["ssh", "-F", "none", *flags, f"root@{self.address}"]

    def clean(self) -> None:
        """Leave no guest, no volume and no mark of ours; wake up what a test put to sleep."""
        self.run("bash", "-s", stdin=CLEANUP.read_bytes(), within=timedelta(seconds=60))


@dataclass(frozen=True, slots=True)
class Lab:
    """The lab that runs, and what `make lab` put beside it."""

    directory: Path
    hosts: Mapping[str, LabHost]

    @property
    def ssh_key(self) -> Path:
        """The key that the reconciler logs in with."""
        return self.directory / "keys/reconciler"

    @property
    def known_hosts(self) -> Path:
        """The hosts' pinned keys, by name and by address."""
        return self.directory / "keys/known_hosts"

    @property
    def settings(self) -> Path:
        """The operator's settings that point at the lab."""
        return self.directory / "reconciler.yaml"

    @property
    def repository(self) -> Path:
        """The config repository that describes the lab."""
        return self.directory / "farm"

    def image(self, name: str) -> Path:
        """The file of a guest's image: `tiny` or `debian-12`."""
        return self.directory / "images" / f"{name}.qcow2"

    def checksum(self, name: str) -> str:
        """The sha256 of a guest's image, in hexadecimal."""
        return self.image(name).with_suffix(".qcow2.sha256").read_text().strip()

    def boot(self) -> None:
        """Boot the hosts that do not run, with the files they had."""
        call("up", self.directory, "--hosts", str(len(self.hosts)))

    def kill(self, host: str) -> None:
        """Cut a host's power. `boot` brings it back."""
        call("kill", self.directory, host)

    @contextmanager
    def frozen(self, host: str) -> Iterator[None]:
        """Nothing on the host runs, and its connections stay open."""
        call("freeze", self.directory, host)
        try:
            yield
        finally:
            call("thaw", self.directory, host)

    @contextmanager
    def cut_off(self, host: str) -> Iterator[None]:
        """The host runs, and nobody reaches it on the management network."""
        call("cut", self.directory, host)
        try:
            yield
        finally:
            call("mend", self.directory, host)


def call(action: str, directory: Path, *arguments: str) -> str:
    """Run the lab's own command; what it says is the reason if it fails."""
    done = subprocess.run(
        [COMMAND, action, "--dir", directory, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, f"{COMMAND} {action}: exit {done.returncode}\n{done.stdout}"
    return done.stdout


def start(directory: Path, *, hosts: int = 2) -> Lab:
    """The lab with so many hosts, brought up unless it is up."""
    call("up", directory, "--hosts", str(hosts))
    status = call("status", directory, "--hosts", str(hosts))
    found = re.findall(r"^(\S+) runs at (\S+)$", status, re.MULTILINE)
    keys = directory / "keys"
    return Lab(
        directory,
        {
            name: LabHost(name, address, keys / "reconciler", keys / "known_hosts")
            for name, address in found
        },
    )


@contextmanager
def taken(directory: Path, host: str) -> Iterator[None]:
    """The host is this test's alone, also against other runs of the tests."""
    with (directory / f"{host}.taken").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def eventually(
    look: Callable[[], T | None], *, within: timedelta = PATIENCE, every_seconds: float = 0.2
) -> T:
    """What `look` gives as soon as it gives something; fails the test if it never does."""
    last = time.monotonic() + within.total_seconds()
    while (found := look()) is None:
        assert time.monotonic() < last, f"not within {within.total_seconds():.0f} s"
        threading.Event().wait(every_seconds)
    return found


# ------------------------------------------------------------------------------- the tiny guest


@dataclass(frozen=True, slots=True)
class GuestStatus:
    """What the tiny guest tells about itself.

    `boots` and `ticks` (seconds counted) are on its disk: if ticks go on and boots are the same,
    neither the guest nor its disk was replaced.
    """

    hostname: str
    uptime_seconds: float
    boot_id: str
    boots: int
    ticks: int
    cpus: int
    memory_kib: int
    disks: Mapping[str, int]
    """Size in bytes by name, such as vda."""
    links: Mapping[str, str]
    """`MAC carrier` by name, such as eth0; the carrier is 1 or 0."""


def ask_guest(address: str) -> GuestStatus | None:
    """The status of a tiny guest; None if nobody answers there."""
    try:
        with socket.create_connection((address, STATUS_PORT), timeout=1) as connection:
            connection.settimeout(5)
            text = b"".join(iter(lambda: connection.recv(4096), b"")).decode()
    except OSError:
        return None
    told = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    is_whole = "memory_kib" in told and told["ticks"]  # which the guest may just be writing
    return _status(told) if is_whole else None


def _status(told: Mapping[str, str]) -> GuestStatus:
    return GuestStatus(
        hostname=told["hostname"],
        uptime_seconds=float(told["uptime_seconds"]),
        boot_id=told["boot_id"],
        boots=int(told["boots"]),
        ticks=int(told["ticks"]),
        cpus=int(told["cpus"]),
        memory_kib=int(told["memory_kib"]),
        disks={key[5:]: int(told[key]) for key in told if key.startswith("disk.")},
        links={key[5:]: told[key] for key in told if key.startswith("link.")},
    )


def await_guest(address: str, *, within: timedelta = timedelta(seconds=60)) -> GuestStatus:
    """The status of a tiny guest as soon as it answers."""
    return eventually(lambda: ask_guest(address), within=within)
