"""What no host takes, whichever the driver: reasons in words, so that all drivers refuse alike.

Some of it a hypervisor would take and quietly change (a memory size that is no whole number of KiB,
a UUID in capitals), and then the thing would differ from what was asked for ever.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import IPv4Address
from uuid import UUID

from reconciler.ports.hypervisor import GIVEN, DomainDefinition, Interface

KIB = 1024
_MAC = re.compile(r"\A[0-9a-f]{2}(?::[0-9a-f]{2}){5}\Z")
_DISK_NAME = re.compile(r"\A[A-Za-z0-9_-]{1,63}\Z")
_CPU_MODEL = re.compile(r"\A[A-Za-z0-9][A-Za-z0-9_.+-]{0,63}\Z")
_DIGEST = re.compile(r"\A[0-9a-f]{1,128}\Z")
LONGEST_NAME = 255
LONGEST_TITLE = 255
LARGEST_VLAN = 4094


def unsound_definition(definition: DomainDefinition) -> Iterator[str]:
    """Why no host can have such a domain; nothing when one can."""
    if not _is_name(definition.name):
        yield f"{definition.name[:80]!r} cannot be the name of a domain"
    if not _is_uuid(definition.uuid):
        yield f"{definition.uuid[:80]!r} is not a UUID in lower case"
    if definition.vcpus < 1:
        yield "a domain needs a processor"
    if definition.memory_bytes <= 0 or definition.memory_bytes % KIB:
        yield "the memory must be a whole number of KiB, and more than none"
    yield from _unsound_maxima(definition)
    yield from _unsound_texts(definition)
    yield from _unsound_devices(definition)
    for interface in definition.interfaces:
        yield from _unsound_plug(interface)


def unsound_volume(name: str, capacity_bytes: int) -> Iterator[str]:
    """Why no pool can have such a volume; nothing when one can."""
    if not _is_name(name) or name in {".", ".."}:
        yield f"{name[:80]!r} cannot be the name of a volume"
    if capacity_bytes <= 0:
        yield "a volume must have a size"


def _unsound_maxima(definition: DomainDefinition) -> Iterator[str]:
    vcpus, memory_bytes = definition.vcpus_maximum, definition.memory_maximum_bytes
    if vcpus is not None and vcpus < definition.vcpus:
        yield "the most processors are fewer than it has"
    if memory_bytes is not None and (memory_bytes < definition.memory_bytes or memory_bytes % KIB):
        yield "the most memory must be a whole number of KiB, and no less than it has"


def _unsound_texts(definition: DomainDefinition) -> Iterator[str]:
    model, title, digest = definition.cpu_model, definition.title, definition.first_boot
    if model is not None and not _CPU_MODEL.match(model):
        yield f"{model[:80]!r} cannot be a model of processor"
    if title is not None and not (title.isprintable() and len(title) <= LONGEST_TITLE):
        yield f"{title[:80]!r} cannot be a title"
    if digest is not None and not _DIGEST.match(digest):
        yield f"{digest[:80]!r} is no digest of first boot data"


def _unsound_plug(interface: Interface) -> Iterator[str]:
    if interface.vlan is not None and interface.switch != "openvswitch":
        yield f"{interface.mac[:80]}: only a port of Open vSwitch has a VLAN of its own"
    if interface.vlan is not None and not 1 <= interface.vlan <= LARGEST_VLAN:
        yield f"{interface.mac[:80]}: {interface.vlan} is no VLAN"
    if interface.guarded and not _is_guard(interface.guarded):
        yield f"{interface.mac[:80]}: {interface.guarded[:80]!r} is no address to guard"
    if interface.portgroup and interface.switch != "libvirt":
        yield f"{interface.mac[:80]}: only a libvirt network has port groups"
    if interface.portgroup and not _is_name(interface.portgroup):
        yield f"{interface.portgroup[:80]!r} names nothing"


def _unsound_devices(definition: DomainDefinition) -> Iterator[str]:
    names = [disk.name for disk in definition.disks]
    macs = [interface.mac for interface in definition.interfaces]
    yield from (f"{name[:80]!r} cannot name a disk" for name in names if not _DISK_NAME.match(name))
    for mac in macs:
        if not _MAC.match(mac):
            yield f"{mac[:80]!r} is not a hardware address in lower case"
    if len(set(names)) != len(names):
        yield "two disks have one name"
    if len(set(macs)) != len(macs):
        yield "two interfaces have one hardware address"
    places = [(disk.pool, disk.volume) for disk in definition.disks]
    texts = [text for place in places for text in place]
    texts += [interface.bridge for interface in definition.interfaces]
    yield from (f"{text[:80]!r} names nothing" for text in texts if not _is_name(text))
    if len(set(places)) != len(places):
        yield "two disks are one volume"


def _is_name(text: str) -> bool:
    is_clean = text.isprintable() and text == text.strip() and "/" not in text
    return is_clean and 0 < len(text) <= LONGEST_NAME


def _is_guard(text: str) -> bool:
    """Libvirt's filter knows one IPv4 address, or learns it."""
    try:
        return text == GIVEN or str(IPv4Address(text)) == text
    except ValueError:
        return False


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
