"""The machine that these modules run on: its root, the directory of ours there, its programs.

They run on the host itself, with whatever Python 3.9 or later it has, and are sent anew each time:
so each imports late and little.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import IO

DIRECTORY = "/var/lib/reconciler"
DEADLINE_SECONDS = 120.0
KILL_AFTER_SECONDS = 3.0  # before we are killed, who would leave the program without a lock
_MOST_BYTES = 2 * 1024 * 1024  # of what a program says, the end
_CHARACTERS = 500  # of what a person is told of it

# A fixed environment: what a program does must not depend on who logged in.
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LC_ALL": "C.UTF-8",
    "LANG": "C.UTF-8",
    "DEBIAN_FRONTEND": "noninteractive",
    "APT_LISTCHANGES_FRONTEND": "none",
    "NEEDRESTART_MODE": "l",
    "SYSTEMD_COLORS": "0",
    "SYSTEMD_PAGER": "",
}


class Refused(Exception):
    """An act that cannot be done, with the reason as people say it."""


class Ran:
    """How a program ended, and the end of what it said."""

    __slots__ = ("code", "stderr", "stdout")

    def __init__(self, code: int, stdout: str = "", stderr: str = "") -> None:
        self.code = code
        self.stdout = stdout
        self.stderr = stderr

    @property
    def complaint(self) -> str:
        """What went wrong, on one short line."""
        said = shortened(self.stderr) or shortened(self.stdout)
        return said or f"exit code {self.code}"


class Batch:
    """Acts that are done in one go on one host, and what the later need to know of the earlier.

    `written` are the sums of the files that were put in place. `reads` tells by unit which files
    will be asked of a service, `restarted` which contents it found when it began anew.
    """

    def __init__(
        self,
        *,
        root: str = "/",
        directory: str = DIRECTORY,
        run: Callable[..., Ran] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.root = root
        self.directory = directory
        self.run = run or run_program
        self.clock = clock
        self.written: dict[str, str] = {}
        self.reads: Mapping[str, Sequence[str]] = {}
        self.restarted: dict[str, dict[str, str | None]] = {}

    def path(self, path: str) -> str:
        """Where a path of the host is for us."""
        return path if self.root == "/" else self.root.rstrip("/") + path

    def must(self, *argv: str, what: str, seconds: float = DEADLINE_SECONDS) -> Ran:
        """Run a program that has to succeed.

        Raises:
            Refused: it did not; the error says what was to be done, and what the program said.
        """
        ran = self.run(argv, seconds=seconds)
        if ran.code:
            raise Refused(f"cannot {what}: {ran.complaint}")
        return ran

    def has(self, program: str) -> bool:
        """Whether the host has a program."""
        places = ENVIRONMENT["PATH"].split(":")
        return any(os.access(f"{self.path(place)}/{program}", os.X_OK) for place in places)


def run_program(argv: Sequence[str], *, seconds: float = DEADLINE_SECONDS) -> Ran:
    """Run a program to its end, with no input, in a session of its own.

    What it leaves running in the background is waited for no longer than for itself.

    Raises:
        Refused: there is no such program, or it took longer than that.
    """
    with _memory("stdout") as stdout, _memory("stderr") as stderr:
        code = _code_of(argv, seconds, stdout, stderr)
        return Ran(code, _end_of(stdout), _end_of(stderr))


def shortened(text: str) -> str:
    """The end of what a program said, on one line that acts on no terminal."""
    words = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return words if len(words) <= _CHARACTERS else "…" + words[-_CHARACTERS:]


def _memory(name: str) -> IO[bytes]:
    # Not a pipe: a daemon that keeps one open would be waited for. Not a file: disks are full.
    return os.fdopen(os.memfd_create(name), "w+b")


def _code_of(argv: Sequence[str], seconds: float, stdout: IO[bytes], stderr: IO[bytes]) -> int:
    try:
        process = subprocess.Popen(  # noqa: S603 - each word is its own argument
            list(argv),
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            cwd="/",
            env=ENVIRONMENT,
            start_new_session=True,
        )
    except (FileNotFoundError, PermissionError):
        raise Refused(f"there is no program {argv[0]} here") from None
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        raise Refused(f"{argv[0]} was not done within {seconds:g} s, and was stopped") from None
    finally:
        if process.poll() is None:
            _stop(process.pid, process.wait)


def _stop(group: int, wait: Callable[[float], int]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(group, number)
            wait(KILL_AFTER_SECONDS)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue
        else:
            return


def _end_of(stream: IO[bytes]) -> str:
    size = stream.seek(0, os.SEEK_END)
    stream.seek(max(0, size - _MOST_BYTES))
    return stream.read(_MOST_BYTES).decode("utf-8", "replace")
