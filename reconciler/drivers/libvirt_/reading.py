"""From a domain's XML to its definition and its mark."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from reconciler.drivers.libvirt_.xmltext import size_bytes, whole_number
from reconciler.drivers.refusal import Refused
from reconciler.model.resource import Owner
from reconciler.ports.hypervisor import (
    GIVEN,
    Accelerator,
    Disk,
    DomainDefinition,
    Firmware,
    Interface,
    LinkState,
)

OWNER_URN = "urn:kvm-reconciler:owner:1"
OWNER_TAG = f"{{{OWNER_URN}}}owner"
GUEST_URN = "urn:kvm-reconciler:guest:1"
GUEST_TAG = f"{{{GUEST_URN}}}guest"
ALIAS_PREFIX = "ua-"  # libvirt keeps only aliases that begin like this
LONGEST_TEXT = 4096
DISK_DEVICES = frozenset({"disk", "lun"})
CPU_MODES = frozenset({"host-passthrough", "host-model", "maximum"})
GUARD, LEARNING = "clean-traffic", "CTRL_IP_LEARNING"  # libvirt's own filter, and how it learns
_SOURCES = {"file": "file", "block": "dev", "dir": "dir"}

PlaceOf = Callable[[str], tuple[str, str] | None]


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a host speaks of what we say: its domain type for each accelerator.

    `place_of` gives pool and name of the volume that is at a path, if there is one.
    """

    domain_types: Mapping[Accelerator, str]
    place_of: PlaceOf = lambda _path: None

    def accelerator(self, domain_type: str) -> Accelerator:
        """The accelerator of a domain type; a type we do not make counts as not accelerated."""
        found = [ours for ours, theirs in self.domain_types.items() if theirs == domain_type]
        return found[0] if found else "qemu"


def definition_of(root: Any, dialect: Dialect) -> DomainDefinition:
    """The definition that the XML of a domain gives.

    Raises:
        Refused: the XML is not that of a domain.
    """
    return DomainDefinition(
        name=_text(root, "name"),
        uuid=_text(root, "uuid"),
        accelerator=dialect.accelerator(root.get("type", "")),
        vcpus=vcpus_of(root),
        memory_bytes=memory_of(root),
        disks=tuple(disk_of(element, dialect.place_of) for element in disk_elements(root)),
        interfaces=tuple(interface_of(element) for element in interface_elements(root)),
        vcpus_maximum=vcpus_maximum_of(root),
        memory_maximum_bytes=memory_maximum_of(root),
        cpu_model=cpu_model_of(root),
        firmware=firmware_of(root),
        tpm=root.find("devices/tpm") is not None,
        title=_short(root.findtext("title") or ""),
        first_boot=guest_mark(root, "first_boot"),
    )


def owner_of(root: Any) -> Owner | None:
    """The mark in the XML. It has no digest while the domain is being made; else it is whole."""
    element = root.find(f"metadata/{OWNER_TAG}")
    if element is None:
        return None
    texts = [element.get(key, "")[:LONGEST_TEXT] for key in ("environment", "name", "digest")]
    return Owner(*texts) if all(texts[:2]) else None


def guest_mark(root: Any, key: str) -> str | None:
    """What we wrote down about the guest; one that runs keeps what it was started with."""
    element = root.find(f"metadata/{GUEST_TAG}")
    return None if element is None else _short(element.get(key, "")) or None


def vcpus_of(root: Any) -> int:
    """The processors the domain has; it may be prepared for more.

    Raises:
        Refused: the XML gives no number.
    """
    element = root.find("vcpu")
    if element is None:
        return 1
    return whole_number(element.get("current", element.text))


def vcpus_maximum_of(root: Any) -> int:
    """The processors it can have while it runs.

    Raises:
        Refused: the XML gives no number.
    """
    element = root.find("vcpu")
    return 1 if element is None else whole_number(element.text)


def memory_of(root: Any) -> int:
    """The memory the domain has; it may be prepared for more.

    Raises:
        Refused: the XML gives no size.
    """
    return _first_size(root, ("currentMemory", "memory"))


def memory_maximum_of(root: Any) -> int:
    """The memory it can have while it runs.

    Raises:
        Refused: the XML gives no size.
    """
    return _first_size(root, ("memory", "currentMemory"))


def cpu_model_of(root: Any) -> str | None:
    """What the processors are like: a way to follow the host's, or a model by name."""
    element = root.find("cpu")
    if element is None:
        return None
    mode = element.get("mode", "custom")
    return mode if mode in CPU_MODES else _short(element.findtext("model") or "") or None


def firmware_of(root: Any) -> Firmware:
    """What it boots with: chosen by libvirt, or by somebody who gave the loader."""
    system = root.find("os")
    if system is None:
        return "bios"
    is_flash = any(loader.get("type") == "pflash" for loader in system.findall("loader"))
    return "uefi" if system.get("firmware") == "efi" or is_flash else "bios"


def disk_elements(root: Any) -> Iterator[Any]:
    """The elements of disks, and of CD-ROM drives that are ours; no floppies."""
    for element in root.iterfind("devices/disk"):
        device = element.get("device", "disk")
        if device in DISK_DEVICES or (device == "cdrom" and _our_name(element)):
            yield element


def interface_elements(root: Any) -> Iterator[Any]:
    """The elements of network interfaces."""
    yield from root.iterfind("devices/interface")


def disk_of(element: Any, place_of: PlaceOf) -> Disk:
    """The disk, called by our alias or, when we did not make it, by its target."""
    target = element.find("target")
    name = _our_name(element) or (target.get("dev", "") if target is not None else "")
    pool, volume = _place(element, place_of)
    is_cdrom = element.get("device") == "cdrom"
    return Disk(_short(name), pool, volume, "cdrom" if is_cdrom else "disk")


def interface_of(element: Any) -> Interface:
    """The interface; one that is plugged into no bridge by name says into what it is.

    That of a libvirt network has the VLAN and the bridge of its network while it runs, whatever
    type it then is shown as: that is the network's affair.
    """
    plug, guard = _plug_of(element), _guard(element)
    return replace(plug, guarded=guard) if guard else plug


def _plug_of(element: Any) -> Interface:
    mac, source = element.find("mac"), element.find("source")
    address = _short(mac.get("address", "").lower()) if mac is not None else ""
    kind, link = element.get("type", ""), _link(element)
    if source is None:
        return Interface(address, kind, link=link)
    if network := source.get("network"):
        group = _short(source.get("portgroup", ""))
        return Interface(address, _short(network), "libvirt", portgroup=group, link=link)
    if kind != "bridge":
        where = _short(f"{kind}:{source.get(kind, source.get('dev', ''))}")
        return Interface(address, where, link=link)
    bridge = _short(source.get("bridge", ""))
    if element.find("virtualport[@type='openvswitch']") is None:
        return Interface(address, bridge, link=link)
    return Interface(address, bridge, "openvswitch", vlan=_vlan(element), link=link)


def _our_name(element: Any) -> str:
    alias = element.find("alias")
    name: str = alias.get("name", "") if alias is not None else ""
    return name.removeprefix(ALIAS_PREFIX) if name.startswith(ALIAS_PREFIX) else ""


def _link(element: Any) -> LinkState:
    link = element.find("link")
    return "down" if link is not None and link.get("state") == "down" else "up"


def _guard(element: Any) -> str | None:
    """The only address it can send from; a filter that is none of ours is left to who made it."""
    found = element.find(f"filterref[@filter='{GUARD}']")
    if found is None:
        return None
    told = {each.get("name"): each.get("value", "") for each in found.iterfind("parameter")}
    if told.get(LEARNING) == GIVEN:
        return GIVEN
    return _short(told.get("IP", "")) or None


def _vlan(element: Any) -> int | None:
    """The tag of an access port; a trunk has many or none."""
    tags = element.findall("vlan/tag")
    if len(tags) != 1 or element.find("vlan").get("trunk") == "yes":
        return None
    return whole_number(tags[0].get("id"))


def _place(element: Any, place_of: PlaceOf) -> tuple[str, str]:
    """Pool and volume of a disk; a file that is in no pool is a volume of pool "" by its path."""
    source, kind = element.find("source"), element.get("type", "file")
    if source is None:
        return "", ""
    if kind == "volume":
        return _short(source.get("pool", "")), _short(source.get("volume", ""))
    path = _short(source.get(_SOURCES.get(kind, "name"), ""))
    return (place_of(path) if kind in _SOURCES else None) or ("", path)


def _first_size(root: Any, names: tuple[str, ...]) -> int:
    for name in names:
        element = root.find(name)
        if element is not None:
            return size_bytes(element, "KiB")
    raise Refused("the host sent a domain without memory")


def _text(root: Any, name: str) -> str:
    text = root.findtext(name)
    if not text:
        raise Refused(f"the host sent a domain without {name}")
    return _short(text)


def _short(text: str) -> str:
    if len(text) > LONGEST_TEXT:
        raise Refused(f"the host sent a name of {len(text)} characters")
    return text
