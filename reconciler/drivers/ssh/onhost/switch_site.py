"""The directory of the dead man's switch on a host, its files, and the programs of the host.

One name says how far a change on trial is. Who renames it first has it, so that it is never both
confirmed and taken back:

    armed.json -> settled.json                a new connection said that all is well
    armed.json -> firing.json -> fired.json   the time was over, or the host has started anew
"""

from __future__ import annotations

import contextlib
import json
import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Run = Callable[[list[str], bytes, float], "tuple[int, str]"]

DIRECTORY = "/var/lib/reconciler"
ARMED, FIRING, FIRED, SETTLED = "armed.json", "firing.json", "fired.json", "settled.json"
STORY, UNDONE, RESULT = "story.json", "undone.json", "result.json"
QUICK_SECONDS, SLOW_SECONDS = 10.0, 60.0
TOO_LONG, MISSING = 124, 127
_ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LC_ALL": "C.UTF-8",
    "SYSTEMD_COLORS": "0",
    "SYSTEMD_PAGER": "",
}


class Site:
    """Where things are: the root of the host's files, and the directory of the switch below it."""

    __slots__ = ("directory", "pause", "root", "run")

    def __init__(
        self,
        run: Run,
        directory: str = DIRECTORY,
        root: str = "",
        pause: Callable[[float], object] = time.sleep,
    ) -> None:
        """`run` runs a command with an input and a time limit; code and output come back."""
        self.run = run
        self.pause = pause
        self.root = root
        self.directory = f"{root}{directory}/switch"

    def file(self, name: str) -> str:
        """A file of the switch."""
        return f"{self.directory}/{name}"

    def read(self, name: str) -> Any:
        """What a file of the switch says; None if there is none, or only half of one."""
        try:
            with open(self.file(name), "rb") as file:  # noqa: PTH123 - pathlib is slow to import
                return json.load(file)
        except (FileNotFoundError, NotADirectoryError, ValueError):
            return None

    def write(self, name: str, content: Any) -> None:
        """Replace a file of the switch, wholly or not at all, safe from a loss of power."""
        text = json.dumps(content, sort_keys=True).encode()
        write_whole(self.file(name), text, 0o600, None)

    def move(self, old: str, new: str) -> bool:
        """Rename a file of the switch; False if somebody else was faster."""
        try:
            os.rename(self.file(old), self.file(new))  # noqa: PTH104
        except FileNotFoundError:
            return False
        sync_directory(self.directory)
        return True

    def remove(self, name: str) -> None:
        """Take a file of the switch away, if it is there."""
        remove(self.file(name))

    def boot(self) -> str:
        """Names this run of the host: of its kernel and, for a container, of its first process."""
        with open(f"{self.root}/proc/sys/kernel/random/boot_id") as file:  # noqa: PTH123
            return f"{file.read().strip()} {started_at(1, self.root)}"


def run_here(argv: list[str], stdin: bytes, seconds: float) -> tuple[int, str]:
    """Run a program of the host; its code and all that it said."""
    import subprocess

    try:
        done = subprocess.run(  # noqa: S603
            argv,
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=seconds,
            env=_ENVIRONMENT,
            cwd="/",
            check=False,
        )
    except (FileNotFoundError, PermissionError):
        return MISSING, f"there is no program {argv[0]} here"
    except subprocess.TimeoutExpired:
        return TOO_LONG, f"{argv[0]} was not done within {seconds:g} s"
    return done.returncode, done.stdout.decode(errors="replace")


def started_at(pid: int, root: str = "") -> str | None:
    """When a process began, in the kernel's ticks: with its number this names it for good."""
    try:
        with open(f"{root}/proc/{pid}/stat") as file:  # noqa: PTH123
            return file.read().rpartition(")")[2].split()[19]
    except (FileNotFoundError, ProcessLookupError):
        return None


def write_whole(path: str, content: bytes, mode: int, owner: tuple[int, int] | None) -> None:
    """Replace a file, wholly or not at all, safe from a loss of power."""
    new = beside(path)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    try:
        with os.fdopen(os.open(new, flags, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            if owner is not None:
                os.fchown(file.fileno(), *owner)
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        os.replace(new, path)  # noqa: PTH105
    except BaseException:
        remove(new)
        raise
    sync_directory(parent(path))


def beside(path: str) -> str:
    """A name in the same directory that nobody has."""
    return f"{parent(path)}/.reconciler-{os.urandom(5).hex()}"


def parent(path: str) -> str:
    """The directory that a path is in."""
    return path.rpartition("/")[0] or "/"


def remove(path: str) -> None:
    """No such file, from now on."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)  # noqa: PTH108


def sync_directory(path: str) -> None:
    """What was renamed in it stays so through a loss of power."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
