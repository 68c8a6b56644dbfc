"""Run one child process with a deadline that holds, and a limit on what it may say.

The child leads a process group of its own. At the deadline the whole group is asked to end, so that
git can take its lock files away, and is killed if it does not; helpers such as ssh end with it.
"""

from __future__ import annotations

import enum
import os
import resource
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import IO, Self, cast

PATIENCE = timedelta(seconds=2)
OUTPUT_LIMIT_BYTES = 64 * 2**20
_REMARKS_LIMIT_BYTES = 64 * 2**10
_CHUNK_BYTES = 256 * 2**10


class Cut(enum.Enum):
    """Why a child was stopped before it ended."""

    DEADLINE = "deadline"
    OUTPUT = "output"


@dataclass(frozen=True, slots=True)
class Finished:
    """How a child ended and what it said; `cut` is set if it was stopped."""

    returncode: int
    output: bytes
    remarks: str
    cut: Cut | None = None


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a child may take: time, bytes of output, bytes per file it writes.

    `inherited` are descriptors that stay open in the child and in its helpers. `patience` is how
    long it may take to end when asked to.
    """

    deadline: timedelta
    output_bytes: int = OUTPUT_LIMIT_BYTES
    file_bytes: int | None = None
    inherited: tuple[int, ...] = ()
    patience: timedelta = PATIENCE


def run(
    command: Sequence[str], environment: Mapping[str, str], bounds: Bounds, given: bytes = b""
) -> Finished:
    """Run a command to its end, or to its bounds, with `given` as its input.

    Raises:
        OSError: the program cannot be started.
    """
    until = time.monotonic() + bounds.deadline.total_seconds()
    process = subprocess.Popen(  # noqa: S603 - no shell; the caller checks each argument
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=dict(environment),
        cwd="/",
        start_new_session=True,
        pass_fds=bounds.inherited,
    )
    with _Pipes(process, given, bounds.output_bytes) as pipes:
        try:
            _limit_files(process, bounds)
            cut = pipes.pump(until) or _wait(process, until)
            if cut is not None:
                _ask_to_end(process, pipes, bounds.patience)
        finally:
            _make_sure_of_the_end(process)
        returncode = -signal.SIGKILL if process.returncode is None else process.returncode
        return Finished(returncode, pipes.output, pipes.remarks, cut)


class _Pipes:
    """The three pipes of a child, moved without ever blocking."""

    def __init__(self, process: subprocess.Popen[bytes], given: bytes, limit_bytes: int) -> None:
        if process.stdin is None or process.stdout is None or process.stderr is None:
            raise ValueError("the process was started without pipes")
        self._stdin, self._stdout, self._stderr = process.stdin, process.stdout, process.stderr
        self._given = memoryview(given)
        self._limit_bytes = limit_bytes
        self._said: dict[IO[bytes], bytearray] = {
            self._stdout: bytearray(),
            self._stderr: bytearray(),
        }
        self._selector = selectors.DefaultSelector()
        for pipe, event in (
            (self._stdin, selectors.EVENT_WRITE),
            (self._stdout, selectors.EVENT_READ),
            (self._stderr, selectors.EVENT_READ),
        ):
            os.set_blocking(pipe.fileno(), False)
            self._selector.register(pipe, event)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._selector.close()
        for pipe in (self._stdin, self._stdout, self._stderr):
            with suppress(OSError):
                pipe.close()

    @property
    def output(self) -> bytes:
        return bytes(self._said[self._stdout])

    @property
    def remarks(self) -> str:
        return self._said[self._stderr].decode("utf-8", "replace")

    def pump(self, until: float) -> Cut | None:
        """Move bytes until all pipes are closed, the output is too long, or the time is over."""
        while self._selector.get_map():
            left = until - time.monotonic()
            if left <= 0:
                return Cut.DEADLINE
            for key, _ in self._selector.select(left):
                pipe = cast("IO[bytes]", key.fileobj)
                if pipe is self._stdin:
                    self._write()
                elif not self._read(pipe):
                    return Cut.OUTPUT
        return None

    def _write(self) -> None:
        try:
            written = os.write(self._stdin.fileno(), self._given[:_CHUNK_BYTES])
            self._given = self._given[written:]
        except BlockingIOError:
            return
        except BrokenPipeError:
            self._given = self._given[:0]
        if not self._given:
            self._drop(self._stdin)

    def _read(self, pipe: IO[bytes]) -> bool:
        """Take what is there; False if the child said more than it may."""
        chunk = os.read(pipe.fileno(), _CHUNK_BYTES)
        if not chunk:
            self._drop(pipe)
            return True
        said = self._said[pipe]
        if pipe is self._stderr:
            said += chunk[: max(0, _REMARKS_LIMIT_BYTES - len(said))]
            return True
        said += chunk
        return len(said) <= self._limit_bytes

    def _drop(self, pipe: IO[bytes]) -> None:
        self._selector.unregister(pipe)
        with suppress(OSError):
            pipe.close()


def _limit_files(process: subprocess.Popen[bytes], bounds: Bounds) -> None:
    if bounds.file_bytes is not None:
        limits = (bounds.file_bytes, bounds.file_bytes)
        with suppress(ProcessLookupError):
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, limits)


def _wait(process: subprocess.Popen[bytes], until: float) -> Cut | None:
    try:
        process.wait(max(0.0, until - time.monotonic()))
    except subprocess.TimeoutExpired:
        return Cut.DEADLINE
    return None


def _ask_to_end(process: subprocess.Popen[bytes], pipes: _Pipes, patience: timedelta) -> None:
    """Ask the group to end and wait until nobody holds the pipes, for a short while."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    pipes.pump(time.monotonic() + patience.total_seconds())


def _make_sure_of_the_end(process: subprocess.Popen[bytes]) -> None:
    """Kill what is left of the group; its leader is reaped last, so that the id stays its own."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        with suppress(subprocess.TimeoutExpired):  # not even a kill ends who waits for a dead disk
            process.wait(PATIENCE.total_seconds())
