"""Which domains use a volume, as a disk, as a CD-ROM, or as what one of these lies upon."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import libvirt

from reconciler.drivers.libvirt_.pools import Pool
from reconciler.drivers.libvirt_.xmltext import parse

_ESCAPED = frozenset("&<>'\"")
_PATHS = ("file", "dev", "dir")


@dataclass(frozen=True, slots=True)
class Place:
    """A volume as the XML of a domain may name it."""

    pool: str
    name: str
    path: str

    def is_in(self, text: str) -> bool:
        """Whether the text may name it; cheaper than to parse it, and never wrong to say yes."""
        return bool(_ESCAPED & {*self.name, *self.path}) or self.name in text or self.path in text

    def is_source(self, element: Any) -> bool:
        """Whether a source element is this volume."""
        if (element.get("pool"), element.get("volume")) == (self.pool, self.name):
            return True
        return self.path in {element.get(key) for key in _PATHS}


def place_of(pool: Pool, volume: Any) -> Place:
    """Where a volume is."""
    return Place(pool.name, volume.name(), volume.path())


def place_at(connection: Any, path: str) -> tuple[str, str] | None:
    """Pool and name of the volume at a path, if there is one."""
    try:
        volume = connection.storageVolLookupByPath(path)
        return volume.storagePoolLookupByVolume().name(), volume.name()
    except libvirt.libvirtError as error:
        if error.get_error_code() != libvirt.VIR_ERR_NO_STORAGE_VOL:
            raise
        return None


def users(connection: Any, place: Place) -> Iterator[str]:
    """The domains that use the volume, running or not."""
    for domain in connection.listAllDomains(0):
        texts = {domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE), domain.XMLDesc(0)}
        if any(_targets(text, place) for text in texts):
            yield domain.name()


def running_disk(connection: Any, place: Place) -> tuple[Any, str] | None:
    """The running domain that has the volume as a disk, and the target of that disk."""
    for domain in connection.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE):
        for target in _targets(domain.XMLDesc(0), place):
            return domain, target
    return None


def taken_for(connection: Any, place: Place) -> frozenset[str]:
    """The formats as which the domains that use the volume have it as a disk."""
    found = set()
    for domain in connection.listAllDomains(0):
        text = domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
        disks = parse(text).iterfind("devices/disk") if place.is_in(text) else ()
        for disk in disks:
            source, driver = disk.find("source"), disk.find("driver")
            if source is not None and place.is_source(source):
                found.add("raw" if driver is None else str(driver.get("type", "raw")))
    return frozenset(found)


def _targets(text: str, place: Place) -> list[str]:
    """The targets of the disks that stand on the volume."""
    if not place.is_in(text):
        return []
    return [
        disk.find("target").get("dev", "")
        for disk in parse(text).iterfind("devices/disk")
        if disk.find("target") is not None and any(map(place.is_source, disk.iter("source")))
    ]
