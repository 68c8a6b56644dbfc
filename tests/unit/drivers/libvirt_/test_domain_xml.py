"""The XML that libvirt gets for what a definition says, new and within what is there."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import Any

import pytest
from lxml import etree

from reconciler.drivers.libvirt_.reading import Dialect, definition_of, owner_of
from reconciler.drivers.libvirt_.writing import Formats, domain_xml
from reconciler.drivers.libvirt_.xmltext import parse
from reconciler.drivers.refusal import Refused
from reconciler.kinds.domain_changes import definition_changes
from reconciler.model.resource import Owner
from reconciler.ports.hypervisor import Disk, DomainDefinition, Interface

GIB = 1024**3
DIALECT = Dialect({"kvm": "kvm", "qemu": "qemu"})
OWNER = Owner("production", "web-1", "0123456789abcdef")
FORMATS: Formats = defaultdict(lambda: "qcow2")
ROOT, DATA, LOGS = (Disk(name, "default", f"web-{name}") for name in ("root", "data", "logs"))
SEED = Disk("seed", "default", "web-seed", "cdrom")
LAN, DMZ = (Interface(f"52:54:00:00:00:0{n}", f"br-{n}") for n in (1, 2))
WEB = DomainDefinition(
    name="web",
    uuid="6af613b6-569c-5c22-9c37-2ed93f31d3af",
    accelerator="kvm",
    vcpus=2,
    memory_bytes=2 * GIB,
    disks=(ROOT,),
    interfaces=(LAN,),
)


def written(known: str | None = None, guest: str | None = None, **changes: Any) -> Any:
    """The XML as elements; it reads back as it was wanted, in its order too."""
    wanted = replace(WEB, **changes)
    root = parse(domain_xml(wanted, OWNER, DIALECT, FORMATS, known, guest=guest))
    assert definition_changes(wanted, definition_of(root, DIALECT)) == ()
    return root


def text(root: Any) -> str:
    return str(etree.tostring(root, encoding="unicode"))


def placed(*names: str, **changes: Any) -> str:
    """The XML as libvirt keeps it: each device has an address."""
    root = written(**changes)
    for number, element in enumerate(root.xpath("|".join(f"//devices/{n}" for n in names)), 4):
        if element.find("address") is None:
            etree.SubElement(element, "address", type="pci", slot=hex(number))
    return text(root)


def slots(root: Any, name: str) -> list[str | None]:
    found = (each.find("address") for each in root.iterfind(f"devices/{name}"))
    return [None if each is None else each.get("slot") for each in found]


def targets(root: Any) -> list[str]:
    return [each.get("dev") for each in root.iterfind("devices/disk/target")]


def test_with_room_to_grow_all_processors_but_the_first_can_be_unplugged() -> None:
    root = written(vcpus_maximum=4)
    assert (root.find("vcpu").get("current"), root.findtext("vcpu")) == ("2", "4")
    assert [dict(each.attrib) for each in root.iterfind("vcpus/vcpu")] == [
        {"id": "0", "enabled": "yes", "hotpluggable": "no"},
        {"id": "1", "enabled": "yes", "hotpluggable": "yes"},
        {"id": "2", "enabled": "no", "hotpluggable": "yes"},
        {"id": "3", "enabled": "no", "hotpluggable": "yes"},
    ]


def test_without_room_to_grow_a_new_domain_gets_what_it_has() -> None:
    root = written()
    assert root.find("vcpus") is None
    assert root.find("vcpu").get("current") is None
    assert root.findtext("memory") == root.findtext("currentMemory") == str(2 * 1024**2)


def test_a_maximum_that_is_not_managed_is_kept_and_raised() -> None:
    known = text(written(vcpus_maximum=4, memory_maximum_bytes=4 * GIB))
    less = definition_of(written(known, vcpus=1, memory_bytes=GIB), DIALECT)
    assert (less.vcpus_maximum, less.memory_maximum_bytes) == (4, 4 * GIB)
    more = definition_of(written(known, vcpus=6, memory_bytes=8 * GIB), DIALECT)
    assert (more.vcpus_maximum, more.memory_maximum_bytes) == (6, 8 * GIB)


def test_with_a_guest_that_runs_it_is_what_the_guest_has() -> None:
    guest = text(written())
    known = text(written(vcpus=8, memory_bytes=8 * GIB))
    again = definition_of(written(known, guest), DIALECT)
    assert (again.vcpus_maximum, again.memory_maximum_bytes) == (2, 2 * GIB)


def test_a_layout_that_the_processors_do_not_fit_any_more_is_dropped() -> None:
    root = written(cpu_model="host-model")
    etree.SubElement(root.find("cpu"), "topology", sockets="1", cores="2", threads="1")
    assert written(text(root), title="same").find("cpu/topology") is not None
    assert written(text(root), vcpus=3).find("cpu/topology") is None


@pytest.mark.parametrize("model", ["host-passthrough", "host-model", "maximum"])
def test_processors_can_be_as_the_host_has_them(model: str) -> None:
    (element,) = written(cpu_model=model).findall("cpu")
    assert (dict(element.attrib), len(element)) == ({"mode": model}, 0)


def test_another_model_takes_nothing_of_the_former_along() -> None:
    root = written(cpu_model="host-passthrough")
    root.find("cpu").set("migratable", "on")
    etree.SubElement(root.find("cpu"), "feature", policy="require", name="x2apic")
    (element,) = written(text(root), cpu_model="EPYC").findall("cpu")
    assert dict(element.attrib) == {"mode": "custom", "match": "exact"}
    assert [(each.tag, each.get("fallback"), each.text) for each in element] == [
        ("model", "forbid", "EPYC")
    ]


def test_firmware_is_left_to_libvirt_to_find() -> None:
    assert written(firmware="uefi").find("os").get("firmware") == "efi"
    root = written(firmware="uefi")
    etree.SubElement(root.find("os"), "nvram").text = "/nvram/web"
    back = written(text(root), firmware="bios")
    assert (back.find("os").get("firmware"), back.find("os/nvram")) == (None, None)


def test_a_module_comes_and_goes() -> None:
    with_one = written(tpm=True)
    backend = with_one.find("devices/tpm[@model='tpm-crb']/backend")
    assert dict(backend.attrib) == {"type": "emulator", "version": "2.0"}
    assert written(text(with_one), tpm=False).find("devices/tpm") is None
    assert written(text(with_one)).find("devices/tpm") is not None


def test_a_title_comes_and_goes() -> None:
    titled = text(written(title="Web & co"))
    assert written(titled).findtext("title") == "Web & co"
    assert written(titled, title="").find("title") is None


def test_first_boot_is_kept_where_it_is_not_managed() -> None:
    known = text(written(first_boot="0123"))
    assert definition_of(written(known), DIALECT).first_boot == "0123"
    assert definition_of(written(known, first_boot="4567"), DIALECT).first_boot == "4567"


def test_a_seed_is_a_cdrom_that_guests_of_today_have_a_driver_for() -> None:
    root = written(disks=(ROOT, SEED))
    (element,) = root.findall("devices/disk[@device='cdrom']")
    assert element.find("readonly") is not None
    assert dict(element.find("target").attrib) == {"dev": "sda", "bus": "scsi"}
    assert element.find("address").get("controller") == "0"
    assert [each.get("model") for each in root.iterfind("devices/controller")] == ["virtio-scsi"]


def test_a_seed_gets_a_controller_of_its_own_beside_an_old_one() -> None:
    root = written()
    for index in ("0", "1"):
        etree.SubElement(
            root.find("devices"), "controller", type="scsi", index=index, model="lsilogic"
        )
    after = written(text(root), disks=(ROOT, SEED))
    assert after.find("devices/disk/address[@type='drive']").get("controller") == "2"


def test_a_drive_that_a_person_put_in_stays() -> None:
    root = written()
    drive = etree.SubElement(root.find("devices"), "disk", type="file", device="cdrom")
    etree.SubElement(drive, "target", dev="hdc", bus="ide")
    after = written(text(root), disks=())
    assert [each.find("target").get("dev") for each in after.iterfind("devices/disk")] == ["hdc"]


def test_what_comes_between_two_disks_leaves_their_addresses_alone() -> None:
    known = placed("disk", disks=(ROOT, LOGS))
    root = written(known, disks=(ROOT, DATA, LOGS))
    assert targets(root) == ["vda", "vdb", "vdc"]
    assert slots(root, "disk") == ["0x4", None, "0x5"]


def test_disks_that_change_places_are_numbered_anew() -> None:
    root = written(placed("disk", disks=(ROOT, DATA, LOGS)), disks=(ROOT, LOGS, DATA))
    assert targets(root) == ["vda", "vdb", "vdc"]
    assert slots(root, "disk") == [None, None, None]


def test_a_disk_that_goes_leaves_the_others_as_they_are() -> None:
    root = written(placed("disk", disks=(ROOT, DATA, LOGS)), disks=(ROOT, LOGS))
    assert targets(root) == ["vda", "vdc"]
    assert slots(root, "disk") == ["0x4", "0x6"]


def test_interfaces_are_in_their_order_and_keep_their_addresses_in_it() -> None:
    known = placed("interface", interfaces=(LAN, DMZ))
    third = Interface("52:54:00:00:00:03", "br-3")
    assert slots(written(known, interfaces=(LAN, third, DMZ)), "interface") == ["0x4", None, "0x5"]
    assert slots(written(known, interfaces=(DMZ, LAN)), "interface") == [None, None]


def test_an_interface_can_be_a_port_of_a_switch_or_of_a_network() -> None:
    port = replace(LAN, switch="openvswitch", vlan=42, link="down")
    (element,) = written(interfaces=(port,)).findall("devices/interface")
    assert element.get("type") == "bridge"
    assert element.find("virtualport").get("type") == "openvswitch"
    assert (element.find("vlan/tag").get("id"), element.find("link").get("state")) == ("42", "down")
    known = text(element.getroottree().getroot())
    network = replace(LAN, bridge="lan", switch="libvirt", portgroup="office")
    (element,) = written(known, interfaces=(network,)).findall("devices/interface")
    assert dict(element.find("source").attrib) == {"network": "lan", "portgroup": "office"}
    assert [element.find(name) for name in ("virtualport", "vlan", "link")] == [None, None, None]


def test_a_trunk_that_a_person_made_stays() -> None:
    root = written(interfaces=(replace(LAN, switch="openvswitch"),))
    vlan = etree.SubElement(root.find("devices/interface"), "vlan", trunk="yes")
    etree.SubElement(vlan, "tag", id="7")
    after = written(text(root), interfaces=(replace(LAN, switch="openvswitch", link="down"),))
    assert after.find("devices/interface/vlan").get("trunk") == "yes"


def test_a_domain_that_is_being_made_is_ours_already() -> None:
    root = parse(domain_xml(WEB, OWNER.unfinished, DIALECT, FORMATS))
    assert owner_of(root) == OWNER.unfinished


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"vcpus_maximum": 1}, "fewer than it has"),
        ({"memory_maximum_bytes": GIB}, "no less than it has"),
        ({"memory_maximum_bytes": 4 * GIB + 1}, "whole number of KiB"),
        ({"cpu_model": "EPYC'/>"}, "model of processor"),
        ({"title": "two\nlines"}, "cannot be a title"),
        ({"first_boot": "not a digest"}, "no digest"),
        ({"interfaces": (replace(LAN, vlan=42),)}, "only a port of Open vSwitch"),
        ({"interfaces": (replace(LAN, switch="openvswitch", vlan=4095),)}, "is no VLAN"),
        ({"interfaces": (replace(LAN, portgroup="x"),)}, "only a libvirt network"),
    ],
)
def test_what_no_host_can_have_is_refused_with_the_reason(
    change: dict[str, Any], reason: str
) -> None:
    with pytest.raises(Refused, match=reason):
        written(**change)
