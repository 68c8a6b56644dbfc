"""Tell what changes on a host, a line each: files in directories, and what the kernel's network is.

Sent as one text and run as long as somebody listens: it imports nothing of ours. A line is a path,
or `network: ` and what of it. Lines are hints; what many changes in a moment say is said once.
"""

from __future__ import annotations

import os
import re
import selectors
import signal
import socket
import struct
import subprocess
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

NETWORK = "network: "
KINDS = "close_write,attrib,move,create,delete,delete_self,move_self"
# A database that is always open is written in place.
WRITTEN_IN_PLACE = ("/etc/openvswitch", "/var/lib/openvswitch")
MOMENT_SECONDS = 0.05
_CHUNK_BYTES = 1 << 16
_OF_GUESTS = re.compile("(?:vnet|tap|macvtap|veth)[0-9a-f]")
_OURS = "reconciler"  # how our tables of the packet filter begin

_ROUTE, _NETFILTER = 0, 12  # families of netlink
_ROUTE_GROUPS = 0x1 | 0x10 | 0x40 | 0x80 | 0x100 | 0x400  # links, addresses, routes, rules
_SOL_NETLINK, _ADD_MEMBERSHIP, _NFTABLES_GROUP, _NFTABLES = 270, 1, 7, 10
_LINKS, _ADDRESSES, _ROUTES, _RULES = (16, 17), (20, 21), (24, 25), (32, 33)
_NEW_GENERATION = 15
_IS_PERMANENT, _LINK_SCOPE = 0x80, 253
_STATIC = (3, 4, 201)  # routes by hand, by tools that set up interfaces, and ours
_CLONED = 0x200
_HEADER_BYTES, _ATTRIBUTE_BYTES = 16, 4


def main(paths: Sequence[str]) -> int:
    """Say what changes in these directories and in the network, until what watches files ends."""
    there = [path for path in paths if os.path.isdir(path)]  # noqa: PTH112 - pathlib is slow to import
    open_files = [path for path in there if path in WRITTEN_IN_PLACE]
    try:
        watches = [_watching(KINDS, there)]
        watches += [_watching(f"modify,{KINDS}", open_files)] if open_files else []
    except OSError as error:
        sys.stderr.write(f"inotifywait: {error.strerror}\n")
        return 127
    signal.signal(signal.SIGTERM, lambda *_: _end(watches))
    code = _tell(watches, _listening())
    _end(watches)
    return code


def _watching(kinds: str, paths: Sequence[str]) -> subprocess.Popen[bytes]:
    flags = ["--monitor", "--quiet", "--event", kinds, "--format", "%w%f", "--"]
    return subprocess.Popen(  # noqa: S603
        ["inotifywait", *flags, *paths],  # noqa: S607
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    )


def _end(watches: Sequence[subprocess.Popen[bytes]]) -> None:
    for watch in watches:
        watch.terminate()


def _listening() -> list[socket.socket]:
    """What the kernel tells of the network; nothing of what it does not want to tell us."""
    found = []
    for family, groups in ((_ROUTE, _ROUTE_GROUPS), (_NETFILTER, 0)):
        try:
            heard = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, family)
            heard.bind((0, groups))
            if family == _NETFILTER:
                heard.setsockopt(_SOL_NETLINK, _ADD_MEMBERSHIP, _NFTABLES_GROUP)
        except OSError:
            continue
        heard.setblocking(False)  # noqa: FBT003
        found.append(heard)
    return found


def _tell(watches: Sequence[subprocess.Popen[bytes]], network: Sequence[socket.socket]) -> int:
    """Say what is heard until one of the watches is at its end; its exit code."""
    rests = dict.fromkeys(watches, b"")
    with selectors.DefaultSelector() as selector:
        for watch in watches:
            selector.register(watch.stdout, selectors.EVENT_READ, watch)  # type: ignore[arg-type] # it is a pipe
        for heard in network:
            selector.register(heard, selectors.EVENT_READ, heard)
        while True:
            selector.select()
            time.sleep(MOMENT_SECONDS)
            lines = set[str]()
            for key, _ in selector.select(0):
                if isinstance(key.data, socket.socket):
                    lines.update(_from_kernel(key.data))
                    continue
                chunk = os.read(key.fd, _CHUNK_BYTES)
                if not chunk:
                    return int(key.data.wait())
                *whole, rests[key.data] = (rests[key.data] + chunk).split(b"\n")
                lines.update(line.decode(errors="replace") for line in whole)
            _say(lines)


def _say(lines: set[str]) -> None:
    if lines:
        text = "".join(f"{line}\n" for line in sorted(lines))
        sys.stdout.buffer.write(text.encode(errors="replace"))
        sys.stdout.buffer.flush()


# ------------------------------------------------------------------------------------ the network


def _from_kernel(heard: socket.socket) -> Iterator[str]:
    while True:
        try:
            data = heard.recv(_CHUNK_BYTES)
        except BlockingIOError:
            return
        except OSError:  # more was told than there is room for
            yield f"{NETWORK}much"
            return
        yield from told(data)


def told(data: bytes) -> Iterator[str]:
    """What some messages of netlink say, as lines; nothing where they mean nothing to us."""
    while len(data) >= _HEADER_BYTES:
        length, kind = struct.unpack_from("=IH", data)
        if length < _HEADER_BYTES:
            return
        line = _line(kind, data[_HEADER_BYTES:length])
        if line:
            yield NETWORK + line
        data = data[(length + 3) & ~3 :]


def _line(kind: int, body: bytes) -> str:
    if kind >> 8 == _NFTABLES:
        table = "" if kind & 0xFF == _NEW_GENERATION else _text(_attributes(body[4:]).get(1))
        return f"rules {table}" if table.startswith(_OURS) else ""
    if kind in _LINKS:
        return _named("link", _text(_attributes(body[16:]).get(3)))
    if kind in _ADDRESSES:
        return _of_address(body)
    if kind in _ROUTES:
        return _of_route(body)
    return "routing" if kind in _RULES else ""


def _of_address(body: bytes) -> str:
    """An address that lasts: those that are lent are lent anew all the time."""
    _, _, flags, scope, index = struct.unpack_from("=BBBBI", body)
    if not flags & _IS_PERMANENT or scope == _LINK_SCOPE:
        return ""
    try:
        return _named("address", socket.if_indextoname(index))
    except OSError:
        return "address"


def _of_route(body: bytes) -> str:
    protocol, flags = struct.unpack_from("=5xBxxI", body)
    return "route" if protocol in _STATIC and not flags & _CLONED else ""


def _named(what: str, name: str) -> str:
    return "" if _OF_GUESTS.match(name) else f"{what} {name}"


def _attributes(data: bytes) -> dict[int, bytes]:
    found = dict[int, bytes]()
    while len(data) >= _ATTRIBUTE_BYTES:
        length, kind = struct.unpack_from("=HH", data)
        if length < _ATTRIBUTE_BYTES:
            break
        found.setdefault(kind & 0x3FFF, data[_ATTRIBUTE_BYTES:length])
        data = data[(length + 3) & ~3 :]
    return found


def _text(value: bytes | None) -> str:
    return (value or b"").rstrip(b"\0").decode(errors="replace")
