"""From a definition and its mark to a domain's XML: new, or within what is there already.

Elements are made, never pasted as text. Of a domain that is known only what differs from the
definition is touched, so that what people and libvirt put there stays.
"""

from __future__ import annotations

import string
from collections.abc import Iterator, Mapping
from itertools import chain, product
from typing import Any

from lxml import etree

from reconciler.drivers.libvirt_ import reading
from reconciler.drivers.libvirt_.reading import ALIAS_PREFIX, OWNER_TAG, OWNER_URN, Dialect
from reconciler.drivers.libvirt_.xmltext import parse
from reconciler.drivers.likeness import is_same_definition
from reconciler.drivers.refusal import Refused
from reconciler.drivers.soundness import unsound_definition
from reconciler.model.resource import Owner
from reconciler.ports.hypervisor import Disk, DomainDefinition, Interface, VolumeFormat

KIB = 1024
Formats = Mapping[tuple[str, str], VolumeFormat]


def domain_xml(
    definition: DomainDefinition,
    owner: Owner,
    dialect: Dialect,
    formats: Formats,
    known: str | None = None,
) -> str:
    """The XML of a domain; `known` is its present persistent XML, if it has one.

    `formats` gives the format of each volume that is a disk: it is always said, never guessed
    by the hypervisor from what a guest wrote there.

    Raises:
        Refused: no host can have such a domain, or the XML would not say what the definition says.
    """
    if reasons := list(unsound_definition(definition)):
        raise Refused("; ".join(reasons))
    try:
        root = _new(definition) if known is None else parse(known)
        _apply(root, definition, dialect, formats)
        _mark(root, owner)
    except ValueError as error:  # lxml takes no control characters
        raise Refused(f"it cannot be said in XML: {error}") from None
    etree.indent(root)
    text: str = etree.tostring(root, encoding="unicode") + "\n"
    _check(text, definition, owner, dialect)
    return text


def owner_xml(owner: Owner) -> str:
    """The mark as libvirt's metadata call wants it: without its name space.

    Raises:
        Refused: it cannot be said in XML.
    """
    element = etree.Element("owner")
    try:
        _enter_owner(element, owner)
    except ValueError as error:
        raise Refused(f"the mark cannot be said in XML: {error}") from None
    text: str = etree.tostring(element, encoding="unicode")
    return text


def _new(definition: DomainDefinition) -> Any:
    """What every domain of ours has beside what its definition says."""
    root = etree.Element("domain")
    _add(root, "name").text = definition.name
    _add(root, "uuid").text = definition.uuid
    _add(root, "metadata")
    for quantity in ("memory", "currentMemory", "vcpu"):
        _add(root, quantity).text = "0"
    system = _add(root, "os")
    _add(system, "type").text = "hvm"
    _add(system, "boot", dev="hd")
    features = _add(root, "features")
    _add(features, "acpi")
    _add(features, "apic")
    _add(root, "clock", offset="utc")
    devices = _add(root, "devices")
    _add(_add(devices, "serial", type="pty"), "target", port="0")
    _add(_add(devices, "console", type="pty"), "target", type="serial", port="0")
    agent = _add(devices, "channel", type="unix")
    _add(agent, "target", type="virtio", name="org.qemu.guest_agent.0")
    _add(_add(devices, "rng", model="virtio"), "backend", model="builtin")
    return root


def _apply(root: Any, definition: DomainDefinition, dialect: Dialect, formats: Formats) -> None:
    if definition.accelerator not in dialect.domain_types:
        raise Refused(f"the host cannot run domains of type {definition.accelerator}")
    root.set("type", dialect.domain_types[definition.accelerator])
    _child(root, "name").text = definition.name
    _child(root, "uuid").text = definition.uuid
    if reading.memory_of(root) != definition.memory_bytes:
        for name in ("memory", "currentMemory"):
            element = _child(root, name)
            element.set("unit", "KiB")
            element.text = str(definition.memory_bytes // KIB)
    if reading.vcpus_of(root) != definition.vcpus:
        _set_vcpus(root, definition.vcpus)
    _apply_disks(root, definition.disks, dialect, formats)
    _apply_interfaces(root, definition.interfaces)


def _set_vcpus(root: Any, vcpus: int) -> None:
    element = _child(root, "vcpu")
    element.text = str(vcpus)
    element.attrib.pop("current", None)
    for each in root.findall("vcpus"):  # a state for each of the former processors
        root.remove(each)


def _apply_disks(root: Any, wanted: tuple[Disk, ...], dialect: Dialect, formats: Formats) -> None:
    devices = _child(root, "devices")
    present = {
        reading.disk_of(each, dialect.place_of): each for each in reading.disk_elements(root)
    }
    kept = _matches(wanted, list(present))
    for element in list(reading.disk_elements(root)):
        if not any(element is present[found] for found in kept.values()):
            devices.remove(element)
    for disk in wanted:
        element = present.get(kept.get(disk, disk))
        if element is None:
            element = _add(devices, "disk", type="volume", device="disk")
            _add(element, "driver")
            _add(element, "target", dev=_free_target(root), bus="virtio")
        if reading.disk_of(element, dialect.place_of) != disk:
            _set_disk(element, disk, formats)


def _matches(wanted: tuple[Disk, ...], present: list[Disk]) -> dict[Disk, Disk]:
    """What is there already of each disk: what has its name, or else its volume."""
    named = {found.name: found for found in present}
    kept = {disk: named[disk.name] for disk in wanted if disk.name in named}
    unnamed = {(each.pool, each.volume): each for each in present if each not in kept.values()}
    for disk in wanted:
        if disk not in kept and (disk.pool, disk.volume) in unnamed:
            kept[disk] = unnamed[disk.pool, disk.volume]
    return kept


def _set_disk(element: Any, disk: Disk, formats: Formats) -> None:
    driver = _child(element, "driver")
    driver.set("name", "qemu")
    driver.set("type", formats[disk.pool, disk.volume])
    for each in [*element.findall("source"), *element.findall("backingStore")]:
        element.remove(each)
    element.set("type", "volume")
    element.insert(1, etree.Element("source", pool=disk.pool, volume=disk.volume))
    _child(element, "alias").set("name", ALIAS_PREFIX + disk.name)


def _apply_interfaces(root: Any, wanted: tuple[Interface, ...]) -> None:
    devices = _child(root, "devices")
    present = {reading.interface_of(each).mac: each for each in reading.interface_elements(root)}
    for element in list(reading.interface_elements(root)):
        if reading.interface_of(element).mac not in {interface.mac for interface in wanted}:
            devices.remove(element)
    for interface in wanted:
        element = present.get(interface.mac)
        if element is None:
            element = _add(devices, "interface", type="bridge")
            _add(element, "mac", address=interface.mac)
            _add(element, "model", type="virtio")
        if reading.interface_of(element) != interface:
            for each in element.findall("source"):
                element.remove(each)
            element.set("type", "bridge")
            element.insert(1, etree.Element("source", bridge=interface.bridge))


def _mark(root: Any, owner: Owner) -> None:
    metadata = _child(root, "metadata")
    for each in metadata.findall(OWNER_TAG):
        metadata.remove(each)
    _enter_owner(etree.SubElement(metadata, OWNER_TAG, nsmap={"reconciler": OWNER_URN}), owner)


def _enter_owner(element: Any, owner: Owner) -> None:
    element.set("environment", owner.environment)
    element.set("name", owner.name)
    element.set("digest", owner.digest)


def _check(text: str, definition: DomainDefinition, owner: Owner, dialect: Dialect) -> None:
    """Read back what was written: nothing in a name may have become structure."""
    root = parse(text)
    found = reading.definition_of(root, dialect)
    if not is_same_definition(found, definition) or reading.owner_of(root) != owner:
        raise Refused("its XML would not say what its definition says")


def _free_target(root: Any) -> str:
    taken = {element.get("dev") for element in root.iterfind("devices/disk/target")}
    return next(name for name in _targets() if name not in taken)


def _targets() -> Iterator[str]:
    """The names vda to vdz, vdaa to vdzz."""
    letters = string.ascii_lowercase
    return ("vd" + "".join(each) for each in chain(product(letters), product(letters, letters)))


def _child(parent: Any, name: str) -> Any:
    element = parent.find(name)
    return _add(parent, name) if element is None else element


def _add(parent: Any, tag: str, /, **attributes: str) -> Any:
    return etree.SubElement(parent, tag, attributes)
