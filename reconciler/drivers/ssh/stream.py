"""What a command on a host goes on saying, line by line, for as long as anybody listens."""

from __future__ import annotations

import select
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

import paramiko

from reconciler.drivers.ssh.connect import LOST
from reconciler.drivers.ssh.watchdog import cut_off
from reconciler.errors import Conflict, Unreachable
from reconciler.plan.show.escape import shortened

QUIET_SECONDS = 20.0  # without a word the host is asked whether it is still there
ANSWER_SECONDS = 20.0
LONGEST_LINE_BYTES = 64 * 1024
_CHUNK_BYTES = 64 * 1024
_POLL_MILLISECONDS = 500


class Stream:
    """The lines of one running command. Whoever is done with it closes it, from any thread."""

    def __init__(
        self,
        host: str,
        operation: str,
        channel: paramiko.Channel,
        *,
        quiet_seconds: float = QUIET_SECONDS,
        answer_seconds: float = ANSWER_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """The command runs on the channel already."""
        self._host = host
        self._operation = operation
        self._channel = channel
        self._quiet_seconds = quiet_seconds
        self._answer_seconds = answer_seconds
        self._monotonic = monotonic
        self._closed = threading.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End it: the command is ended on the host, and whoever reads comes to the end."""
        self._closed.set()
        with suppress(*LOST):
            self._channel.close()

    def __iter__(self) -> Iterator[bytes]:
        """The lines, without their ends, until it is closed or the command has ended well.

        Raises:
            Unreachable: the connection broke, or the host does not answer any more.
            Conflict: the command failed, or says things without end.
        """
        rest = b""
        for chunk in self._chunks():
            *lines, rest = (rest + chunk).split(b"\n")
            yield from lines
            if len(rest) > LONGEST_LINE_BYTES:
                raise Conflict(self._host, self._operation, "it sends a line without end")
        if not self._closed.is_set():
            self._judge_the_end()

    def _chunks(self) -> Iterator[bytes]:
        poller = select.poll()
        poller.register(self._channel.fileno(), select.POLLIN)
        heard = self._monotonic()
        while not self._closed.is_set():
            is_over = self._channel.eof_received or self._channel.closed
            if self._channel.recv_ready():
                heard = self._monotonic()
                yield self._channel.recv(_CHUNK_BYTES)
            elif is_over:
                return
            elif self._monotonic() - heard < self._quiet_seconds:
                poller.poll(_POLL_MILLISECONDS)
            else:
                self._ask_whether_it_is_there()
                heard = self._monotonic()

    def _ask_whether_it_is_there(self) -> None:
        """Whoever does not answer is hung up on: the channel then is at its end."""
        transport: Any = self._channel.get_transport()
        with cut_off(transport.sock, self._answer_seconds), suppress(*LOST):
            transport.global_request("keepalive@openssh.com", wait=True)

    def _judge_the_end(self) -> None:
        transport: Any = self._channel.get_transport()
        with cut_off(transport.sock, self._answer_seconds):
            code = self._channel.recv_exit_status()  # which comes after the last line
        if code < 0:
            raise Unreachable(self._host, self._operation, "the connection broke")
        if code:
            said = self._channel.recv_stderr(_CHUNK_BYTES).decode(errors="replace")
            cause = shortened(" ".join(said.split())) or f"exit code {code}"
            raise Conflict(self._host, self._operation, cause)
