"""S30: a host that speaks nonsense before anybody has logged in is an error of that host."""

from __future__ import annotations

import random
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.drivers.ssh.access import Access
from reconciler.drivers.ssh.shell import Shell
from reconciler.drivers.ssh.trial import first_sight
from reconciler.errors import DriverError
from tests.remotes.sshd import ADDRESS, make_key

KEXINIT = 20
Reach = Callable[[Access], object]


def packet(payload: bytes) -> bytes:
    """An ssh packet before any key is agreed on."""
    pad = 8 - (len(payload) + 5) % 8
    pad += 8 if pad < 4 else 0
    return (len(payload) + 1 + pad).to_bytes(4, "big") + bytes([pad]) + payload + bytes(pad)


def offer(kex: bytes, keys: bytes) -> bytes:
    """What a server says that it can."""
    lists = [kex, keys, *[b"aes128-ctr"] * 2, *[b"hmac-sha2-256"] * 2, *[b"none"] * 2, b"", b""]
    body = b"".join(len(each).to_bytes(4, "big") + each for each in lists)
    return packet(bytes([KEXINIT]) + bytes(16) + body + bytes(5))


NONSENSE = {
    "nothing": b"",
    "noise": random.Random(1).randbytes(500),
    "no text where text must be": offer(b"\xff\xfe", b"ssh-ed25519"),
    "no text for the keys": offer(b"curve25519-sha256", b"\xff"),
    "nothing in common": offer(b"x", b"x"),
    "an empty offer": offer(b"", b""),
    "a cut offer": offer(b"curve25519-sha256", b"ssh-ed25519")[:20],
    "a list as long as the world": packet(bytes([KEXINIT]) + bytes(16) + b"\xff" * 8),
    "a packet as long as the world": b"\xff" * 64,
    "a farewell": packet(b"\x01" + bytes(3) + b"\x0b" + bytes(3) + b"\x02\xff\xfe" + bytes(4)),
    "a message of later": packet(b"\x1f" + bytes(100)),
}


@contextmanager
def server(answer: bytes) -> Iterator[int]:
    """The port of a server that says this to everybody, and hangs up."""

    def serve() -> None:
        with suppress(OSError):
            while True:
                client, _ = listening.accept()
                with client, suppress(OSError):
                    client.sendall(b"SSH-2.0-server\r\n")
                    client.recv(4096)
                    client.sendall(answer)

    with socket.create_server((ADDRESS, 0)) as listening:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield int(listening.getsockname()[1])
        listening.shutdown(socket.SHUT_RDWR)
    thread.join()


def look(access: Access) -> object:
    return first_sight("virt1", ADDRESS, access, 5)


def log_in(access: Access) -> object:
    return Shell("virt1", ADDRESS, access).run(["true"])


@pytest.mark.parametrize("reach", [look, log_in])
@pytest.mark.parametrize("what", NONSENSE)
def test_nonsense_is_an_error_of_that_host(reach: Reach, what: str, tmp_path: Path) -> None:
    pins = tmp_path / "known_hosts"
    pins.touch()
    key = make_key(tmp_path / "key")
    with server(NONSENSE[what]) as port:
        access = Access(key, pins, port=port, connect_deadline=timedelta(seconds=5))
        with pytest.raises(DriverError) as failed:
            reach(access)
    assert "virt1" in str(failed.value)
    assert "\n" not in str(failed.value)
