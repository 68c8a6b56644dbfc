"""From a domain's XML to its definition and its mark."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.drivers.libvirt_.xmltext import size_bytes, whole_number
from reconciler.drivers.refusal import Refused
from reconciler.model.resource import Owner
from reconciler.ports.hypervisor import Accelerator, Disk, DomainDefinition, Interface

OWNER_URN = "urn:kvm-reconciler:owner:1"
OWNER_TAG = f"{{{OWNER_URN}}}owner"
ALIAS_PREFIX = "ua-"  # libvirt keeps only aliases that begin like this
LONGEST_TEXT = 4096
DISK_DEVICES = frozenset({"disk", "lun"})
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
    )


def owner_of(root: Any) -> Owner | None:
    """The mark in the XML; what is no whole mark is none."""
    element = root.find(f"metadata/{OWNER_TAG}")
    if element is None:
        return None
    texts = [element.get(key, "")[:LONGEST_TEXT] for key in ("environment", "name", "digest")]
    return Owner(*texts) if all(texts) else None


def vcpus_of(root: Any) -> int:
    """The processors the domain has; it may be prepared for more.

    Raises:
        Refused: the XML gives no number.
    """
    element = root.find("vcpu")
    if element is None:
        return 1
    return whole_number(element.get("current", element.text))


def memory_of(root: Any) -> int:
    """The memory the domain has; it may be prepared for more.

    Raises:
        Refused: the XML gives no size.
    """
    for name in ("currentMemory", "memory"):
        element = root.find(name)
        if element is not None:
            return size_bytes(element, "KiB")
    raise Refused("the host sent a domain without memory")


def disk_elements(root: Any) -> Iterator[Any]:
    """The elements of disks, without CD-ROM and floppy drives."""
    for element in root.iterfind("devices/disk"):
        if element.get("device", "disk") in DISK_DEVICES:
            yield element


def interface_elements(root: Any) -> Iterator[Any]:
    """The elements of network interfaces."""
    yield from root.iterfind("devices/interface")


def disk_of(element: Any, place_of: PlaceOf) -> Disk:
    """The disk, called by our alias or, when we did not make it, by its target."""
    alias = element.find("alias")
    name = alias.get("name", "") if alias is not None else ""
    target = element.find("target")
    if name.startswith(ALIAS_PREFIX):
        name = name.removeprefix(ALIAS_PREFIX)
    else:
        name = target.get("dev", "") if target is not None else ""
    return Disk(_short(name), *_place(element, place_of))


def interface_of(element: Any) -> Interface:
    """The interface; one that is plugged into no bridge by name says into what it is."""
    mac, source = element.find("mac"), element.find("source")
    address = mac.get("address", "").lower() if mac is not None else ""
    kind = element.get("type", "")
    if source is None:
        return Interface(_short(address), kind)
    if kind == "bridge":
        return Interface(_short(address), _short(source.get("bridge", "")))
    return Interface(_short(address), _short(f"{kind}:{source.get(kind, source.get('dev', ''))}"))


def _place(element: Any, place_of: PlaceOf) -> tuple[str, str]:
    """Pool and volume of a disk; a file that is in no pool is a volume of pool "" by its path."""
    source, kind = element.find("source"), element.get("type", "file")
    if source is None:
        return "", ""
    if kind == "volume":
        return _short(source.get("pool", "")), _short(source.get("volume", ""))
    path = _short(source.get(_SOURCES.get(kind, "name"), ""))
    return (place_of(path) if kind in _SOURCES else None) or ("", path)


def _text(root: Any, name: str) -> str:
    text = root.findtext(name)
    if not text:
        raise Refused(f"the host sent a domain without {name}")
    return _short(text)


def _short(text: str) -> str:
    if len(text) > LONGEST_TEXT:
        raise Refused(f"the host sent a name of {len(text)} characters")
    return text
