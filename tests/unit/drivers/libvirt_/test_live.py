"""What is asked of a running guest so that it follows its definition, and when it does not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import libvirt
import pytest
from lxml import etree

from reconciler.drivers.libvirt_.connection import LibvirtConnection
from reconciler.drivers.libvirt_.hypervisor import LibvirtHypervisor, Patience
from reconciler.drivers.libvirt_.reading import Dialect
from reconciler.drivers.libvirt_.writing import Formats, domain_xml
from reconciler.drivers.libvirt_.xmltext import drop, parse
from reconciler.errors import Conflict, Unreachable
from reconciler.model.resource import Owner
from reconciler.ports.hypervisor import Disk, DomainDefinition, Interface
from tests.unit.drivers.libvirt_.stores import storage_of

GIB = 1024**3
DIALECT = Dialect({"kvm": "kvm"})
OWNER = Owner("production", "web-1", "0123456789abcdef")
FORMATS: Formats = defaultdict(lambda: "qcow2")
ROOT, DATA = (Disk(name, "default", f"web-{name}") for name in ("root", "data"))
LAN, DMZ = (Interface(f"52:54:00:00:00:0{n}", f"br-{n}") for n in (1, 2))
WEB = DomainDefinition(
    name="web",
    uuid="6af613b6-569c-5c22-9c37-2ed93f31d3af",
    accelerator="kvm",
    vcpus=2,
    memory_bytes=2 * GIB,
    disks=(ROOT,),
    interfaces=(LAN,),
    vcpus_maximum=4,
    memory_maximum_bytes=4 * GIB,
)


def error(
    message: str, code: int = libvirt.VIR_ERR_OPERATION_FAILED, origin: int = libvirt.VIR_FROM_QEMU
) -> libvirt.libvirtError:
    made = libvirt.libvirtError(message)
    made.err = (code, origin, message, 2, None, None, None, -1, -1)
    return made


def xml(definition: DomainDefinition) -> Any:
    return parse(domain_xml(definition, OWNER, DIALECT, FORMATS))


class Domain:
    """A running domain as libvirt-python gives it. It does what it is asked, unless told not to."""

    def __init__(self, guest: DomainDefinition, stored: DomainDefinition) -> None:
        self.live, self.stored = xml(guest), xml(stored)
        self.calls: list[str] = []
        self.refuses: dict[str, Callable[[Any], Exception | None]] = {}
        self.ignores: frozenset[str] = frozenset()
        self.active = True

    def lookupByName(self, _name: str) -> Domain:
        return self

    def close(self) -> None:
        return None

    def isActive(self) -> int:
        return int(self.active)

    def isPersistent(self) -> int:
        return 1

    def XMLDesc(self, flags: int) -> str:
        root = self.stored if flags & libvirt.VIR_DOMAIN_XML_INACTIVE else self.live
        return str(etree.tostring(root, encoding="unicode"))

    def setMetadata(self, kind: int, text: str | None, *rest: Any) -> None:
        if not self._asked("setMetadata", text):
            return
        if kind == libvirt.VIR_DOMAIN_METADATA_TITLE:
            drop(self.live, "title")
            etree.SubElement(self.live, "title").text = text
            return
        old = self.live.find("metadata/{urn:kvm-reconciler:guest:1}guest")
        for key in set(old.attrib) - set(parse(str(text)).attrib):
            del old.attrib[key]
        assert rest[-1] == libvirt.VIR_DOMAIN_AFFECT_LIVE

    def setMemoryFlags(self, kib: int, _flags: int) -> None:
        if self._asked("setMemoryFlags", kib):
            self.live.find("currentMemory").text = str(kib)

    def setVcpusFlags(self, vcpus: int, _flags: int) -> None:
        if self._asked("setVcpusFlags", vcpus):
            self.live.find("vcpu").set("current", str(vcpus))

    def attachDeviceFlags(self, text: str, _flags: int) -> None:
        if self._asked("attach", device := etree.fromstring(text)):
            self.live.find("devices").append(device)

    def detachDeviceFlags(self, text: str, _flags: int) -> None:
        if self._asked("detach", device := etree.fromstring(text)):
            self.live.find("devices").remove(self._like(device))

    def updateDeviceFlags(self, text: str, _flags: int) -> None:
        if self._asked("update", device := etree.fromstring(text)):
            self.live.find("devices").replace(self._like(device), device)

    def _like(self, device: Any) -> Any:
        key = "target" if device.tag == "disk" else "mac"
        return next(
            each
            for each in self.live.iterfind(f"devices/{device.tag}")
            if dict(each.find(key).attrib) == dict(device.find(key).attrib)
        )

    def _asked(self, call: str, argument: Any) -> bool:
        self.calls.append(call)
        refusal = self.refuses.get(call, lambda _argument: None)(argument)
        if refusal is not None:
            raise refusal
        return call not in self.ignores


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.at_look: Callable[[float], None] = lambda _seconds: None

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds
        self.at_look(self.seconds)

    def monotonic(self) -> float:
        return self.seconds


def adjust(domain: Domain, clock: Clock | None = None) -> None:
    clock = clock or Clock()
    connection = LibvirtConnection("virt1", "test:///default", opener=lambda _uri: domain)
    patience = Patience(clock.sleep, clock.monotonic)
    port = LibvirtHypervisor(connection, storage_of(), patience, domain_types={"kvm": "kvm"})
    try:
        port.adjust_guest("web")
    finally:
        port.close()


def settled(domain: Domain) -> bool:
    before = len(domain.calls)
    adjust(domain)
    return len(domain.calls) == before


@pytest.mark.parametrize(
    "change",
    [
        {"title": "the web"},
        {"vcpus": 4},
        {"vcpus": 1},
        {"memory_bytes": 4 * GIB},
        {"memory_bytes": GIB},
        {"disks": (ROOT, DATA)},
        {"interfaces": (LAN, DMZ)},
        {"interfaces": ()},
        {"interfaces": (DMZ,)},
        {"interfaces": (replace(LAN, link="down"),)},
        {"interfaces": (replace(LAN, bridge="br-9"),)},
        {"interfaces": (replace(LAN, switch="openvswitch", vlan=3),)},
    ],
    ids=str,
)
def test_a_guest_follows_there_and_back(change: dict[str, Any]) -> None:
    domain = Domain(WEB, replace(WEB, **change))
    adjust(domain)
    assert domain.calls
    assert settled(domain)
    domain.stored = xml(replace(WEB, title=""))
    adjust(domain)
    assert settled(domain)


def test_nothing_is_asked_of_a_domain_that_is_off() -> None:
    domain = Domain(WEB, replace(WEB, title="the web"))
    domain.active = False
    adjust(domain)
    assert domain.calls == []


def test_what_waits_for_a_restart_is_not_asked() -> None:
    other = replace(WEB, disks=(DATA,), tpm=True, cpu_model="EPYC", vcpus_maximum=8, vcpus=6)
    domain = Domain(WEB, other)
    adjust(domain)
    assert domain.calls == []


def test_processors_that_were_not_plugged_are_not_taken_away() -> None:
    domain = Domain(WEB, replace(WEB, vcpus=1))
    domain.live.remove(domain.live.find("vcpus"))
    adjust(domain)
    assert domain.calls == []


def test_a_device_comes_where_it_will_be_after_a_restart() -> None:
    domain = Domain(WEB, replace(WEB, disks=(ROOT, DATA)))
    with_address(domain.stored.find("devices/disk[2]"), "0x7")
    adjust(domain)
    assert domain.live.find("devices/disk[2]/address").get("slot") == "0x7"


def test_a_device_comes_anywhere_where_that_place_is_taken() -> None:
    domain = Domain(WEB, replace(WEB, disks=(ROOT, DATA)))
    with_address(domain.stored.find("devices/disk[2]"), "0x7")
    domain.refuses["attach"] = lambda device: (
        error("in use") if device.find("address") is not None else None
    )
    adjust(domain)
    assert domain.calls == ["attach", "attach"]
    assert domain.live.find("devices/disk[2]/address") is None


def test_a_disk_gets_another_target_where_its_own_is_taken() -> None:
    logs = Disk("logs", "default", "web-logs")
    domain = Domain(replace(WEB, disks=(ROOT, DATA)), replace(WEB, disks=(ROOT, logs, DATA)))
    adjust(domain)
    targets = [each.get("dev") for each in domain.live.iterfind("devices/disk/target")]
    assert targets == ["vda", "vdb", "vdc"]
    assert settled(domain)


def test_an_interface_that_cannot_be_changed_is_plugged_anew() -> None:
    domain = Domain(WEB, replace(WEB, interfaces=(replace(LAN, bridge="br-9"),)))
    domain.refuses["update"] = lambda _device: error("cannot change that")
    adjust(domain)
    assert domain.calls == ["update", "detach", "attach"]
    assert settled(domain)


def test_a_guest_gets_time_to_let_go() -> None:
    domain, clock = Domain(replace(WEB, disks=(ROOT, DATA)), WEB), Clock()
    domain.ignores = frozenset({"detach"})

    def comply(seconds: float) -> None:
        domain.ignores = frozenset() if seconds > 10 else domain.ignores

    clock.at_look = comply
    adjust(domain, clock)
    assert 10 < clock.seconds < 12
    assert settled(domain)


def test_a_guest_that_was_asked_before_may_say_so() -> None:
    domain, clock = Domain(replace(WEB, disks=(ROOT, DATA)), WEB), Clock()
    domain.refuses["detach"] = lambda _device: error("in the process of unplug")

    def comply(seconds: float) -> None:
        devices = domain.live.find("devices")
        if seconds > 10 and len(devices.findall("disk")) > 1:
            devices.remove(devices.findall("disk")[1])

    clock.at_look = comply
    adjust(domain, clock)
    assert settled(domain)


def test_a_guest_that_does_not_let_go_is_told_of_at_the_deadline_with_the_rest_done() -> None:
    domain, clock = Domain(replace(WEB, disks=(ROOT, DATA)), replace(WEB, title="x")), Clock()
    domain.refuses["detach"] = lambda _device: error("in the process of unplug")
    with pytest.raises(Conflict, match=r"let go of disk data \(in the process of unplug\)"):
        adjust(domain, clock)
    assert clock.seconds == pytest.approx(60, abs=1)
    assert domain.live.findtext("title") == "x"


def test_a_guest_without_a_balloon_is_told_of() -> None:
    domain = Domain(WEB, replace(WEB, memory_bytes=GIB))
    domain.ignores = frozenset({"setMemoryFlags"})
    with pytest.raises(Conflict, match=r"has 2 GiB of memory and not yet 1 GiB; does it have a b"):
        adjust(domain)


def test_what_is_refused_is_told_at_once_with_the_rest_done() -> None:
    domain, clock = Domain(WEB, replace(WEB, disks=(ROOT, DATA), title="x", vcpus=3)), Clock()
    domain.refuses["attach"] = lambda _device: error("no room on the bus")
    domain.refuses["setVcpusFlags"] = lambda _vcpus: error("no processors")
    with pytest.raises(Conflict, match="disks data: no room on the bus") as caught:
        adjust(domain, clock)
    assert "vcpus: no processors" in str(caught.value)
    assert domain.live.findtext("title") == "x"
    assert clock.seconds == 0


@pytest.mark.parametrize("call", ["attach", "detach", "update", "setVcpusFlags"])
def test_a_lost_connection_is_told_as_such(call: str) -> None:
    have = replace(WEB, disks=(ROOT, DATA), interfaces=(LAN,))
    want = replace(WEB, vcpus=1, interfaces=(replace(LAN, link="down"), DMZ))
    domain = Domain(have, want)
    domain.refuses[call] = lambda _argument: error(
        "cut", libvirt.VIR_ERR_SYSTEM_ERROR, libvirt.VIR_FROM_RPC
    )
    with pytest.raises(Unreachable):
        adjust(domain)


def test_libvirt_calls_it_a_timeout_that_a_guest_is_slow() -> None:
    domain, clock = Domain(WEB, replace(WEB, vcpus=1)), Clock()
    domain.refuses["setVcpusFlags"] = lambda _vcpus: error(
        "unplug request timed out", libvirt.VIR_ERR_OPERATION_TIMEOUT
    )
    with pytest.raises(Conflict, match=r"2 processors and does not let go of 1 \(unplug request"):
        adjust(domain, clock)


@pytest.mark.parametrize("dies_at", range(1, 7))
def test_dying_between_any_two_calls_leaves_what_can_be_ended(dies_at: int) -> None:
    have = replace(WEB, disks=(ROOT, DATA))
    want = replace(
        WEB, title="x", vcpus=3, memory_bytes=GIB, interfaces=(replace(LAN, bridge="b"),)
    )
    domain = Domain(have, want)
    call = domain._asked

    def dying(name: str, argument: Any) -> bool:
        done = call(name, argument)
        if len(domain.calls) == dies_at:
            raise error("cut", libvirt.VIR_ERR_SYSTEM_ERROR, libvirt.VIR_FROM_RPC)
        return done

    domain._asked = dying  # type: ignore[assignment,method-assign]
    with pytest.raises(Unreachable):
        adjust(domain)
    domain._asked = call  # type: ignore[method-assign]
    adjust(domain)
    assert settled(domain)


def with_address(element: Any, slot: str) -> None:
    etree.SubElement(element, "address", type="pci", slot=slot)
