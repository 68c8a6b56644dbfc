"""libvirt over ssh, by the same pinned keys as everything else.

libvirt runs the ssh program. It is given one of ours in its place, which keeps ssh from the user's
own configuration, agents and keys, and says under which process number it runs: so a line that
hangs can be cut.
"""

from __future__ import annotations

import os
import shutil
import signal
import weakref
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote

import libvirt

from reconciler.drivers.libvirt_.events import start_event_loop
from reconciler.drivers.ssh.access import Access

KEEPALIVE_SECONDS = 5
KEEPALIVE_COUNT = 3
_PREFIX = "ssh-"

_PROGRAM = """\
#!/bin/sh
# ssh as libvirt runs it. Its process number is written down, so that it can be ended.
echo "$$" >"$0.pid"
exec ssh -F "${0%/*}/config" "$@"
"""

_CONFIGURATION = """\
Host *
    User {user}
    IdentityFile {key}
    IdentitiesOnly yes
    IdentityAgent none
    CertificateFile none
    StrictHostKeyChecking yes
    UserKnownHostsFile {known_hosts}
    GlobalKnownHostsFile /dev/null
    UpdateHostKeys no
    VerifyHostKeyDNS no
    BatchMode yes
    PreferredAuthentications publickey
    ConnectTimeout {connect_seconds}
    ServerAliveInterval {keepalive_seconds}
    ServerAliveCountMax {keepalive_count}
    ClearAllForwardings yes
    ForwardAgent no
    ControlMaster no
    ControlPath none
    LogLevel ERROR
"""


class SshProgram:
    """What libvirt runs as ssh: a configuration, and a program for each line."""

    def __init__(self, directory: Path, access: Access) -> None:
        """A directory of its own is made in this one; what dead processes left there is removed.

        Raises:
            OSError: it cannot be made, or others can put a program of theirs into it.
            ValueError: the name of a file cannot stand in a configuration of ssh.
        """
        self._access = access
        self._numbers = count(1)
        configuration = _configuration(access)
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        _refuse_shared(directory)
        _sweep(directory)
        self._directory = (directory / f"{_PREFIX}{os.getpid()}").absolute()
        while self._directory.exists():
            self._directory = self._directory.with_suffix(f".{next(self._numbers)}")
        self._directory.mkdir(mode=0o700)
        self._remove = weakref.finalize(self, shutil.rmtree, self._directory, ignore_errors=True)
        (self._directory / "config").write_text(configuration, encoding="utf-8")

    def dial(self, address: str) -> SshDial:
        """A connection to be, with a program of its own."""
        program = self._directory / f"line-{next(self._numbers)}"
        program.write_text(_PROGRAM, encoding="utf-8")
        program.chmod(0o700)
        return SshDial(_uri(address, self._access, program), program)

    def close(self) -> None:
        """Remove the directory."""
        self._remove()


@dataclass(frozen=True, slots=True)
class SshDial:
    """One connection over ssh, kept alive by libvirt's own questions."""

    uri: str
    program: Path

    def open(self) -> Any:
        """Open it.

        Raises:
            libvirt.libvirtError: the host or its libvirt does not answer, or does not let us in.
        """
        start_event_loop()
        connection = libvirt.open(self.uri)
        connection.setKeepAlive(KEEPALIVE_SECONDS, KEEPALIVE_COUNT)
        return connection

    def cut(self) -> None:
        """End the ssh process, if it still runs."""
        with suppress(OSError, ValueError):
            number = int(self._number_file.read_text("utf-8"))
            if _is_ours(number, self.program.parent):
                os.kill(number, signal.SIGKILL)

    def clear(self) -> None:
        """Remove the program."""
        with suppress(OSError):
            self.program.unlink(missing_ok=True)
            self._number_file.unlink(missing_ok=True)

    @property
    def _number_file(self) -> Path:
        return self.program.with_name(f"{self.program.name}.pid")


def _uri(address: str, access: Access, program: Path) -> str:
    place = f"[{address}]" if ":" in address else address
    return (
        f"qemu+ssh://{quote(access.user, safe='')}@{place}:{access.port}/system"
        f"?command={quote(str(program), safe='/')}&no_tty=1"
    )


def _configuration(access: Access) -> str:
    return _CONFIGURATION.format(
        user=access.user,
        key=_quoted(access.key_file),
        known_hosts=_quoted(access.known_hosts),
        connect_seconds=max(1, round(access.connect_deadline.total_seconds())),
        keepalive_seconds=KEEPALIVE_SECONDS,
        keepalive_count=KEEPALIVE_COUNT,
    )


def _quoted(path: Path) -> str:
    """A path for ssh's configuration, which expands % and has no way to write a quotation mark."""
    text = str(path.absolute())
    if not text.isprintable() or '"' in text or "\\" in text or "${" in text:
        message = f'{text}: ssh takes no path with ", \\ or ${{ in it; choose another name'
        raise ValueError(message)
    return '"' + text.replace("%", "%%") + '"'


def _refuse_shared(directory: Path) -> None:
    """Who can write here decides what libvirt runs as ssh, with our key."""
    for each in (directory, directory.parent):
        found = each.stat()
        if found.st_uid not in {0, os.geteuid()} or found.st_mode & 0o022:
            raise PermissionError(f"others may write {each}; chown it, and chmod 700 {each}")


def _is_ours(number: int, directory: Path) -> bool:
    """Whether the process is a child of this one and runs with our configuration."""
    process = Path("/proc") / str(number)
    parent = process.joinpath("stat").read_text("utf-8").rpartition(")")[2].split()[1]
    return int(parent) == os.getpid() and str(directory).encode() in (
        process.joinpath("cmdline").read_bytes()
    )


def _sweep(directory: Path) -> None:
    for left in directory.glob(f"{_PREFIX}*"):
        number = left.name.removeprefix(_PREFIX).partition(".")[0]
        if number.isdecimal() and not Path("/proc", number).exists():
            shutil.rmtree(left, ignore_errors=True)
