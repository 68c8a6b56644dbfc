"""What users of other libvirt tools complain about, so that ours need not.

The numbers are those of issues of the Terraform provider for libvirt (TF) and of NixVirt (NV). Most
are about differences that nobody made: a host writes down more than it was told, and shows a
running guest in other words than its stored definition. Others are about what a small change costs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from itertools import permutations
from typing import Any

import libvirt
import pytest
from lxml import etree

from reconciler.drivers.libvirt_.looking import Seen, state_of
from reconciler.drivers.libvirt_.reading import Dialect, definition_of
from reconciler.drivers.libvirt_.writing import Formats, domain_xml
from reconciler.drivers.libvirt_.xmltext import drop, parse
from reconciler.kinds.domain import DomainKind, DomainSpec
from reconciler.kinds.domain_operations import UndefineDomain
from reconciler.kinds.volume import VolumeKind
from reconciler.kinds.volume_operations import CreateVolume, GrowVolume, TrashVolume
from reconciler.model.change import Disruption
from reconciler.model.resource import Owner
from reconciler.ports.hypervisor import Disk, DomainDefinition, DomainState, Interface
from tests.farms.specs import GIB, domain_spec, volume_spec

OWNER = Owner("production", "web-1", "0123456789abcdef")
DIALECT = Dialect({"kvm": "kvm", "qemu": "qemu"})
TEST_DIALECT = Dialect({"qemu": "test"})
DISKS = (Disk("root", "default", "web-root"), Disk("data", "default", "web-data"))
FORMATS: Formats = {(disk.pool, disk.volume): "qcow2" for disk in DISKS}
WANTED = DomainDefinition(
    name="web",
    uuid="6af613b6-569c-5c22-9c37-2ed93f31d3af",
    accelerator="kvm",
    vcpus=2,
    memory_bytes=2 * GIB,
    disks=DISKS,
    interfaces=(
        Interface("52:54:00:00:0a:01", "br-lan"),
        Interface("52:54:00:00:0a:02", "lan", switch="libvirt", portgroup="office"),
    ),
)
Edit = Callable[[Any], None]


class Domain:
    """A running domain as libvirt-python gives it."""

    def __init__(self, stored: str, live: str) -> None:
        self.texts = {libvirt.VIR_DOMAIN_XML_INACTIVE: stored, 0: live}

    def XMLDesc(self, flags: int) -> str:
        return self.texts[flags]


def seen(stored: Edit, live: Edit | None = None, wanted: DomainDefinition = WANTED) -> DomainState:
    """What we see when a host edits the definition we gave it, and a running guest besides."""
    root = etree.fromstring(domain_xml(wanted, OWNER, DIALECT, FORMATS))
    stored(root)
    text = etree.tostring(root, encoding="unicode")
    (live or nothing)(root)
    domain = Domain(text, etree.tostring(root, encoding="unicode"))
    listed = Seen(domain, True, True, False, False, False)  # active and persistent
    state = state_of(listed, "virt1", lambda _connection: DIALECT)(None)
    assert isinstance(state, DomainState)
    return state


def differences(state: DomainState, wanted: DomainDefinition = WANTED) -> list[str]:
    called_alike = {
        field.name: getattr(wanted, field.name)
        for field in fields(DomainDefinition)
        if field.name != "name"
    }
    desired = domain_spec(libvirt_name=wanted.name, pending_restart=None, **called_alike)
    called_alike = {name: getattr(state.definition, name) for name in called_alike}
    observed = domain_spec(libvirt_name=state.definition.name, **called_alike)
    return [str(change) for change in DomainKind().diff(desired, observed)]


def nothing(root: Any) -> None:
    del root


def put(root: Any, path: str, xml: str, index: int | None = None) -> None:
    for place in root.findall(path):
        element = etree.fromstring(xml)
        place.insert(len(place) if index is None else index, element)


def change(root: Any, path: str, **attributes: str) -> None:
    found = root.findall(path)
    assert found, path
    for element in found:
        element.attrib.update(attributes)


# ------------------------------------------------------ what a host writes down besides (TF, NV)


def machine_type(root: Any) -> None:
    change(root, "os/type", arch="x86_64", machine="pc-i440fx-7.2")


def places_on_the_bus(root: Any) -> None:
    address = '<address type="pci" domain="0x0000" bus="0x00" slot="0x05" function="0x0"/>'
    for kind in ("disk", "interface", "rng"):
        put(root, f"devices/{kind}", address)


def controllers_first(root: Any) -> None:
    for number, model in enumerate(["pcie-root", "pcie-root-port", "pcie-root-port"]):
        put(root, "devices", f'<controller type="pci" index="{number}" model="{model}"/>', 0)
    put(root, "devices", "<emulator>/usr/bin/qemu-system-x86_64</emulator>", 0)


def devices_nobody_asked_for(root: Any) -> None:
    for xml in (
        '<input type="mouse" bus="ps2"/>',
        '<audio id="1" type="none"/>',
        '<memballoon model="virtio"/>',
        '<disk type="file" device="floppy"><target dev="fda" bus="fdc"/></disk>',
    ):
        put(root, "devices", xml)


def other_units(root: Any) -> None:
    for name in ("memory", "currentMemory"):
        root.find(name).set("unit", "MiB")
        root.find(name).text = str(2 * 1024)


def capitals_in_hardware_addresses(root: Any) -> None:
    for element in root.iterfind("devices/interface/mac"):
        element.set("address", element.get("address").upper())


def default_processor(root: Any) -> None:
    put(root, ".", '<cpu mode="custom" match="exact" check="none"><model>qemu64</model></cpu>')
    change(root, "vcpu", placement="static")


def what_happens_on_power_off(root: Any) -> None:
    for event, action in (("poweroff", "destroy"), ("reboot", "restart"), ("crash", "destroy")):
        put(root, ".", f"<on_{event}>{action}</on_{event}>")


def path_of_the_agent(root: Any) -> None:
    put(root, "devices/channel", '<source mode="bind" path="/var/lib/libvirt/qemu/agent.0"/>', 0)


STORED: dict[str, Edit] = {
    "TF 1069: machine pc becomes the newest of its kind": machine_type,
    "TF 1246: addresses on the bus": places_on_the_bus,
    "NV 57: controllers, which move to the front": controllers_first,
    "NV 40: a mouse, a balloon, an empty floppy drive": devices_nobody_asked_for,
    "TF 1253: sizes in other units": other_units,
    "TF 23, TF 851: hardware addresses in capitals": capitals_in_hardware_addresses,
    "TF 1269: a processor where none was asked for": default_processor,
    "NV 40: elements nobody wrote": what_happens_on_power_off,
    "TF 1319: a path for the agent's channel": path_of_the_agent,
}


@pytest.mark.parametrize("edit", STORED.values(), ids=STORED.keys())
def test_what_a_host_writes_down_besides_is_no_difference(edit: Edit) -> None:
    state = seen(edit)
    assert differences(state) == []
    assert state.guest is None
    assert state.owner == OWNER


@pytest.mark.parametrize("edit", STORED.values(), ids=STORED.keys())
def test_what_a_host_wrote_down_besides_stays_when_something_else_changes(edit: Edit) -> None:
    """A place on the bus that changes is another disk or interface to the guest (TF 751)."""
    root = etree.fromstring(domain_xml(WANTED, OWNER, DIALECT, FORMATS))
    edit(root)
    known = etree.tostring(root, encoding="unicode")
    wanted = replace(WANTED, vcpus=4, memory_bytes=4 * GIB)
    after = etree.fromstring(domain_xml(wanted, OWNER, DIALECT, FORMATS, known))
    for each in (root, after):
        drop(each, "memory", "currentMemory", "vcpu", "metadata")
    assert outline(after) == outline(root)


@pytest.mark.libvirt
@pytest.mark.parametrize("order", list(permutations(("root", "logs", "data"))), ids="-".join)
def test_disks_and_interfaces_that_come_between_others_are_stored_there(
    order: tuple[str, ...], memory_host: Any
) -> None:
    """A host sorts disks by their targets, and a new one at the end differed for ever (TF 751)."""
    disks = {name: Disk(name, "default", f"web-{name}") for name in order}
    interfaces = {name: Interface(f"52:54:00:00:0a:0{n}", "br") for n, name in enumerate(disks)}

    def wanted(names: tuple[str, ...]) -> DomainDefinition:
        return replace(
            WANTED,
            accelerator="qemu",
            disks=tuple(disks[name] for name in names),
            interfaces=tuple(interfaces[name] for name in names),
        )

    known = None
    for names in (("root", "data"), order, order[::-1]):
        text = domain_xml(wanted(names), OWNER, TEST_DIALECT, defaultdict(lambda: "raw"), known)
        known = memory_host.defineXML(text).XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
        found = definition_of(parse(known), TEST_DIALECT)
        assert [disk.name for disk in found.disks] == list(names)
        assert found.interfaces == wanted(names).interfaces


@pytest.fixture
def memory_host() -> Iterator[Any]:
    connection = libvirt.open("test:///default")
    yield connection
    connection.close()


def outline(root: Any) -> list[tuple[str, dict[str, str], str]]:
    return [(each.tag, dict(each.attrib), (each.text or "").strip()) for each in root.iter()]


# ------------------------------------------------------------------- how a running guest is shown


def names_of_its_devices(root: Any) -> None:
    for number, element in enumerate(root.findall("devices/interface")):
        put(element, ".", f'<target dev="vnet{number + 16}"/>')
        put(element, ".", f'<alias name="net{number}"/>')
    change(root, "devices/serial", tty="/dev/pts/3")
    put(root, "devices/serial", '<source path="/dev/pts/3"/>', 0)


def label_of_its_process(root: Any) -> None:
    label = "<label>+0:+0</label><imagelabel>+0:+0</imagelabel>"
    put(root, ".", f'<seclabel type="dynamic" model="dac" relabel="yes">{label}</seclabel>')
    root.set("id", "7")


def chain_of_its_disks(root: Any) -> None:
    change(root, "devices/disk/source", index="1")
    put(root, "devices/disk", "<backingStore/>")


def bridge_of_its_network(root: Any) -> None:
    """The host shows what a network came to: its bridge, and the VLAN of the port group."""
    element = root.findall("devices/interface")[1]
    element.set("type", "bridge")
    change(element, "source", bridge="ovs0", portid="4cdb5ab6-cd1d-4ba8-8cd1-e8a27e7a5a4f")
    put(element, ".", '<vlan><tag id="42"/></vlan>')
    put(element, ".", '<virtualport type="openvswitch"><parameters interfaceid="x"/></virtualport>')


LIVE: dict[str, Edit] = {
    "TF 1326: names of taps and terminals": names_of_its_devices,
    "NV 40: security labels": label_of_its_process,
    "NV 40: numbers and backing files of its disks": chain_of_its_disks,
    "TF 1128, TF 263: the bridge that its network is": bridge_of_its_network,
}


@pytest.mark.parametrize("edit", LIVE.values(), ids=LIVE.keys())
def test_how_a_running_guest_is_shown_makes_it_wait_for_no_restart(edit: Edit) -> None:
    state = seen(nothing, edit)
    assert state.running
    assert state.guest is None
    assert differences(state) == []


@pytest.mark.parametrize("adopted", [False, True])
def test_what_host_model_came_to_makes_a_guest_wait_for_no_restart(adopted: bool) -> None:
    """TF 1269: a running guest has a custom model with all its features.

    One that was started before we knew it has no note of what it was started with.
    """

    def resolved(root: Any) -> None:
        drop(root, "cpu", *(["metadata"] if adopted else []))
        model = '<model fallback="forbid">Skylake-Client-IBRS</model><feature name="ss"/>'
        put(root, ".", f'<cpu mode="custom" match="exact" check="full">{model}</cpu>')

    wanted = replace(WANTED, cpu_model="host-model")
    state = seen(nothing, resolved, wanted)
    assert differences(state, wanted) == []
    assert state.guest is None


def test_what_firmware_was_chosen_makes_a_guest_wait_for_no_restart() -> None:
    """TF 1327, TF 1333: the word `efi` is gone and the path of a loader is there instead."""

    def chosen(root: Any) -> None:
        system = root.find("os")
        del system.attrib["firmware"]
        put(system, ".", '<loader readonly="yes" type="pflash">/usr/share/OVMF/CODE.fd</loader>')
        put(system, ".", "<nvram>/var/lib/libvirt/qemu/nvram/web_VARS.fd</nvram>")

    wanted = replace(WANTED, firmware="uefi")
    assert differences(seen(nothing, chosen, wanted), wanted) == []
    assert seen(nothing, chosen, wanted).guest is None
    assert differences(seen(chosen, nothing, wanted), wanted) == []


# --------------------------------------------------------------------- what a small change costs

SMALL = {
    "TF 1069, TF 844: memory": {"memory_bytes": 4 * GIB},
    "TF 1069, TF 844: processors": {"vcpus": 4},
    "TF 751, TF 792: a disk more": {"disks": (*DISKS, Disk("logs", "default", "web-logs"))},
    "TF 751: a disk less": {"disks": DISKS[:1]},
    "TF 727: another hardware address": {
        "interfaces": (Interface("52:54:00:00:0a:09", "br-lan"),),
    },
    "TF 727: another bridge": {"interfaces": (Interface("52:54:00:00:0a:01", "br-dmz"),)},
    "TF 1062: another accelerator": {"accelerator": "qemu"},
}


@pytest.mark.parametrize("small", SMALL.values(), ids=SMALL.keys())
def test_a_small_change_never_replaces_a_machine(small: dict[str, Any]) -> None:
    before = spec()
    after = replace(before, **small)
    steps = DomainKind().update(after, before, DomainKind().diff(after, before), OWNER)
    assert steps
    assert not any(isinstance(step, UndefineDomain) for step in steps)
    assert max(step.disruption for step in steps) <= Disruption.RESTART


@pytest.mark.parametrize(
    "name",
    [each.name for each in fields(DomainSpec) if each.default is None and each.compare],
)
def test_a_field_that_we_learn_to_manage_is_no_difference_where_nobody_asks_for_it(
    name: str,
) -> None:
    """TF 657: a new version of the tool wanted to replace every machine."""
    learnt: dict[str, Any] = {name: "whatever the host has"}
    observed = replace(spec(), **learnt)
    assert DomainKind().diff(spec(), observed) == ()


def test_a_volume_grows_in_place() -> None:
    """TF 952, TF 1017, TF 1325: it was deleted, with what was on it."""
    before, after = volume_spec(), volume_spec(capacity_bytes=20 * GIB)
    steps = VolumeKind().update(after, before, VolumeKind().diff(after, before), OWNER)
    assert [step for step in steps if isinstance(step, GrowVolume)]
    assert not [step for step in steps if isinstance(step, TrashVolume | CreateVolume)]
    assert max(step.disruption for step in steps) is Disruption.LIVE


def spec(**changes: Any) -> DomainSpec:
    standard = {"disks": DISKS, "interfaces": WANTED.interfaces[:1]}
    return domain_spec(**{**standard, **changes})
