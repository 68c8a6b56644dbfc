"""A machine as a provider hands it over, beside the lab: root has a password, and little else."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from tests.system.lab import Lab, LabHost, eventually, taken
from tests.system.mirror import mirror_of

ADDRESS, PASSWORD, PROXY_PORT = "10.213.7.99", "correct-horse", 3199
SCRIPT = Path(__file__).with_name("fresh-host")
CGROUP = "reconciler-fresh"
FINISHED = timedelta(minutes=5)
DOCUMENT = f"""\
kind: Host
name: fresh
environment: development
address: {ADDRESS}
memory: 4 GiB
accelerator: qemu
"""


@dataclass
class Fresh:
    """The machine, and an operator's desk from which it is bootstrapped."""

    lab: Lab
    desk: Path

    @property
    def known_hosts(self) -> Path:
        """The operator's pins."""
        return self.desk / "known_hosts"

    @property
    def host(self) -> LabHost:
        """The machine as our key reaches it, once it does."""
        return LabHost("fresh", ADDRESS, self.lab.ssh_key, self.known_hosts)

    def describe(self, more: str = "") -> None:
        """Say in the config repository what the machine is."""
        repository = self.desk / "repository"
        if not repository.exists():
            self.reconciler("init", str(repository))
            shutil.rmtree(repository / "hosts")
            (repository / "hosts").mkdir()
            for place in ("vms", "environments"):
                for file in (repository / place).rglob("*.yaml"):
                    if "kind: VirtualMachine" in file.read_text():
                        file.unlink()
        (repository / "hosts" / "fresh.yaml").write_text(DOCUMENT + more)
        for line in (
            "symbolic-ref HEAD refs/heads/development",
            "add --all",
            "-c user.name=A -c user.email=a@b.c commit --quiet --message=Describe",
        ):
            subprocess.run(["git", "-C", repository, *line.split()], check=True)
        (self.desk / "reconciler.yaml").write_text(
            f"repository: {{url: {repository}}}\nenvironments: [development]\n"
            f"state_directory: {self.desk}/state\n"
            f"hosts: {{ssh_key: {self.lab.ssh_key}, known_hosts: known_hosts}}\n"
        )
        self.known_hosts.touch()
        (self.desk / "password").touch(mode=0o600)
        (self.desk / "password").write_text(f"{PASSWORD}\n")

    def fingerprint(self) -> str:
        """That of the host key that the machine has now, read from its disk."""
        key = self.lab.directory / "fresh/upper/etc/ssh/ssh_host_ed25519_key.pub"
        shown = subprocess.run(["ssh-keygen", "-lf", key], capture_output=True, check=True)
        return shown.stdout.decode().split()[1]

    def command(self, *arguments: str) -> list[str]:
        """The words of a command line of ours."""
        config = ["--config", str(self.desk / "reconciler.yaml")]
        is_made = (self.desk / "reconciler.yaml").exists()
        return [sys.executable, "-m", "reconciler", *(config if is_made else []), *arguments]

    def reconciler(self, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        done = subprocess.run(
            self.command(*arguments),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=FINISHED.total_seconds(),
            check=False,
        )
        assert done.returncode == code, (
            f"{done.args}: {done.returncode}\n{done.stdout}{done.stderr}"
        )
        return done

    def bootstrap(self, *options: str) -> list[str]:
        """The words of a bootstrap by password, whose host key was compared."""
        password = str(self.desk / "password")
        known = ["--host-key", self.fingerprint()]
        return ["host", "bootstrap", "fresh", "--password-file", password, *known, *options]

    @contextmanager
    def going(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        """A command that is at work; killed at the end of the block unless it has ended."""
        process = subprocess.Popen(
            self.command(*arguments),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
            process.wait()
            if process.stdout is not None:
                process.stdout.close()

    def act(self, action: str) -> None:
        """Boot or stop the machine."""
        subprocess.run(
            [SCRIPT, action, self.lab.directory],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            check=True,
            timeout=120,
        )

    def await_end(self) -> None:
        """Wait until the machine has gone down by itself."""
        groups = subprocess.run(
            ["findmnt", "-nfo", "TARGET", "-t", "cgroup2"],
            capture_output=True,
            text=True,
            check=True,
        )
        events = Path(groups.stdout.strip()) / CGROUP / "cgroup.events"
        eventually(lambda: True if "populated 0" in events.read_text() else None)


@contextmanager
def fresh_machine(lab: Lab, desk: Path) -> Iterator[Fresh]:
    """A machine nobody has touched, for as long as the block."""
    machine = Fresh(lab, desk)
    mirror = mirror_of(lab.hosts["virt3"])
    with taken(lab.directory, "fresh"), _mirror(mirror):
        machine.act("make")
        try:
            machine.describe()
            yield machine
        finally:
            machine.act("remove")


@contextmanager
def _mirror(name: str) -> Iterator[None]:
    """The mirror of that name, as the machines of the lab can reach it."""

    class Pipe(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with socket.create_connection((name, 80), 30) as mirror:
                back = threading.Thread(target=_pour, args=(mirror, self.request))
                back.start()
                _pour(self.request, mirror)
                back.join()

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True
        block_on_close = False

    with Server(("10.213.7.1", PROXY_PORT), Pipe) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield
        server.shutdown()


def _pour(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
