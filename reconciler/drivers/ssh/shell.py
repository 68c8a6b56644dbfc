"""One host: commands and files, over one kept connection that is made anew when it breaks."""

from __future__ import annotations

import select
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from secrets import token_hex
from typing import Any

import fabric
import paramiko

from reconciler.drivers.ssh.access import Access
from reconciler.drivers.ssh.command import (
    BUSY,
    FENCED,
    TIMED_OUT,
    Result,
    alone,
    fenced,
    greeting,
    in_time,
    line_of,
    while_heard,
)
from reconciler.drivers.ssh.connect import LOST, connect
from reconciler.drivers.ssh.fence import Fence
from reconciler.drivers.ssh.files import (
    ANYTHING,
    IS_CUT,
    IS_MISSING,
    IS_OTHER,
    looking,
    reading,
    writing,
)
from reconciler.drivers.ssh.stream import Stream
from reconciler.drivers.ssh.watchdog import cut_off, hang_up
from reconciler.errors import Conflict, NotFound, Unreachable

AT_ONCE = 8  # sshd refuses more than ten sessions of one connection
SESSION_PAUSE_SECONDS = 0.02
GRACE_SECONDS = 0.5  # for the host's own answer that the time is over
LARGEST_BYTES = 64 * 1024**2
HOST_DIRECTORY = "/var/lib/reconciler"
HOLDER_BYTES = 8
_NEVER_SECONDS = 60.0  # the library's own deadline, which is not to be the first
_CHUNK_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class _Session:
    """An open connection, and the host's uptime at a moment of our own clock."""

    connection: fabric.Connection
    uptime_seconds: float
    at_seconds: float

    @property
    def is_alive(self) -> bool:
        return bool(self.connection.is_connected)

    def uptime_centiseconds(self, at_seconds: float) -> int:
        """The host's uptime at another moment, early rather than late."""
        return int((self.uptime_seconds + at_seconds - self.at_seconds) * 100)

    def close(self) -> None:
        """Let go; whoever still waits for an answer is told that it is lost."""
        hang_up(self.connection.transport.sock)
        self.connection.close()


@dataclass(frozen=True, slots=True)
class _Words:
    """What is to be run, and what it is to read."""

    argv: Sequence[str]
    stdin: bytes
    exclusive: bool


class Shell:
    """Runs commands on one host, and reads and writes its files.

    Each call has a deadline that holds whatever the host does. When it passes, nothing of the
    call begins on the host any more, and what runs is ended within seconds.
    """

    def __init__(
        self,
        host: str,
        address: str,
        access: Access,
        *,
        directory: str = HOST_DIRECTORY,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`host` is how errors call it; `directory`, on the host, holds the writers' lock."""
        self.host = host
        self.address = address
        self.directory = directory
        self._access = access
        self._fence = Fence(token_hex(HOLDER_BYTES))
        self._monotonic = monotonic
        self._sleep = sleep
        self._places = threading.BoundedSemaphore(AT_ONCE)
        self._opening = threading.Lock()
        self._lock = threading.Lock()
        self._session: _Session | None = None

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes = b"",
        deadline: timedelta | None = None,
        exclusive: bool = False,
        operation: str = "",
    ) -> Result:
        """Run a command and wait for it. Its arguments arrive as they are given.

        `exclusive` commands of all reconcilers take turns on the host, as what changes it must.
        `operation` says in words what this is about.

        Raises:
            Unreachable: there was no answer by the deadline; whether it ran is unknown.
            Denied: the host key is not the pinned one, or the host does not let us in.
            Conflict: another writer kept the host locked, or changed it since it was last looked at
                (then nothing was done); or the answer is absurdly long.
        """
        seconds = (deadline or self._access.deadline).total_seconds()
        what = operation or f"run {argv[0]}"
        ends = self._monotonic() + seconds
        with self._place(what, ends):
            result = self._exchange(_Words(argv, stdin, exclusive), what, ends)
        if result.exit_code == TIMED_OUT:
            raise Unreachable(self.host, what, f"not done within {seconds:g} s, and stopped")
        if exclusive and result.exit_code == BUSY:
            raise Conflict(self.host, what, "another reconciler is still changing the host")
        if exclusive and result.exit_code == FENCED:
            raise Conflict(self.host, what, result.complaint)
        return result

    def has_seen(self, fence: str) -> None:
        """The host was looked at, and its fence was this: what we do now follows from that look."""
        self._fence.saw(fence)

    def stream(self, argv: Sequence[str], *, operation: str = "") -> Stream:
        """Run a command that goes on, and give its lines as they come.

        It takes no place from the others, has no deadline, and must change nothing.

        Raises:
            DriverError: as for `run`, for its beginning.
        """
        what = operation or f"run {argv[0]}"
        ends = self._monotonic() + self._access.deadline.total_seconds()
        session, channel = self._channel(what, ends)
        with cut_off(session.connection.transport.sock, ends - self._monotonic()):
            try:
                line = line_of(while_heard(argv), is_fed=True)
                channel.exec_command(line)
            except LOST as error:
                self._drop(session)
                raise Unreachable(self.host, what, f"the connection broke ({error})") from None
        return Stream(self.host, what, channel, monotonic=self._monotonic)

    def output(self, argv: Sequence[str], **options: Any) -> bytes:
        """What a command prints; anything but success is a `Conflict`. Options as for `run`."""
        result = self.run(argv, **options)
        if result.exit_code:
            what = options.get("operation") or f"run {argv[0]}"
            cause = result.complaint or f"exit code {result.exit_code}"
            raise Conflict(self.host, what, cause)
        return result.stdout

    def read_file(self, path: str) -> bytes:
        """The content of a file.

        Raises:
            NotFound: there is no such file.
            DriverError: as for `run`.
        """
        return self._whole(path, self.run(reading(path), operation=f"read {path}"))

    def look_at_file(self, path: str) -> bytes:
        """The content of a file, as part of a look at the host: see `has_seen`.

        Raises:
            NotFound: there is no such file.
            DriverError: as for `run`.
        """
        result = self.run(looking(path, f"{self.directory}/fence"), operation=f"read {path}")
        fence, _, content = result.stdout.partition(b"\n")
        if result.exit_code in {0, IS_MISSING}:
            self.has_seen(fence.decode(errors="replace").strip())
        return self._whole(path, Result(result.exit_code, content, result.stderr))

    def _whole(self, path: str, result: Result) -> bytes:
        what = f"read {path}"
        if result.exit_code == IS_MISSING:
            raise NotFound(self.host, what, "there is no such file")
        if result.exit_code:
            raise Conflict(self.host, what, result.complaint)
        return result.stdout

    def write_file(
        self, path: str, content: bytes, mode: int = 0o644, *, replaces: str = ANYTHING
    ) -> None:
        """Make this the content of a file, wholly or not at all, and safe from a loss of power.

        `replaces` is the `sum_of` what must be there, or `ABSENT`. Its directory is made.

        Raises:
            Conflict: something else is there, or it cannot be written.
            DriverError: as for `run`.
        """
        what = f"write {path}"
        argv = writing(path, content, mode, replaces)
        result = self.run(argv, stdin=content, exclusive=True, operation=what)
        if result.exit_code == IS_OTHER:
            raise Conflict(self.host, what, "somebody else has changed it since it was read")
        if result.exit_code == IS_CUT:
            raise Unreachable(self.host, what, "the content did not arrive whole")
        if result.exit_code:
            raise Conflict(self.host, what, result.complaint)

    def close(self) -> None:
        """Let go of the connection; a later call makes a new one."""
        with self._lock:
            session, self._session = self._session, None
        if session is not None:
            session.close()

    @contextmanager
    def _place(self, what: str, ends: float) -> Iterator[None]:
        if not self._places.acquire(timeout=max(ends - self._monotonic(), 0)):
            cause = f"{AT_ONCE} other commands have been at work on the host all the time"
            raise Unreachable(self.host, what, cause)
        try:
            yield
        finally:
            self._places.release()

    def _exchange(self, words: _Words, what: str, ends: float) -> Result:
        session, channel = self._channel(what, ends)
        argv = self._guarded(words, what, session, ends)
        left = ends - self._monotonic() + GRACE_SECONDS
        with cut_off(session.connection.transport.sock, left) as cut:
            try:
                return _converse(channel, line_of(argv, is_fed=bool(words.stdin)), words.stdin)
            except _Flood:
                cause = f"it answers with more than {LARGEST_BYTES} bytes"
                raise Conflict(self.host, what, cause) from None
            except LOST as error:
                self._drop(session)
                reason = "no answer in time" if cut.made else f"the connection broke ({error})"
                raise Unreachable(self.host, what, reason) from None
            finally:
                with suppress(*LOST):
                    channel.close()

    def _guarded(self, words: _Words, what: str, session: _Session, ends: float) -> list[str]:
        """The command with what the host is to watch over: its time, and the other writers."""
        until = session.uptime_centiseconds(ends)
        if not words.exclusive:
            return in_time(words.argv, until)
        try:
            argv = fenced(words.argv, self.directory, self._fence.claim())
        except ValueError as error:
            raise Conflict(self.host, what, f"{self.directory}: {error}") from None
        return alone(in_time(argv, until), self.directory, max(ends - self._monotonic(), 0) / 2)

    def _channel(self, what: str, ends: float) -> tuple[_Session, paramiko.Channel]:
        """A channel of the kept connection, else of a new one. Nothing has been asked for yet."""
        has_died = False
        while True:
            session, is_new = self._connected(what, ends)
            left = ends - self._monotonic() + GRACE_SECONDS
            transport = session.connection.transport
            with cut_off(transport.sock, left) as cut:
                try:
                    return session, transport.open_session(timeout=left + _NEVER_SECONDS)
                except LOST as error:
                    reason = "no answer in time" if cut.made else str(error)
            if session.is_alive and not cut.made:
                # The host is still clearing a session that we gave back.
                if self._monotonic() >= ends:
                    raise Conflict(self.host, what, f"no session is free: {reason}")
                self._sleep(SESSION_PAUSE_SECONDS)
                continue
            self._drop(session)
            if cut.made or is_new or has_died:
                raise Unreachable(self.host, what, reason)
            has_died = True  # a kept connection may have died unnoticed; once more

    def _connected(self, what: str, ends: float) -> tuple[_Session, bool]:
        """The kept session or a new one, and whether it is new."""
        if not self._opening.acquire(timeout=max(ends - self._monotonic(), 0)):
            raise Unreachable(self.host, what, "no connection was made in time")
        try:
            kept = self._session
            if kept is not None and kept.is_alive:
                return kept, False
            limit = self._access.connect_deadline.total_seconds()
            left = max(min(limit, ends - self._monotonic()), 0.001)
            self._session = new = self._open(left)
            return new, True
        finally:
            self._opening.release()

    def _open(self, seconds: float) -> _Session:
        ends = self._monotonic() + seconds
        connection = connect(self.host, self.address, self._access, seconds)
        wire = connection.transport.sock
        at = self._monotonic()
        try:
            with cut_off(wire, ends - at):
                channel = connection.transport.open_session()
                line = line_of(greeting(self.directory), is_fed=False)
                answer = _converse(channel, line, b"").stdout.decode(errors="replace")
                told, _, fence = answer.partition("\n")
                uptime = float(told.split()[0])
        except (*LOST, ValueError, IndexError) as error:
            hang_up(wire)
            connection.close()
            cause = f"it runs no commands, or a start-up file of its shell prints there ({error})"
            raise Unreachable(self.host, "connect", cause) from None
        self._fence.met(fence.strip())
        return _Session(connection, uptime, at)

    def _drop(self, session: _Session) -> None:
        with self._lock:
            if self._session is session:
                self._session = None
        session.close()


class _Flood(Exception):
    """An answer without end."""


def _converse(channel: paramiko.Channel, line: str, stdin: bytes) -> Result:
    """Run the line, give it its input, and gather what it says.

    The line of a command without input says so. Else the end of a stream would say it, and when
    that comes after the command has ended, sshd breaks the whole connection.
    """
    channel.exec_command(line)
    try:
        if stdin:
            channel.sendall(stdin)
            channel.shutdown_write()
    except OSError:
        if not channel.exit_status_ready():  # else it ended without reading all, as it may
            raise
    stdout, stderr = _gather(channel)
    code = channel.recv_exit_status()
    if code < 0:
        raise EOFError("it ended without an exit code")
    return Result(code, stdout, stderr)


def _gather(channel: paramiko.Channel) -> tuple[bytes, bytes]:
    stdout, stderr = bytearray(), bytearray()
    poller = select.poll()
    poller.register(channel.fileno(), select.POLLIN)
    while len(stdout) + len(stderr) <= LARGEST_BYTES:
        is_over = channel.eof_received or channel.closed  # asked first: data comes before the end
        if channel.recv_ready():
            stdout += channel.recv(_CHUNK_BYTES)
        elif channel.recv_stderr_ready():
            stderr += channel.recv_stderr(_CHUNK_BYTES)
        elif is_over:
            return bytes(stdout), bytes(stderr)
        else:
            poller.poll(1000)
    raise _Flood
