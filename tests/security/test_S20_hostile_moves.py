"""S20, S30: what a host that was taken over sends along with a move harms no other host."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Any

import pytest

from reconciler.drivers.libvirt_.manifest import MemoryManifest
from reconciler.drivers.libvirt_.marks import Mark
from reconciler.drivers.libvirt_.reading import Dialect
from reconciler.drivers.libvirt_.transfer import Side, send
from reconciler.drivers.refusal import Refused
from reconciler.model.resource import Owner
from tests.unit.drivers.libvirt_.fakehost import (
    GIB,
    POOL,
    FakeFile,
    FakeGuest,
    FakeHost,
    FakeStream,
    FakeVolume,
    storage,
)

NAME = "production-web-1-root"
MARK = Mark(Owner("production", "web-1-root", "0123456789abcdef"), format="qcow2")
SECRET = b"/pools/default/staging-db-1-root"


class Stream(FakeStream):
    """Gives what it is full of, and keeps what it is given."""

    def __init__(self, content: bytes = b"") -> None:
        self.content = content
        self.sent = b""

    def recvFlags(self, most: int, _flags: int) -> bytes:
        data, self.content = self.content[:most], self.content[most:]
        return data

    def send(self, data: bytes) -> int:
        self.sent += data
        return len(data)


@dataclass
class Volume(FakeVolume):
    """One that can be read as a stream."""

    def info(self) -> list[int]:
        return [0, self.file.capacity_bytes, self.file.capacity_bytes]

    def download(self, *_arguments: Any) -> None:
        """The stream has it already."""


@dataclass
class HostWithStreams(FakeHost):
    """A host whose volumes hold these bytes."""

    content: bytes = b""
    streams: list[Stream] = field(default_factory=list)

    def newStream(self, _flags: int) -> Stream:
        self.streams.append(Stream(self.content))
        return self.streams[-1]

    def storageVolLookupByName(self, name: str) -> Volume:
        super().storageVolLookupByName(name)
        return Volume(self, name)


def side(name: str, host: FakeHost, mark: Mark | None) -> Side:
    manifest = MemoryManifest()
    if mark is not None:
        manifest.write(f"{POOL}/{NAME}", mark)
    return Side(name, "192.0.2.1", host, storage(host, manifest), Dialect({"kvm": "kvm"}))


def liar(content: bytes = b"") -> Side:
    host = HostWithStreams(files={NAME: FakeFile("ours", GIB)}, content=content)
    return side("virt2", host, MARK)


def qcow2(backing: bytes = b"") -> bytes:
    """The beginning of a qcow2 image, which may lie over a file of the host it gets to."""
    place = 512 if backing else 0
    header = struct.pack(">IIQIIQIIQQIIQ", 0x514649FB, 2, place, len(backing), 16, GIB, *[0] * 7)
    return header.ljust(512, b"\0") + backing.ljust(3584, b"\0")


def test_what_is_usual_is_sent() -> None:
    """Else the tests below would pass by refusing all."""
    honest = HostWithStreams()
    send(POOL, NAME, liar(qcow2()), side("virt1", honest, None))
    assert NAME in honest.files
    assert honest.streams[0].sent == qcow2()


def test_an_overlay_over_a_file_of_the_destination_is_refused() -> None:
    honest = HostWithStreams()
    with pytest.raises(Refused):
        send(POOL, NAME, liar(qcow2(SECRET)), side("virt1", honest, None))
    assert b"".join(each.sent for each in honest.streams) == b""


def test_a_whole_volume_in_the_way_is_not_deleted_under_its_guest() -> None:
    honest = HostWithStreams(files={NAME: FakeFile("precious", GIB)})
    honest.domains.append(FakeGuest(honest, NAME))
    with pytest.raises(Refused):
        send(POOL, NAME, liar(), side("virt1", honest, MARK))
    assert honest.files[NAME].data == "precious"


def test_a_whole_volume_of_another_environment_is_not_deleted() -> None:
    honest = HostWithStreams(files={NAME: FakeFile("precious", GIB)})
    other = Mark(Owner("staging", "web-1-root", "0123456789abcdef"), format="qcow2")
    with pytest.raises(Refused):
        send(POOL, NAME, liar(), side("virt1", honest, other))
    assert honest.files[NAME].data == "precious"
