"""What the libvirt driver does beyond the contract."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import libvirt
import pytest

from reconciler.drivers.libvirt_.connection import LibvirtConnection
from reconciler.drivers.libvirt_.hypervisor import LibvirtHypervisor, Patience
from reconciler.drivers.libvirt_.manifest import MemoryManifest
from reconciler.drivers.libvirt_.marks import Mark
from reconciler.drivers.likeness import is_same_definition
from reconciler.errors import Conflict, NotFound
from reconciler.model.resource import Owner
from reconciler.ports.hypervisor import Disk, DomainDefinition, Interface, NewVolume
from tests.unit.drivers.libvirt_.stores import storage_of

GIB = 1024**3
OWNER = Owner("production", "web-1", "0123456789abcdef")
UUID = "6af613b6-569c-5c22-9c37-2ed93f31d3af"
NODE = """
<node><cpu><mhz>2000</mhz><model>x86_64</model><active>2</active><nodes>1</nodes>
  <sockets>1</sockets><cores>2</cores><threads>1</threads></cpu><memory>33554432</memory>
  <pool type="dir"><name>default</name><target><path>/pools/default</path></target></pool></node>
"""


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds

    def monotonic(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def manifest() -> MemoryManifest:
    return MemoryManifest()


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[LibvirtConnection]:
    node = tmp_path / "node.xml"
    node.write_text(NODE, encoding="utf-8")
    made = LibvirtConnection("virt1", f"test://{node}")
    yield made
    made.close()


@pytest.fixture
def port(
    connection: LibvirtConnection, manifest: MemoryManifest, clock: Clock
) -> LibvirtHypervisor:
    patience = Patience(clock.sleep, clock.monotonic)
    return LibvirtHypervisor(
        connection, storage_of(manifest), patience, domain_types={"qemu": "test"}
    )


def definition(**changes: Any) -> DomainDefinition:
    standard: dict[str, Any] = {
        "name": "web",
        "uuid": UUID,
        "accelerator": "qemu",
        "vcpus": 1,
        "memory_bytes": GIB,
    }
    return DomainDefinition(**{**standard, **changes})


@pytest.mark.libvirt
def test_the_domain_of_the_default_test_host_is_foreign() -> None:
    connection = LibvirtConnection("virt1", "test:///default")
    clock = Clock()
    patience = Patience(clock.sleep, clock.monotonic)
    port = LibvirtHypervisor(connection, storage_of(), patience, domain_types={"qemu": "test"})
    # Whoever has test:///default open in this process has the same host.
    (seen,) = (each for each in port.domains() if each.definition.name == "test")
    assert (seen.definition.name, seen.owner, seen.running) == ("test", None, True)
    assert (seen.definition.vcpus, seen.definition.memory_bytes) == (2, 2 * GIB)
    assert seen.definition.disks == (Disk("vda", "", "/guest/diskimage1"),)
    assert seen.definition.interfaces == (Interface("aa:bb:cc:dd:ee:ff", "default", "libvirt"),)
    port.close()


@pytest.mark.libvirt
def test_a_file_that_is_a_volume_is_seen_as_one(
    port: LibvirtHypervisor, connection: LibvirtConnection
) -> None:
    port.create_volume(NewVolume("default", "web-root", "raw", GIB), OWNER)
    xml = """<domain type="test"><name>old</name><memory>1024</memory><os><type>hvm</type></os>
      <devices><disk type="file"><source file="/pools/default/web-root"/><target dev="vda"/></disk>
      </devices></domain>"""
    connection.run("define", lambda raw: raw.defineXML(xml).name())
    assert port.domains()[0].definition.disks == (Disk("vda", "default", "web-root"),)
    with pytest.raises(Conflict, match="in use by old"):
        port.trash_volume("default", "web-root")


@pytest.mark.libvirt
def test_adopting_a_running_domain_waits_for_no_restart(
    port: LibvirtHypervisor, connection: LibvirtConnection
) -> None:
    port.create_volume(NewVolume("default", "web-root", "raw", GIB), OWNER)
    xml = f"""<domain type="test"><name>web</name><uuid>{UUID}</uuid><memory unit="GiB">1</memory>
      <os><type>hvm</type></os><devices><disk type="file"><source file="/pools/default/web-root"/>
      <target dev="vda"/></disk></devices></domain>"""
    connection.run("define", lambda raw: raw.defineXML(xml).create())
    wanted = definition(disks=(Disk("root", "default", "web-root"),))
    port.define_domain(wanted, OWNER)
    (seen,) = port.domains()
    assert is_same_definition(wanted, seen.definition)
    assert seen.owner == OWNER
    assert (seen.running, seen.guest) == (True, None)


@pytest.mark.libvirt
def test_a_domain_that_only_runs_is_seen_and_stopped(
    port: LibvirtHypervisor, connection: LibvirtConnection
) -> None:
    xml = """<domain type="test"><name>fleeting</name><memory>1024</memory>
      <os><type>hvm</type></os></domain>"""
    connection.run("create", lambda raw: raw.createXML(xml).name())
    (seen,) = port.domains()
    assert (seen.running, seen.guest, seen.owner) == (True, None, None)
    port.stop_domain("fleeting")
    assert port.domains() == ()


@pytest.mark.libvirt
def test_what_a_person_put_into_a_domain_stays(
    port: LibvirtHypervisor, connection: LibvirtConnection
) -> None:
    port.define_domain(definition(), OWNER)

    def edit(raw: Any) -> None:
        text = raw.lookupByName("web").XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
        device = "<graphics type='vnc' port='5901' passwd='secret'/></devices>"
        raw.defineXML(text.replace("</devices>", device))

    connection.run("edit", edit)
    port.define_domain(definition(vcpus=2), OWNER)
    flags = libvirt.VIR_DOMAIN_XML_INACTIVE | libvirt.VIR_DOMAIN_XML_SECURE
    text = connection.run("read", lambda raw: raw.lookupByName("web").XMLDesc(flags))
    assert "passwd='secret'" in text


@pytest.mark.libvirt
def test_a_mark_of_a_volume_that_is_not_there_means_nothing(
    port: LibvirtHypervisor, manifest: MemoryManifest
) -> None:
    manifest.write("default/never-made", Mark(OWNER))
    assert port.volumes() == ()


@pytest.mark.libvirt
def test_a_volume_that_could_not_be_made_leaves_no_mark(
    port: LibvirtHypervisor, connection: LibvirtConnection, manifest: MemoryManifest
) -> None:
    connection.run("stop", lambda raw: raw.storagePoolLookupByName("default").destroy())
    with pytest.raises(Conflict):
        port.create_volume(NewVolume("default", "web-root", "qcow2", GIB), OWNER)
    assert manifest.read() == {}


@pytest.mark.libvirt
def test_a_volume_of_somebody_else_is_not_marked_by_trying(
    port: LibvirtHypervisor, connection: LibvirtConnection, manifest: MemoryManifest
) -> None:
    xml = "<volume><name>web-root</name><capacity>1024</capacity></volume>"
    connection.run("make", lambda raw: raw.storagePoolLookupByName("default").createXML(xml).name())
    with pytest.raises(Conflict, match="taken"):
        port.create_volume(NewVolume("default", "web-root", "qcow2", GIB), OWNER)
    assert manifest.read() == {}
    assert port.volumes()[0].owner is None


@pytest.mark.libvirt
def test_what_libvirts_schema_forbids_is_refused(port: LibvirtHypervisor) -> None:
    interface = Interface("52:54:00:00:00:01", "br{lan}")
    with pytest.raises(Conflict, match="schema"):
        port.define_domain(definition(interfaces=(interface,)), OWNER)
    assert port.domains() == ()


class Stubborn:
    """A host that adds up the memory of NUMA cells itself, whatever it is told."""

    def __init__(self) -> None:
        self.text = ""

    def lookupByName(self, _name: str) -> Stubborn:
        unknown = libvirt.libvirtError("no such domain")
        unknown.err = (libvirt.VIR_ERR_NO_DOMAIN, 0, "", 2, None, None, None, -1, -1)
        raise unknown

    def defineXMLFlags(self, text: str, _flags: int) -> Stubborn:
        self.text = text.replace(str(GIB // 1024), "4096")
        return self

    def XMLDesc(self, _flags: int) -> str:
        return self.text

    def close(self) -> None:
        return None


def test_what_libvirt_does_not_keep_is_told_and_not_written_for_ever(clock: Clock) -> None:
    connection = LibvirtConnection("virt1", "test:///default", opener=lambda _uri: Stubborn())
    patience = Patience(clock.sleep, clock.monotonic)
    port = LibvirtHypervisor(connection, storage_of(), patience, domain_types={"qemu": "qemu"})
    with pytest.raises(Conflict, match="libvirt stores another memory_bytes than it was given"):
        port.define_domain(definition(), OWNER)
    port.close()


@pytest.mark.libvirt
def test_a_name_with_nul_in_it_is_refused_like_others(port: LibvirtHypervisor) -> None:
    with pytest.raises(Conflict):
        port.start_domain("web\x00")
    with pytest.raises(NotFound):
        port.start_domain("web")


class Guest:
    """A running domain as libvirt-python gives it, which may not listen."""

    def __init__(self, *, looks_until_off: int | None) -> None:
        self.looks_until_off = looks_until_off
        self.calls: list[str] = []

    def lookupByName(self, _name: str) -> Guest:
        return self

    def isActive(self) -> int:
        if self.looks_until_off is None:
            return 1
        self.looks_until_off -= 1
        return int(self.looks_until_off >= 0)

    def state(self, _flags: int) -> tuple[int, int]:
        return libvirt.VIR_DOMAIN_RUNNING, 0

    def shutdown(self) -> None:
        self.calls.append("shutdown")

    def destroy(self) -> None:
        self.calls.append("destroy")
        self.looks_until_off = 0

    def close(self) -> None:
        return None


def host_of(guest: Guest, clock: Clock) -> LibvirtHypervisor:
    connection = LibvirtConnection("virt1", "test:///default", opener=lambda _uri: guest)
    patience = Patience(clock.sleep, clock.monotonic, shutdown_deadline=timedelta(seconds=30))
    return LibvirtHypervisor(connection, storage_of(), patience, domain_types={})


def test_a_guest_gets_the_time_it_needs(clock: Clock) -> None:
    guest = Guest(looks_until_off=5)
    port = host_of(guest, clock)
    port.stop_domain("web")
    assert guest.calls == ["shutdown"]
    assert 0 < clock.seconds < 30
    port.close()


def test_a_guest_that_does_not_listen_is_cut_off_at_the_deadline(clock: Clock) -> None:
    guest = Guest(looks_until_off=None)
    port = host_of(guest, clock)
    port.stop_domain("web")
    assert guest.calls == ["shutdown", "destroy"]
    assert clock.seconds == pytest.approx(30, abs=1)
    port.close()


def test_a_guest_that_is_off_is_not_asked(clock: Clock) -> None:
    guest = Guest(looks_until_off=0)
    port = host_of(guest, clock)
    port.stop_domain("web")
    assert guest.calls == []
    assert clock.seconds == 0
    port.close()


def test_a_guest_that_cannot_be_asked_is_cut_off_at_once(clock: Clock) -> None:
    class Deaf(Guest):
        def shutdown(self) -> None:
            raise libvirt.libvirtError("no ACPI")

    guest = Deaf(looks_until_off=None)
    port = host_of(guest, clock)
    port.stop_domain("web")
    assert guest.calls == ["destroy"]
    assert clock.seconds == 0
    port.close()
