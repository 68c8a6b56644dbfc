"""What libvirt's test driver never does: fakes of libvirt-python that fail in the middle."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import libvirt
import pytest

from reconciler.drivers.libvirt_.connection import LibvirtConnection
from reconciler.drivers.libvirt_.hypervisor import LibvirtHypervisor, Patience
from reconciler.drivers.libvirt_.manifest import MemoryManifest
from reconciler.errors import Conflict, DriverError, Unreachable
from reconciler.model.resource import Owner
from reconciler.ports.hypervisor import ImageSource, NewVolume

GIB = 1024**3
OWNER = Owner("production", "web-1", "0123456789abcdef")
NEW = NewVolume("default", "web-root", "qcow2", 8 * GIB)
FROM_IMAGE = NewVolume(
    "default", "web-root", "qcow2", 8 * GIB, ImageSource("debian-12", "https://x", "ab" * 32)
)
DOMAIN = """<domain type="kvm"><name>web</name><uuid>6af613b6-569c-5c22-9c37-2ed93f31d3af</uuid>
  <memory>1024</memory><devices><disk type="volume"><source pool="default" volume="web-root"/>
  <target dev="vda"/></disk></devices></domain>"""


def error(code: int, origin: int = libvirt.VIR_FROM_STORAGE) -> libvirt.libvirtError:
    made = libvirt.libvirtError("it failed")
    made.err = (code, origin, "it failed", 2, None, None, None, -1, -1)
    return made


LOST = error(libvirt.VIR_ERR_SYSTEM_ERROR, libvirt.VIR_FROM_RPC)
FULL = error(libvirt.VIR_ERR_SYSTEM_ERROR)
BUSY = error(libvirt.VIR_ERR_OPERATION_INVALID)
DENIED = error(libvirt.VIR_ERR_ACCESS_DENIED)


class Volume:
    def __init__(self, name: str, capacity_bytes: int) -> None:
        self._name = name
        self.capacity_bytes = capacity_bytes
        self.is_deleted = False
        self.resize_error: Exception | None = None

    def name(self) -> str:
        return self._name

    def path(self) -> str:
        return f"/pools/default/{self._name}"

    def info(self) -> list[int]:
        return [0, self.capacity_bytes, 0]

    def resize(self, capacity_bytes: int, _flags: int) -> None:
        if self.resize_error:
            raise self.resize_error
        self.capacity_bytes = capacity_bytes

    def delete(self, _flags: int) -> None:
        self.is_deleted = True

    def XMLDesc(self, _flags: int) -> str:
        size = f"<capacity unit='bytes'>{self.capacity_bytes}</capacity>"
        return f"<volume><name>{self._name}</name>{size}<target/></volume>"


class Domain:
    """A running domain with `web-root` as its disk."""

    def __init__(self, *, goes_away: bool = False) -> None:
        self.goes_away = goes_away
        self.resized: list[tuple[str, int, int]] = []

    def UUIDString(self) -> str:
        return "6af613b6-569c-5c22-9c37-2ed93f31d3af"

    def XMLDesc(self, _flags: int) -> str:
        if self.goes_away:
            raise error(libvirt.VIR_ERR_NO_DOMAIN)
        return DOMAIN

    def blockResize(self, path: str, size: int, flags: int) -> None:
        self.resized.append((path, size, flags))


class Host:
    """One pool, and what the test wants of it."""

    def __init__(self) -> None:
        self.volumes: dict[str, Volume] = {}
        self.domains: list[Domain] = []
        self.on_create: Callable[[], None] = lambda: None
        self.copy = Volume("web-root", 2 * GIB)
        self.refresh_error: Exception | None = None

    def storagePoolLookupByName(self, _name: str) -> Host:
        return self

    def listAllStoragePools(self, _flags: int) -> list[Host]:
        return [self]

    def listAllDomains(self, _flags: int) -> list[Domain]:
        return self.domains

    def listAllVolumes(self, _flags: int) -> list[Volume]:
        return list(self.volumes.values())

    def storageVolLookupByName(self, name: str) -> Volume:
        if name not in self.volumes:
            raise error(libvirt.VIR_ERR_NO_STORAGE_VOL)
        return self.volumes[name]

    def name(self) -> str:
        return "default"

    def info(self) -> list[int]:
        return [2, 100 * GIB, 0, 100 * GIB]

    def refresh(self, _flags: int) -> None:
        if self.refresh_error:
            raise self.refresh_error

    def createXML(self, _xml: str, _flags: int) -> None:
        self.on_create()

    def createXMLFrom(self, _xml: str, _origin: Any, _flags: int) -> Volume:
        return self.copy

    def close(self) -> None:
        return None


@pytest.fixture
def host() -> Host:
    return Host()


@pytest.fixture
def manifest() -> MemoryManifest:
    return MemoryManifest()


@pytest.fixture
def port(host: Host, manifest: MemoryManifest) -> LibvirtHypervisor:
    connection = LibvirtConnection("virt1", "test:///default", opener=lambda _uri: host)
    patience = Patience(sleep=lambda _seconds: None, monotonic=lambda: 0.0)
    return LibvirtHypervisor(connection, manifest, patience, domain_types={"kvm": "kvm"})


def failing(failure: Exception) -> Callable[[], None]:
    def work() -> None:
        raise failure

    return work


def test_the_mark_is_written_before_the_volume_is_made(
    port: LibvirtHypervisor, host: Host, manifest: MemoryManifest
) -> None:
    marks: list[object] = []
    host.on_create = lambda: marks.append(manifest.read())
    port.create_volume(NEW, OWNER)
    assert marks == [{"default/web-root": OWNER}]


@pytest.mark.parametrize(
    ("failure", "expected", "is_marked"),
    [(LOST, Unreachable, True), (FULL, Conflict, False), (BUSY, Conflict, False)],
)
def test_a_mark_stays_only_when_the_volume_may_be_there(
    port: LibvirtHypervisor,
    host: Host,
    manifest: MemoryManifest,
    failure: Exception,
    expected: type[DriverError],
    is_marked: bool,
) -> None:
    host.on_create = failing(failure)
    with pytest.raises(expected):
        port.create_volume(NEW, OWNER)
    assert ("default/web-root" in manifest.read()) is is_marked


def test_a_copy_of_an_image_grows_to_its_size(port: LibvirtHypervisor, host: Host) -> None:
    host.volumes["debian-12.abababababababab"] = Volume("debian-12", 2 * GIB)
    port.create_volume(FROM_IMAGE, OWNER)
    assert host.copy.capacity_bytes == 8 * GIB


def test_a_copy_that_cannot_grow_is_removed(
    port: LibvirtHypervisor, host: Host, manifest: MemoryManifest
) -> None:
    host.volumes["debian-12.abababababababab"] = Volume("debian-12", 2 * GIB)
    host.copy.resize_error = FULL
    with pytest.raises(Conflict):
        port.create_volume(FROM_IMAGE, OWNER)
    assert host.copy.is_deleted
    assert manifest.read() == {}


def test_a_volume_is_not_smaller_than_its_image(
    port: LibvirtHypervisor, host: Host, manifest: MemoryManifest
) -> None:
    host.volumes["debian-12.abababababababab"] = Volume("debian-12", 9 * GIB)
    with pytest.raises(Conflict, match="what it is made from has 9 GiB"):
        port.create_volume(FROM_IMAGE, OWNER)
    assert manifest.read() == {}


def test_a_volume_in_use_grows_through_its_guest(port: LibvirtHypervisor, host: Host) -> None:
    host.volumes["web-root"] = Volume("web-root", 8 * GIB)
    host.domains = [Domain()]
    port.grow_volume("default", "web-root", 16 * GIB)
    in_bytes = libvirt.VIR_DOMAIN_BLOCK_RESIZE_BYTES
    assert host.domains[0].resized == [("/pools/default/web-root", 16 * GIB, in_bytes)]
    assert host.volumes["web-root"].capacity_bytes == 8 * GIB  # the guest's QEMU has done it


def test_a_volume_that_no_guest_has_grows_by_itself(port: LibvirtHypervisor, host: Host) -> None:
    host.volumes["spare"] = Volume("spare", 8 * GIB)
    host.domains = [Domain()]
    port.grow_volume("default", "spare", 16 * GIB)
    assert host.domains[0].resized == []
    assert host.volumes["spare"].capacity_bytes == 16 * GIB


def test_a_pool_at_work_is_seen_as_it_was(port: LibvirtHypervisor, host: Host) -> None:
    host.volumes["web-root"] = Volume("web-root", 8 * GIB)
    host.refresh_error = BUSY
    assert [each.name for each in port.volumes()] == ["web-root"]


def test_a_pool_that_may_not_be_looked_at_fails_the_look(
    port: LibvirtHypervisor, host: Host
) -> None:
    host.refresh_error = DENIED
    with pytest.raises(DriverError, match="it failed"):
        port.volumes()


def test_a_domain_that_goes_away_during_the_look_is_left_out(
    port: LibvirtHypervisor, host: Host
) -> None:
    host.domains = [Domain(goes_away=True), Domain()]
    assert [each.definition.name for each in port.domains()] == ["web"]
