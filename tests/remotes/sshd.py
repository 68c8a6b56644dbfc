"""A real sshd on loopback with keys of its own, which can be frozen, killed and given another key.

`Silence` is a server that takes connections and never says a word.
"""

from __future__ import annotations

import getpass
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from reconciler.drivers.ssh.access import Access
from reconciler.drivers.ssh.shell import Shell

ADDRESS = "127.0.0.1"
_CONFIGURATION = """\
ListenAddress {address}:{port}
HostKey {directory}/host
AuthorizedKeysFile {directory}/user.pub
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
PermitRootLogin prohibit-password
PermitUserRC no
SetEnv HOME={directory}/home
"""


@dataclass
class Sshd:
    """A server, and what its operator needs to reach it."""

    directory: Path
    port: int = 0
    _process: subprocess.Popen[bytes] | None = None
    _frozen: list[int] = field(default_factory=list)

    def start(self) -> None:
        """Begin to listen, at the same port each time.

        The home is an empty one: what a person's shell does first may take long, and must not be
        killed in the middle.
        """
        self.port = self.port or free_port()
        (self.directory / "home").mkdir(exist_ok=True)
        for name in ("host", "user"):
            make_key(self.directory / name)
        configuration = self.directory / "sshd_config"
        configuration.write_text(
            _CONFIGURATION.format(address=ADDRESS, port=self.port, directory=self.directory)
        )
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # it refuses to run without
        program = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/sbin") or "/usr/sbin/sshd"
        self._process = subprocess.Popen(
            [program, "-D", "-e", "-f", str(configuration)],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        self._await_banner()

    def _await_banner(self) -> None:
        assert self._process is not None
        assert self._process.stderr is not None
        line = self._process.stderr.readline()
        assert b"listening" in line, line

    def known_hosts(self, key: Path | None = None) -> Path:
        """A file that pins this key of the server's, or another."""
        file = self.directory / f"known_hosts.{(key or Path('host')).name}"
        public = (key or self.directory / "host").with_suffix(".pub").read_text().split()[:2]
        file.write_text(f"[{ADDRESS}]:{self.port} {' '.join(public)}\n")
        return file

    def access(self, **changes: Any) -> Access:
        """The right way in, apart from the changes."""
        standard: dict[str, Any] = {
            "key_file": self.directory / "user",
            "known_hosts": self.known_hosts(),
            "user": getpass.getuser(),
            "port": self.port,
            "connect_deadline": timedelta(seconds=20),
            "deadline": timedelta(seconds=30),
        }
        return Access(**{**standard, **changes})

    def shell(self, **changes: Any) -> Shell:
        """A shell on it, whose writers' lock is in the test's directory."""
        lock = str(self.directory / "lock")
        return Shell("virt1", ADDRESS, self.access(**changes), directory=lock)

    def sessions(self) -> list[int]:
        """The processes of the connections it serves, the oldest first."""
        assert self._process is not None
        return descendants(self._process.pid)

    def freeze(self) -> None:
        """Stop it and all its connections, which stay open."""
        assert self._process is not None
        self._frozen = [self._process.pid, *self.sessions()]
        for process in self._frozen:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        for process in self._frozen:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGCONT)
        self._frozen = []

    def break_connections(self) -> None:
        """Kill what serves the connections; the server goes on."""
        for process in self.sessions():
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)

    def stop(self) -> None:
        """End it and its connections."""
        if self._process is None:
            return
        self.thaw()
        self.break_connections()
        self._process.kill()
        self._process.wait()
        if self._process.stderr is not None:
            self._process.stderr.close()
        self._process = None


@contextmanager
def running_sshd(directory: Path) -> Iterator[Sshd]:
    """A server, for as long as the block."""
    server = Sshd(directory)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def silence() -> Iterator[int]:
    """The port of a server that takes connections and says nothing."""
    with socket.create_server((ADDRESS, 0)) as listening:
        yield int(listening.getsockname()[1])


def make_key(file: Path) -> Path:
    """A new key pair, unless it is there."""
    if not file.exists():
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", file], check=True)
    return file


def free_port() -> int:
    with socket.create_server((ADDRESS, 0)) as listening:
        return int(listening.getsockname()[1])


def descendants(process: int) -> list[int]:
    """The children of a process, and theirs."""
    try:
        children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    except (FileNotFoundError, ProcessLookupError):
        return []
    found = []
    for child in map(int, children):
        found += [child, *descendants(child)]
    return found
