"""The disks in a domain's XML: made, changed and put in order, within what is there already."""

from __future__ import annotations

import string
from collections.abc import Iterator, Mapping, Sequence
from itertools import count, product
from typing import Any

from lxml import etree

from reconciler.drivers.libvirt_ import reading
from reconciler.drivers.libvirt_.reading import ALIAS_PREFIX, Dialect
from reconciler.drivers.libvirt_.xmltext import add, child, drop
from reconciler.ports.hypervisor import Disk, VolumeFormat

Formats = Mapping[tuple[str, str], VolumeFormat]
LONGEST_TARGET = 6


def apply_disks(root: Any, wanted: tuple[Disk, ...], dialect: Dialect, formats: Formats) -> None:
    """Make these the disks. What differs in nothing is not touched."""
    elements = list(reading.disk_elements(root))
    made = _made(root, wanted, dialect, formats)
    if made != elements:
        _order([each for each in made if each.get("device") != "cdrom"])
    for disk, element in zip(wanted, made, strict=True):
        if reading.disk_of(element, dialect.place_of).name != disk.name:
            child(element, "alias").set("name", ALIAS_PREFIX + disk.name)


def _made(root: Any, wanted: tuple[Disk, ...], dialect: Dialect, formats: Formats) -> list[Any]:
    """The element of each disk; those of others are removed."""
    present = {
        reading.disk_of(each, dialect.place_of): each for each in reading.disk_elements(root)
    }
    kept = _matches(wanted, list(present))
    for disk in present.keys() - set(kept.values()):
        child(root, "devices").remove(present[disk])
    made = []
    for disk in wanted:
        found = kept.get(disk)
        element = _new(root, disk) if found is None else present[found]
        if found is None or (found.pool, found.volume) != (disk.pool, disk.volume):
            _set_source(element, disk, formats)
        made.append(element)
    return made


def in_order(devices: Any, elements: Sequence[Any]) -> bool:
    """Put them in this order, and say whether those with an address were in another."""
    addressed = [each for each in elements if each.find("address") is not None]
    is_other = sorted(addressed, key=devices.index) != addressed
    places = sorted(devices.index(each) for each in elements)
    if [devices.index(each) for each in elements] != places:
        for each in elements:
            devices.remove(each)
        for place, each in zip(places, elements, strict=True):
            devices.insert(place, each)
    return is_other


def free_target(root: Any, prefix: str) -> str:
    """The first name of that kind after those that the disks of the domain have."""
    targets = (each.get("dev", "") for each in root.iterfind("devices/disk/target"))
    taken = [dev for dev in targets if dev.startswith(prefix) and len(dev) <= LONGEST_TARGET]
    last = max(map(_rank, taken), default=(0, ""))
    return next(name for name in _targets(prefix) if _rank(name) > last)


def _matches(wanted: tuple[Disk, ...], present: list[Disk]) -> dict[Disk, Disk]:
    """What is there already of each disk: what has its name, or else its volume."""
    named = {(found.name, found.device): found for found in present}
    kept = {disk: named[disk.name, disk.device] for disk in wanted if _key(disk) in named}
    rest = {(each.pool, each.volume, each.device): each for each in present}
    for disk in wanted:
        found = rest.get((disk.pool, disk.volume, disk.device))
        if disk not in kept and found is not None and found not in kept.values():
            kept[disk] = found
    return kept


def _key(disk: Disk) -> tuple[str, str]:
    return disk.name, disk.device


def _new(root: Any, disk: Disk) -> Any:
    devices = child(root, "devices")
    if disk.device == "disk":
        target = free_target(root, "vd")
        element = add(devices, "disk", type="volume", device="disk")
        add(element, "driver")
        add(element, "target", dev=target, bus="virtio")
        return element
    target, controller = free_target(root, "sd"), _scsi_controller(devices)
    unit = _free_unit(devices, controller)
    element = add(devices, "disk", type="volume", device="cdrom")
    add(element, "driver")
    add(element, "target", dev=target, bus="scsi")
    add(element, "readonly")
    add(element, "address", type="drive", controller=controller, bus="0", target="0", unit=unit)
    return element


def _scsi_controller(devices: Any) -> str:
    """The number of a controller that guests of today have a driver for; made if there is none."""
    others = set()
    for each in devices.iterfind("controller[@type='scsi']"):
        index: str = each.get("index", "0")
        if each.get("model") == "virtio-scsi":
            return index
        others.add(index)
    index = next(str(number) for number in count() if str(number) not in others)
    add(devices, "controller", type="scsi", index=index, model="virtio-scsi")
    return index


def _free_unit(devices: Any, controller: str) -> str:
    path = f"disk/address[@type='drive'][@controller='{controller}'][@bus='0'][@target='0']"
    taken = {each.get("unit") for each in devices.iterfind(path)}
    return next(str(number) for number in count() if str(number) not in taken)


def _set_source(element: Any, disk: Disk, formats: Formats) -> None:
    drop(element, "source", "backingStore", "mirror", "auth", "encryption", "transient")
    element.set("type", "volume")
    element.insert(1, etree.Element("source", pool=disk.pool, volume=disk.volume))
    driver, found = child(element, "driver"), formats[disk.pool, disk.volume]
    driver.set("name", "qemu")
    driver.set("type", "raw" if found == "iso" else found)


def _order(disks: Sequence[Any]) -> None:
    """Number them as they come, for libvirt keeps them sorted by bus and target.

    The addresses of those that are there stay, as guests go by them too, unless these are to
    change places.
    """
    if not disks:
        return
    is_other = in_order(disks[0].getparent(), disks)
    for element in disks if is_other else ():
        drop(element, "address")
    for bus in {each.find("target").get("bus") for each in disks}:
        _number([each.find("target") for each in disks if each.find("target").get("bus") == bus])


def _number(targets: Sequence[Any]) -> None:
    before = [target.get("dev", "") for target in targets]
    for target, name in zip(targets, sorted(before, key=_rank), strict=True):
        if target.get("dev") != name:
            target.set("dev", name)
            if target.getparent().find("address[@type='drive']") is not None:
                drop(target.getparent(), "address")


def _rank(target: str) -> tuple[int, str]:
    return len(target), target


def _targets(prefix: str) -> Iterator[str]:
    """The names vda to vdz, vdaa to vdzz, and so on."""
    letters = string.ascii_lowercase
    return (prefix + "".join(each) for n in count(1) for each in product(letters, repeat=n))
