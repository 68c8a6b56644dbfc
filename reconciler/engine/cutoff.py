"""A deadline for a whole exchange over the network, whatever the other side sends how slowly.

Timeouts of single reads are not one: a server that sends a byte now and then holds them all off.
"""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Any, Self


class Cutoff:
    """Cuts the connection of a request when the time is up. It is also httpx's `trace` function."""

    def __init__(self, seconds: float) -> None:
        """How long from the `with` on."""
        self._timer = threading.Timer(max(0.0, seconds), self._cut)
        self._timer.daemon = True
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self.is_due = False

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._timer.cancel()

    def trace(self, event: str, info: dict[str, Any]) -> None:
        """Learn of the socket as soon as there is one, and again when TLS has wrapped it."""
        if event in {"connection.connect_tcp.complete", "connection.start_tls.complete"}:
            with self._lock:
                self._socket = info["return_value"].get_extra_info("socket")
            if self.is_due:
                self._cut()

    def _cut(self) -> None:
        with self._lock:
            self.is_due = True
            if self._socket is not None:
                with suppress(OSError):  # it is closed already
                    # Not its own method: that of TLS would let the reader go on without TLS.
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
