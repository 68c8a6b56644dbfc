"""What a host tells of the changes of its network, from what its kernel says."""

from __future__ import annotations

import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from reconciler.drivers.ssh.events import listening
from reconciler.drivers.ssh.onhost.hear import WRITTEN_IN_PLACE, told

NEW_LINK, DELETE_LINK, NEW_ADDRESS, NEW_ROUTE, NEW_RULE = 16, 17, 20, 24, 32
NFTABLES = 10 << 8
TABLE, RULE, ELEMENT, GENERATION = (NFTABLES | kind for kind in (0, 6, 12, 15))
LOOPBACK = 1


def message(kind: int, body: bytes) -> bytes:
    whole = struct.pack("=IHHII", 16 + len(body), kind, 0, 0, 0) + body
    return whole + b"\0" * (-len(whole) % 4)


def attribute(kind: int, value: bytes) -> bytes:
    whole = struct.pack("=HH", 4 + len(value), kind) + value
    return whole + b"\0" * (-len(whole) % 4)


def link(name: str, kind: int = NEW_LINK) -> bytes:
    own = attribute(1, b"\2\0\0\0\0\1") + attribute(3, name.encode() + b"\0")
    return message(kind, struct.pack("=BxHiII", 0, 1, 2, 0, 0) + own)


def address(flags: int = 0x80, scope: int = 0, index: int = LOOPBACK) -> bytes:
    return message(NEW_ADDRESS, struct.pack("=BBBBI", 2, 24, flags, scope, index))


def route(protocol: int = 4, flags: int = 0) -> bytes:
    return message(NEW_ROUTE, struct.pack("=BBBBBBBBI", 2, 24, 0, 0, 254, protocol, 0, 1, flags))


def rules(kind: int, table: str) -> bytes:
    return message(kind, b"\1\0\0\0" + attribute(1, table.encode() + b"\0"))


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (link("br-lan"), ["network: link br-lan"]),
        (link("br-lan", DELETE_LINK), ["network: link br-lan"]),
        (address(), ["network: address lo"]),
        (address(index=999_999), ["network: address"]),
        (route(), ["network: route"]),
        (route(201), ["network: route"]),
        (message(NEW_RULE, b"\0" * 12), ["network: routing"]),
        (rules(TABLE, "reconciler"), ["network: rules reconciler"]),
        (rules(ELEMENT, "reconciler"), ["network: rules reconciler"]),
        (link("br-a") + address() + link("br-b"), None),
    ],
)
def test_what_somebody_may_have_done_is_told(data: bytes, lines: list[str] | None) -> None:
    several = ["network: link br-a", "network: address lo", "network: link br-b"]
    assert list(told(data)) == (lines or several)


@pytest.mark.parametrize(
    "data",
    [
        *map(link, ("vnet0", "vnet17", "tap3", "macvtap0", "veth1a2b")),
        address(flags=0),
        address(scope=253),
        *map(route, (2, 9, 12, 186)),
        route(flags=0x200),
        rules(RULE, "libvirt_network"),
        message(GENERATION, b"\1\0\0\0" + attribute(1, b"reco")),
        message(2, b"\0" * 16),
    ],
)
def test_what_guests_and_daemons_do_all_the_time_is_not(data: bytes) -> None:
    assert list(told(data)) == []


@pytest.mark.parametrize(
    "data", [b"", b"\1", struct.pack("=IHHII", 3, 16, 0, 0, 0), link("a")[:-1]]
)
def test_half_a_message_ends_nothing(data: bytes) -> None:
    assert len(list(told(data))) <= 1


@pytest.mark.parametrize("name", ["vnetwork", "taps", "br-veth"])
def test_a_name_that_only_begins_like_a_guests_is_told(name: str) -> None:
    assert list(told(link(name))) == [f"network: link {name}"]


# -------------------------------------------------------------------------------- the whole program

WATCH = """\
#!/bin/sh
# Prints a path, like inotifywait, and then waits as long as somebody reads.
for last; do :; done
echo "$last/changed $*" >>{log}
echo "$last/changed"
exec sleep 60
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """An inotifywait that has seen one change."""
    path = tmp_path / "bin/inotifywait"
    path.parent.mkdir()
    path.write_text(WATCH.format(log=tmp_path / "log"))
    path.chmod(0o755)
    return path


@contextmanager
def running(path: Path, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    environment = {"PATH": f"{path.parent}:/usr/bin:/bin"}
    argv = [sys.executable, *listening(words)[1:]]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, env=environment) as process:
        try:
            yield process
        finally:
            process.terminate()


def test_paths_and_the_end_of_who_watches_them_are_passed_on(program: Path, tmp_path: Path) -> None:
    with running(program, str(tmp_path), "/no/such/directory") as process:
        assert process.stdout
        assert process.stdout.readline() == f"{tmp_path}/changed\n".encode()
        assert "/no/such" not in (tmp_path / "log").read_text()
        process.terminate()
        assert process.wait(10)
        assert process.stdout.read() == b""


def test_without_the_program_that_watches_it_says_so(tmp_path: Path) -> None:
    environment = {"PATH": str(tmp_path)}
    argv = [sys.executable, *listening(["/etc"])[1:]]
    done = subprocess.run(argv, capture_output=True, env=environment, timeout=30, check=False)
    assert done.returncode == 127
    assert b"inotifywait" in done.stderr


def test_only_what_is_written_in_place_is_watched_for_each_write() -> None:
    assert all(path.endswith("/openvswitch") for path in WRITTEN_IN_PLACE)


def test_the_kernel_lets_everybody_hear_of_links() -> None:
    heard = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
    heard.bind((0, 1))
    heard.close()
