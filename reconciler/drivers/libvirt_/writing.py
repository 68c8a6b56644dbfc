"""From a definition and its mark to a domain's XML: new, or within what is there already.

Elements are made, never pasted as text. Of a domain that is known only what differs from the
definition is touched, so that what people and libvirt put there stays.
"""

from __future__ import annotations

from typing import Any

from lxml import etree

from reconciler.drivers.libvirt_ import reading
from reconciler.drivers.libvirt_.disks import Formats, apply_disks
from reconciler.drivers.libvirt_.interfaces import apply_interfaces
from reconciler.drivers.libvirt_.processors import apply_cpu_model, apply_memory, apply_vcpus
from reconciler.drivers.libvirt_.reading import (
    GUEST_TAG,
    GUEST_URN,
    OWNER_TAG,
    OWNER_URN,
    Dialect,
)
from reconciler.drivers.libvirt_.xmltext import add, child, drop, parse
from reconciler.drivers.likeness import is_same_definition
from reconciler.drivers.refusal import Refused
from reconciler.drivers.soundness import unsound_definition
from reconciler.model.resource import Owner
from reconciler.ports.hypervisor import DomainDefinition, Firmware

__all__ = ["Formats", "domain_xml", "owner_xml", "text_of"]


def domain_xml(
    definition: DomainDefinition,
    owner: Owner,
    dialect: Dialect,
    formats: Formats,
    known: str | None = None,
    *,
    guest: str | None = None,
) -> str:
    """The XML of a domain; `known` is its present persistent XML, if it has one.

    `guest` is the XML of its running guest, if one runs.

    `formats` gives the format of each volume that is a disk: it is always said, never guessed
    by the hypervisor from what a guest wrote there.

    Raises:
        Refused: no host can have such a domain, or the XML would not say what the definition says.
    """
    if reasons := list(unsound_definition(definition)):
        raise Refused("; ".join(reasons))
    try:
        root = _new(definition) if known is None else parse(known)
        _apply(root, definition, dialect, formats, None if guest is None else parse(guest))
        _mark(root, owner)
    except ValueError as error:  # lxml takes no control characters
        raise Refused(f"it cannot be said in XML: {error}") from None
    etree.indent(root)
    text = text_of(root) + "\n"
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
    return text_of(element)


def text_of(element: Any) -> str:
    """The element as text, without what follows it."""
    text: str = etree.tostring(element, encoding="unicode", with_tail=False)
    return text


def _new(definition: DomainDefinition) -> Any:
    """What every domain of ours has beside what its definition says."""
    root = etree.Element("domain")
    add(root, "name").text = definition.name
    add(root, "uuid").text = definition.uuid
    add(root, "metadata")
    for quantity in ("memory", "currentMemory", "vcpu"):
        add(root, quantity).text = "0"
    system = add(root, "os")
    add(system, "type").text = "hvm"
    add(system, "boot", dev="hd")
    features = add(root, "features")
    add(features, "acpi")
    add(features, "apic")
    add(root, "clock", offset="utc")
    devices = add(root, "devices")
    add(add(devices, "serial", type="pty"), "target", port="0")
    add(add(devices, "console", type="pty"), "target", type="serial", port="0")
    agent = add(devices, "channel", type="unix")
    add(agent, "target", type="virtio", name="org.qemu.guest_agent.0")
    add(add(devices, "rng", model="virtio"), "backend", model="builtin")
    return root


def _apply(
    root: Any, definition: DomainDefinition, dialect: Dialect, formats: Formats, guest: Any
) -> None:
    if definition.accelerator not in dialect.domain_types:
        raise Refused(f"the host cannot run domains of type {definition.accelerator}")
    kind = root.get("type")
    if kind is None or dialect.accelerator(kind) != definition.accelerator:
        root.set("type", dialect.domain_types[definition.accelerator])
    child(root, "name").text = definition.name
    child(root, "uuid").text = definition.uuid
    _apply_title(root, definition.title)
    apply_memory(root, definition, guest)
    apply_vcpus(root, definition, guest)
    apply_cpu_model(root, definition.cpu_model)
    _apply_firmware(root, definition.firmware)
    _apply_tpm(root, wanted=definition.tpm)
    apply_disks(root, definition.disks, dialect, formats)
    apply_interfaces(root, definition.interfaces)
    _note_guest(root, definition)


def _apply_title(root: Any, title: str | None) -> None:
    if title is None or title == (root.findtext("title") or ""):
        return
    drop(root, "title")
    if title:
        add(root, "title").text = title


def _apply_firmware(root: Any, firmware: Firmware | None) -> None:
    if firmware is None or reading.firmware_of(root) == firmware:
        return
    system = child(root, "os")
    system.attrib.pop("firmware", None)
    drop(system, "loader", "nvram", "firmware")
    if firmware == "uefi":
        system.set("firmware", "efi")


def _apply_tpm(root: Any, *, wanted: bool | None) -> None:
    devices = child(root, "devices")
    if wanted is None or wanted == (devices.find("tpm") is not None):
        return
    drop(devices, "tpm")
    if wanted:
        add(add(devices, "tpm", model="tpm-crb"), "backend", type="emulator", version="2.0")


def _note_guest(root: Any, definition: DomainDefinition) -> None:
    """Write down what a guest is started with and its XML will not say once it runs."""
    first_boot = definition.first_boot or reading.guest_mark(root, "first_boot")
    notes = {
        "first_boot": first_boot,
        "cpu_model": reading.cpu_model_of(root),
        "memory": str(definition.memory_bytes),
    }
    metadata = child(root, "metadata")
    drop(metadata, GUEST_TAG)
    element = etree.SubElement(metadata, GUEST_TAG, nsmap={"reconciler-guest": GUEST_URN})
    for key, note in notes.items():
        if note is not None:
            element.set(key, note)


def _mark(root: Any, owner: Owner) -> None:
    metadata = child(root, "metadata")
    drop(metadata, OWNER_TAG)
    _enter_owner(etree.SubElement(metadata, OWNER_TAG, nsmap={"reconciler": OWNER_URN}), owner)


def _enter_owner(element: Any, owner: Owner) -> None:
    element.set("environment", owner.environment)
    element.set("name", owner.name)
    element.set("digest", owner.digest)


def _check(text: str, definition: DomainDefinition, owner: Owner, dialect: Dialect) -> None:
    """Read back what was written: nothing in a name may have become structure."""
    root = parse(text)
    found = reading.definition_of(root, dialect)
    if not is_same_definition(definition, found) or reading.owner_of(root) != owner:
        raise Refused("its XML would not say what its definition says")
