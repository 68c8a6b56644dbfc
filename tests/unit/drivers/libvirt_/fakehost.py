"""A host with one pool in memory, as libvirt-python and a shell would give it.

Each step (a call of libvirt, a command, a write of marks) is told to `on_step`, which may raise to
cut things off before or after it has taken effect.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import libvirt
from lxml import etree

from reconciler.drivers.libvirt_.manifest import MemoryManifest
from reconciler.drivers.libvirt_.marks import Mark
from reconciler.drivers.libvirt_.storage import Storage
from reconciler.drivers.refusal import Refused
from reconciler.ports.hypervisor import ImageSource
from tests.unit.drivers.libvirt_.stores import NOON, image_name

GIB = 1024**3
POOL = "default"


def libvirt_error(code: int, origin: int = libvirt.VIR_FROM_STORAGE) -> libvirt.libvirtError:
    """An error as libvirt raises it."""
    made = libvirt.libvirtError("it failed")
    made.err = (code, origin, "it failed", 2, None, None, None, -1, -1)
    return made


@dataclass
class FakeFile:
    """What is in a volume: who is asked about it later must find the same `data`."""

    data: str
    capacity_bytes: int
    format: str = "qcow2"
    physical_bytes: int = 0
    backing: str = ""


@dataclass
class FakeHost:
    """A libvirt connection, its one pool, and the host below it."""

    type: str = "dir"
    files: dict[str, FakeFile] = field(default_factory=dict)
    domains: list[Any] = field(default_factory=list)
    unit_bytes: int = 1
    free_bytes: int = 100 * GIB  # as libvirt knew when it looked last
    truly_free_bytes: int = 0
    refresh_error: Exception | None = None
    on_step: Callable[[str], None] = lambda _step: None
    sent: list[str] = field(default_factory=list)
    commands: list[list[str]] = field(default_factory=list)

    @property
    def directory(self) -> str:
        """Where the volumes are."""
        return {"dir": "/pools/default", "logical": "/dev/vg0", "zfs": "/dev/zvol/tank/vms"}[
            self.type
        ]

    # what libvirt-python gives of a connection

    def storagePoolLookupByName(self, name: str) -> FakeHost:
        if name != POOL:
            raise libvirt_error(libvirt.VIR_ERR_NO_STORAGE_POOL)
        return self

    def listAllStoragePools(self, _flags: int) -> list[FakeHost]:
        return [self]

    def listAllDomains(self, _flags: int) -> list[Any]:
        return self.domains

    def newStream(self, _flags: int) -> FakeStream:
        return FakeStream()

    def close(self) -> None:
        return None

    # … and of a pool

    def name(self) -> str:
        return POOL

    def isActive(self) -> int:
        return 1

    def info(self) -> list[int]:
        return [2, 100 * GIB, 0, self.free_bytes]

    def XMLDesc(self, _flags: int) -> str:
        source = {
            "logical": "<source><name>vg0</name></source>",
            "zfs": "<source><name>tank/vms</name></source>",
        }
        return f"<pool type='{self.type}'><name>{POOL}</name>{source.get(self.type, '')}</pool>"

    def refresh(self, _flags: int) -> None:
        if self.refresh_error:
            raise self.refresh_error
        self.free_bytes = self.truly_free_bytes or self.free_bytes

    def listAllVolumes(self, _flags: int) -> list[FakeVolume]:
        return [FakeVolume(self, name) for name in self.files]

    def listVolumes(self) -> list[str]:
        return list(self.files)

    def storageVolLookupByName(self, name: str) -> FakeVolume:
        if name not in self.files:
            raise libvirt_error(libvirt.VIR_ERR_NO_STORAGE_VOL)
        return FakeVolume(self, name)

    def createXML(self, xml: str, _flags: int) -> FakeVolume:
        return self._make(xml, "fresh")

    def createXMLFrom(self, xml: str, origin: FakeVolume, _flags: int) -> FakeVolume:
        """A copy ignores that it should be larger, in directories."""
        size = origin.file.capacity_bytes if self.type == "dir" else None
        return self._make(xml, origin.file.data, size)

    def _make(self, xml: str, data: str, capacity_bytes: int | None = None) -> FakeVolume:
        self.sent.append(xml)
        root = etree.fromstring(xml)
        name, asked = str(root.findtext("name")), int(str(root.findtext("capacity")))
        form = root.find("target/format")
        backing = root.findtext("backingStore/path") or ""
        file = FakeFile(
            data,
            self.rounded(capacity_bytes or asked),
            "raw" if form is None else form.get("type", ""),
            backing=backing,
        )
        with Step(self, f"create {name}"):
            if name in self.files:
                raise libvirt_error(libvirt.VIR_ERR_STORAGE_VOL_EXIST)
            self.files[name] = file
        return FakeVolume(self, name)

    def rounded(self, capacity_bytes: int) -> int:
        """In the units of the pool."""
        return -(-capacity_bytes // self.unit_bytes) * self.unit_bytes

    # … and the host below

    def command(self, argv: Sequence[str]) -> None:
        """The commands that rename and grow."""
        self.commands.append(list(argv))
        with Step(self, f"run {argv[0]}"):
            match argv:
                case ["sh", "-c", _, _, old, new]:
                    self._rename(old.rpartition("/")[2], new.rpartition("/")[2])
                case ["lvrename", _, old, new]:
                    self._rename(old, new)
                case ["zfs", "rename", old, new]:
                    self._rename(old.rpartition("/")[2], new.rpartition("/")[2])
                case ["lvextend", "--size", size, path]:
                    self._extend(path, int(size.removesuffix("b")))
                case ["zfs", "set", size, path]:
                    self._extend(path, int(size.removeprefix("volsize=")))
                case ["qemu-img", "convert", *_, source, target]:
                    names = [path.rpartition("/")[2] for path in (source, target)]
                    self.files[names[1]].data = self.files[names[0]].data
                case _:
                    raise Refused(f"{argv[0]}: not found")

    def _rename(self, old: str, new: str) -> None:
        if new in self.files:
            raise Refused("there is one already")
        self.files[new] = self.files.pop(old)

    def _extend(self, path: str, capacity_bytes: int) -> None:
        self.files[path.rpartition("/")[2]].capacity_bytes = self.rounded(capacity_bytes)


@dataclass
class Step:
    """Something that is told before and after it has taken effect."""

    host: FakeHost
    name: str

    def __enter__(self) -> None:
        self.host.on_step(f"before {self.name}")

    def __exit__(self, kind: object, *_rest: object) -> None:
        if kind is None:
            self.host.on_step(f"after {self.name}")


class FakeStream:
    """A stream that reads all it is given."""

    def sendAll(self, read: Callable[[Any, int, Any], bytes], opaque: Any) -> None:
        self.content = b"".join(iter(lambda: read(self, 65536, opaque), b""))

    def finish(self) -> None:
        return None

    def abort(self) -> None:
        return None


@dataclass
class FakeVolume:
    """A libvirt handle of a volume."""

    host: FakeHost
    called: str

    @property
    def file(self) -> FakeFile:
        """What it stands for."""
        if self.called not in self.host.files:
            raise libvirt_error(libvirt.VIR_ERR_NO_STORAGE_VOL)
        return self.host.files[self.called]

    def name(self) -> str:
        return self.called

    def path(self) -> str:
        return f"{self.host.directory}/{self.called}"

    def XMLDesc(self, _flags: int) -> str:
        file = self.file
        size = f"<capacity unit='bytes'>{file.capacity_bytes}</capacity>"
        physical = f"<physical unit='bytes'>{file.physical_bytes}</physical>"
        form = f"<format type='{file.format}'/>" if self.host.type == "dir" else ""
        return (
            f"<volume><name>{self.called}</name>{size}{physical}<target>"
            f"<path>{self.path()}</path>{form}</target></volume>"
        )

    def resize(self, capacity_bytes: int, _flags: int) -> None:
        with Step(self.host, f"resize {self.called}"):
            self.file.capacity_bytes = self.host.rounded(capacity_bytes)

    def delete(self, _flags: int) -> None:
        with Step(self.host, f"delete {self.called}"):
            if self.called not in self.host.files:
                raise libvirt_error(libvirt.VIR_ERR_NO_STORAGE_VOL)
            del self.host.files[self.called]

    def upload(self, _stream: FakeStream, _offset: int, length: int, _flags: int) -> None:
        with Step(self.host, f"upload {self.called}"):
            self.file.data = f"{length} bytes"


class FakeGuest:
    """A running domain with a volume of the pool as its disk vdb."""

    def __init__(self, host: FakeHost, volume: str) -> None:
        self.host = host
        self.volume = volume
        self.resized: list[tuple[str, int, int]] = []

    def name(self) -> str:
        return "guest"

    def XMLDesc(self, _flags: int) -> str:
        return (
            "<domain><devices><disk type='volume'>"
            f"<source pool='{POOL}' volume='{self.volume}'/><target dev='vdb'/>"
            "</disk></devices></domain>"
        )

    def blockResize(self, target: str, capacity_bytes: int, flags: int) -> None:
        self.resized.append((target, capacity_bytes, flags))
        file = self.host.files[self.volume]
        file.capacity_bytes = max(file.capacity_bytes, capacity_bytes)


class SteppedManifest(MemoryManifest):
    """Marks whose every change is a step."""

    def __init__(self, host: FakeHost) -> None:
        super().__init__()
        self._host = host

    def change(self, edits: Mapping[str, Mark | None]) -> None:
        with Step(self._host, f"mark {', '.join(edits)}"):
            super().change(edits)


def storage(host: FakeHost, manifest: MemoryManifest | None = None) -> Storage:
    """The storage of the host; its images are volumes of its pool."""

    def image(connection: Any, source: ImageSource) -> Any:
        return connection.storageVolLookupByName(image_name(source))

    return Storage(manifest or SteppedManifest(host), image, lambda: NOON, host.command)
