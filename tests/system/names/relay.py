"""Stands between the product and a server: keeps what goes by, and loses what it is told to."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

UPDATE = 5


@dataclass
class Relay:
    """`sent` are the messages to the server, byte for byte; `loses` says which answers are lost."""

    port: int
    sent: list[bytes] = field(default_factory=list)
    loses: Callable[[bytes], bool] = lambda _question: False
    holds: Callable[[bytes], bool] = lambda _question: False

    @property
    def updates(self) -> list[bytes]:
        """What of it were updates."""
        return [message for message in self.sent if is_update(message)]


def is_update(message: bytes) -> bool:
    """Whether a message, with its length before it, changes something."""
    return message[4] >> 3 & 0xF == UPDATE


def message_of(stream: socket.socket) -> bytes:
    """The next message with its length before it; nothing at the end."""
    length = _exactly(stream, 2)
    return length + _exactly(stream, int.from_bytes(length, "big")) if length else b""


def _exactly(stream: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size and (more := stream.recv(size - len(data))):
        data += more
    return data if len(data) == size else b""


def ask(address: str, port: int, message: bytes) -> bytes:
    """Send a framed message as it is, and give the answer without its length."""
    with socket.create_connection((address, port), timeout=10) as stream:
        stream.sendall(message)
        return message_of(stream)[2:]


@contextmanager
def relay_to(address: str, port: int) -> Iterator[Relay]:
    """A relay on loopback."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        relay = Relay(listener.getsockname()[1])
        thread = threading.Thread(
            target=_serve, args=(listener, relay, (address, port)), daemon=True
        )
        thread.start()
        yield relay
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def _serve(listener: socket.socket, relay: Relay, server: tuple[str, int]) -> None:
    with suppress(OSError):
        while True:
            near, _ = listener.accept()
            threading.Thread(target=_carry, args=(near, relay, server), daemon=True).start()


def _carry(near: socket.socket, relay: Relay, server: tuple[str, int]) -> None:
    with suppress(OSError), near, socket.create_connection(server, timeout=10) as far:
        while message := message_of(near):
            relay.sent.append(message)
            if relay.holds(message):
                return
            far.sendall(message)
            if relay.loses(message):
                message_of(far)
                return
            threading.Thread(target=_answers, args=(far, near), daemon=True).start()


def _answers(far: socket.socket, near: socket.socket) -> None:
    with suppress(OSError):
        while data := far.recv(65536):
            near.sendall(data)
        near.shutdown(socket.SHUT_WR)
