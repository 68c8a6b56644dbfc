"""Bring a running guest along: what its stored definition says and it can be given as it runs.

Each pass compares anew and asks for what differs, so that one pass after another is right, whatever
came between them. A guest takes its time to let go of a device, a processor or memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import libvirt
from lxml import etree

from reconciler.drivers.libvirt_ import reading
from reconciler.drivers.libvirt_.connection import harmless, is_outcome_unknown
from reconciler.drivers.libvirt_.disks import free_target
from reconciler.drivers.libvirt_.guest import guest_of
from reconciler.drivers.libvirt_.interfaces import set_interface
from reconciler.drivers.libvirt_.processors import KIB
from reconciler.drivers.libvirt_.reading import GUEST_TAG, GUEST_URN, Dialect, definition_of
from reconciler.drivers.libvirt_.writing import text_of
from reconciler.drivers.libvirt_.xmltext import drop, parse
from reconciler.kinds.domain_changes import GuestChanges
from reconciler.model.quantity import format_size
from reconciler.ports.hypervisor import DomainDefinition

LIVE = libvirt.VIR_DOMAIN_AFFECT_LIVE


@dataclass(frozen=True, slots=True)
class Progress:
    """What the guest has yet to do, and what was refused for good; in words."""

    waits: tuple[str, ...] = ()
    refusals: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Guest:
    """A running domain: its handle, its XML and that of what is stored, and what they say."""

    domain: Any
    live: Any
    stored: Any
    has: DomainDefinition
    wanted: DomainDefinition
    dialect: Dialect


def adjust(connection: Any, name: str, dialect: Dialect) -> Progress:
    """One pass. It is over when nothing is waited for."""
    domain = connection.lookupByName(name)
    if not domain.isActive() or not domain.isPersistent():
        return Progress()
    live = parse(domain.XMLDesc(0))
    stored = parse(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE | libvirt.VIR_DOMAIN_XML_SECURE))
    wanted = definition_of(stored, dialect)
    guest = _Guest(domain, live, stored, guest_of(live, wanted, dialect), wanted, dialect)
    changes = GuestChanges.of(guest.has, wanted).live
    waits, refusals = [], []
    for field, key in dict.fromkeys(_place(change.path) for change in changes):
        try:
            waits += _STEPS[field](guest, key)
        except libvirt.libvirtError as error:
            if is_outcome_unknown(error):
                raise
            said = harmless(error.get_error_message() or "refused")
            refusals.append(f"{f'{field} {key}'.strip()}: {said}")
    return Progress(tuple(waits), tuple(refusals))


def _place(path: str) -> tuple[str, str]:
    """The field, and of its items which; a hardware address has no dots."""
    field, key, *_ = (*path.split("."), "")
    return field, key


def _set_title(guest: _Guest, key: str) -> list[str]:
    del key
    title = guest.wanted.title or None
    guest.domain.setMetadata(libvirt.VIR_DOMAIN_METADATA_TITLE, title, None, None, LIVE)
    return []


def _set_memory(guest: _Guest, key: str) -> list[str]:
    """Ask for it, and from now on go by what the guest really has."""
    del key
    note = guest.live.find(f"metadata/{GUEST_TAG}")
    if note is not None and "memory" in note.attrib:
        plain = etree.Element("guest", {k: v for k, v in note.attrib.items() if k != "memory"})
        guest.domain.setMetadata(
            libvirt.VIR_DOMAIN_METADATA_ELEMENT,
            text_of(plain),
            "reconciler-guest",
            GUEST_URN,
            LIVE,
        )
    guest.domain.setMemoryFlags(guest.wanted.memory_bytes // KIB, LIVE)
    has, wanted = format_size(guest.has.memory_bytes), format_size(guest.wanted.memory_bytes)
    return [f"the guest has {has} of memory and not yet {wanted}; does it have a balloon driver?"]


def _set_vcpus(guest: _Guest, key: str) -> list[str]:
    """More come at once; which are fewer the guest has to agree to, and can only if plugged."""
    del key
    has, wanted = guest.has.vcpus, guest.wanted.vcpus
    if wanted > has:
        guest.domain.setVcpusFlags(wanted, LIVE)
        return []
    if has - len(guest.live.findall("vcpus/vcpu[@enabled='yes'][@hotpluggable='yes']")) > wanted:
        return []  # it was not started for that, and waits for its restart
    said = _asked(lambda: guest.domain.setVcpusFlags(wanted, LIVE))
    return [f"the guest has {has} processors and does not let go of {has - wanted}{said}"]


def _set_disk(guest: _Guest, name: str) -> list[str]:
    present, wanted = _disk(guest, guest.live, name), _disk(guest, guest.stored, name)
    if wanted is None:
        said = _asked(lambda: guest.domain.detachDeviceFlags(text_of(present), LIVE))
        return [f"the guest does not let go of disk {name}{said}"]
    target = wanted.find("target")
    if guest.live.find(f"devices/disk/target[@dev='{target.get('dev')}']") is not None:
        wanted = deepcopy(wanted)
        wanted.find("target").set("dev", free_target(guest.live, target.get("dev")[:2]))
    _attach(guest, wanted)
    return []


def _set_interface(guest: _Guest, mac: str) -> list[str]:
    present, wanted = _interface(guest.live, mac), _interface(guest.stored, mac)
    if wanted is None:
        return _unplug(guest, present, mac)
    if present is None:
        _attach(guest, wanted)
        return []
    changed = deepcopy(present)
    set_interface(changed, reading.interface_of(wanted))
    try:
        guest.domain.updateDeviceFlags(text_of(changed), LIVE)
    except libvirt.libvirtError as error:
        if is_outcome_unknown(error):
            raise
        return _unplug(guest, present, mac)  # and the next pass plugs it in again
    return []


def _unplug(guest: _Guest, element: Any, mac: str) -> list[str]:
    said = _asked(lambda: guest.domain.detachDeviceFlags(text_of(element), LIVE))
    return [f"the guest does not let go of interface {mac}{said}"]


def _attach(guest: _Guest, element: Any) -> None:
    """Where it will be after a restart too, or else, if that place is taken, anywhere."""
    try:
        guest.domain.attachDeviceFlags(text_of(element), LIVE)
    except libvirt.libvirtError as error:
        if is_outcome_unknown(error) or element.find("address") is None:
            raise
        anywhere = deepcopy(element)
        drop(anywhere, "address")
        guest.domain.attachDeviceFlags(text_of(anywhere), LIVE)


def _asked(ask: Callable[[], object]) -> str:
    """Ask the guest for something. What is said when it is refused: it may have been asked before.

    libvirt waits a little for the guest, and calls it a timeout when that was not enough.
    """
    try:
        ask()
    except libvirt.libvirtError as error:
        if is_outcome_unknown(error) and error.get_error_code() != _TOO_SLOW:
            raise
        return f" ({harmless(error.get_error_message() or 'refused')})"
    return ""


def _disk(guest: _Guest, root: Any, name: str) -> Any:
    """The element of the disk that is called so where it is stored; a guest may call it another."""
    named = {disk.name: disk for disk in (*guest.has.disks, *guest.wanted.disks)}[name]
    for element in reading.disk_elements(root):
        disk = reading.disk_of(element, guest.dialect.place_of)
        if (disk.pool, disk.volume) == (named.pool, named.volume):
            return element
    return None


def _interface(root: Any, mac: str) -> Any:
    elements: Iterator[Any] = reading.interface_elements(root)
    return next((each for each in elements if reading.interface_of(each).mac == mac), None)


_TOO_SLOW = libvirt.VIR_ERR_OPERATION_TIMEOUT
_STEPS: dict[str, Callable[[_Guest, str], list[str]]] = {
    "title": _set_title,
    "memory_bytes": _set_memory,
    "vcpus": _set_vcpus,
    "disks": _set_disk,
    "interfaces": _set_interface,
}
