"""The network interfaces in a domain's XML: made, changed and put in order."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from lxml import etree

from reconciler.drivers.libvirt_ import reading
from reconciler.drivers.libvirt_.disks import in_order
from reconciler.drivers.libvirt_.xmltext import add, child, drop
from reconciler.ports.hypervisor import GIVEN, Interface

# What an interface may have whatever it is plugged into.
_STAYS = frozenset(
    {"mac", "model", "link", "mtu", "boot", "rom", "alias", "tune", "acpi", "bandwidth", "target"}
    | {"filterref"}
)
_PLUGS = ("bridge", "network")


def apply_interfaces(root: Any, wanted: tuple[Interface, ...]) -> None:
    """Make these the interfaces. What differs in nothing is not touched."""
    devices = child(root, "devices")
    present = {reading.interface_of(each).mac: each for each in reading.interface_elements(root)}
    macs = {interface.mac for interface in wanted}
    for element in list(reading.interface_elements(root)):
        if reading.interface_of(element).mac not in macs:
            devices.remove(element)
    made = []
    for interface in wanted:
        element = present.get(interface.mac)
        if element is None:
            element = add(devices, "interface", type="bridge")
            add(element, "mac", address=interface.mac)
            add(element, "model", type="virtio")
        set_interface(element, interface)
        made.append(element)
    if in_order(devices, made):
        for element in made:
            drop(element, "address")


def set_interface(element: Any, wanted: Interface) -> None:
    """Make the element say what is wanted."""
    present = reading.interface_of(element)
    alike = replace(present, vlan=wanted.vlan, link=wanted.link, guarded=wanted.guarded)
    if alike != wanted:
        _plug(element, wanted)
        present = replace(wanted, vlan=None, link=present.link, guarded=present.guarded)
    if present.vlan != wanted.vlan:
        drop(element, "vlan")
        if wanted.vlan is not None:
            add(add(element, "vlan"), "tag", id=str(wanted.vlan))
    if present.link != wanted.link:
        drop(element, "link")
        if wanted.link == "down":
            add(element, "link", state="down")
    if (present.guarded or "") != (wanted.guarded or ""):
        _guard(element, wanted.guarded or "")


def _guard(element: Any, address: str) -> None:
    """The filter that lets pass what comes from its hardware address and this address only."""
    drop(element, "filterref")
    if address:
        told = {"name": "IP", "value": address}
        if address == GIVEN:
            told = {"name": reading.LEARNING, "value": GIVEN}
        add(add(element, "filterref", filter=reading.GUARD), "parameter", **told)


def _plug(element: Any, wanted: Interface) -> None:
    if element.get("type") not in _PLUGS:
        drop(element, *{each.tag for each in element.iterchildren("*") if each.tag not in _STAYS})
        drop(element, "target")
        for key in set(element.attrib) - {"type"}:
            del element.attrib[key]
    drop(element, "source", "virtualport", "vlan")
    source = etree.Element("source")
    element.insert(1, source)
    if wanted.switch == "libvirt":
        element.set("type", "network")
        source.set("network", wanted.bridge)
        if wanted.portgroup:
            source.set("portgroup", wanted.portgroup)
        return
    element.set("type", "bridge")
    source.set("bridge", wanted.bridge)
    if wanted.switch == "openvswitch":
        add(element, "virtualport", type="openvswitch")
