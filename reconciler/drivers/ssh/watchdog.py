"""Deadlines that hold when nobody answers: a blocked thread is freed by closing its socket.

The libraries' own timeouts work only while the other side is alive. A frozen server, or a
connection whose other end is gone, lets them wait for ever.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Cut:
    """Whether the deadline has passed and the socket was closed."""

    def __init__(self, wire: socket.socket) -> None:
        """Watch over this socket."""
        self._wire = wire
        self.made = False

    def make(self) -> None:
        """Close the socket in both directions, whoever is waiting for it."""
        self.made = True
        hang_up(self._wire)


def hang_up(wire: socket.socket) -> None:
    """Shut a socket down: whoever waits for it is told at once that it is over."""
    with suppress(OSError):  # the other side was faster
        wire.shutdown(socket.SHUT_RDWR)


@contextmanager
def cut_off(wire: socket.socket, seconds: float) -> Iterator[Cut]:
    """Close the socket if the block takes longer. `made` says afterwards whether it did."""
    cut = Cut(wire)
    timer = threading.Timer(max(seconds, 0), cut.make)
    timer.daemon = True
    timer.start()
    try:
        yield cut
    finally:
        timer.cancel()
