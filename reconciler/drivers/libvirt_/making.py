"""How a volume comes to be: empty, as a copy of an image, over an image, or as a seed."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import libvirt
from lxml import etree

from reconciler.drivers.libvirt_.pool_commands import filling, growing, whole_units
from reconciler.drivers.libvirt_.pools import Pool
from reconciler.drivers.libvirt_.seeds import iso_of, upload
from reconciler.drivers.libvirt_.storage import Storage
from reconciler.drivers.libvirt_.xmltext import parse, size_bytes
from reconciler.drivers.refusal import Refused
from reconciler.model.quantity import format_size
from reconciler.ports.hypervisor import NewVolume


def make(connection: Any, storage: Storage, pool: Pool, new: NewVolume, image: Any) -> Any:
    """Make a volume whose name is free, with the capacity it should have or somewhat more.

    `image` is the volume that holds its image, if it has one. What is half made when this fails is
    deleted, if that can be done.

    Raises:
        Refused: the pool cannot hold it, or its image does not fit into it.
    """
    refuse_misfit(pool, new, image)
    volume = _begin(pool, new, image)
    try:
        if new.seed:
            upload(connection, volume, iso_of(new.seed, new.capacity_bytes))
        if image is not None and not new.overlay:
            _fill(storage, pool, volume, image)
        if capacity_of(volume) < new.capacity_bytes:  # a copy ignores that it should be larger
            stretch(storage, pool, volume, new.capacity_bytes)
    except BaseException:
        with suppress(libvirt.libvirtError):  # then its mark still says that it is not whole
            volume.delete(0)
        raise
    return volume


def refuse_misfit(pool: Pool, new: NewVolume, image: Any) -> None:
    """Say no to what such a pool cannot hold.

    Raises:
        Refused: it cannot.
    """
    if new.format == "qcow2" and pool.type in {"logical", "zfs"}:
        raise Refused(f"a {pool.type} pool holds no qcow2 volumes; let the disk be raw")
    if new.overlay and not (pool.holds_files and new.format == "qcow2"):
        raise Refused(
            f"a {new.format} volume in a {pool.type} pool cannot lie over an image; make it a copy"
        )
    if image is not None and capacity_of(image) > new.capacity_bytes:
        raise Refused(f"what it is made from has {format_size(capacity_of(image))}")


def stretch(storage: Storage, pool: Pool, volume: Any, capacity_bytes: int) -> None:
    """Make a volume that no guest uses larger, and see that it is.

    Raises:
        Refused: it is not.
    """
    argv = growing(pool, volume.name(), capacity_bytes)
    if argv is None:
        volume.resize(capacity_bytes, 0)
    else:
        storage.run(argv)
        pool.refresh()
    check_capacity(volume, capacity_bytes)


def check_capacity(volume: Any, capacity_bytes: int) -> None:
    """See that the volume has at least this capacity.

    Raises:
        Refused: it has not.
    """
    found = capacity_of(volume)
    if found < capacity_bytes:
        raise Refused(f"it has {format_size(found)} instead of {format_size(capacity_bytes)}")


def capacity_of(volume: Any) -> int:
    """The capacity of a volume, as its host sees it now."""
    return size_bytes(parse(volume.XMLDesc(0)).find("capacity"), "bytes")


def format_of(volume: Any) -> str:
    """What its host takes the content of a volume for."""
    return format_in(parse(volume.XMLDesc(0)))


def format_in(root: Any) -> str:
    """The format in a volume's XML. Where there are no formats, it is bytes as they are."""
    element = root.find("target/format")
    return "raw" if element is None else str(element.get("type", "raw"))


def volume_xml(pool: Pool, new: NewVolume, image: Any = None) -> str:
    """What libvirt is asked to make. Formats are said and never guessed."""
    root = etree.Element("volume")
    size = str(whole_units(pool, new.capacity_bytes))
    etree.SubElement(root, "name").text = new.name
    etree.SubElement(root, "capacity", unit="bytes").text = size
    # A logical volume that is allocated less than its size would be a snapshot.
    allocated = size if pool.type == "logical" else "0"
    etree.SubElement(root, "allocation", unit="bytes").text = allocated
    if pool.holds_files:
        form = "qcow2" if new.format == "qcow2" else "raw"
        target = etree.SubElement(root, "target")
        etree.SubElement(target, "format", type=form)
        if form == "qcow2":  # an older version cannot grow once it has a snapshot
            etree.SubElement(target, "compat").text = "1.1"
    if new.overlay:
        below = etree.SubElement(root, "backingStore")
        etree.SubElement(below, "path").text = image.path()
        etree.SubElement(below, "format", type=format_of(image))
    text: str = etree.tostring(root, encoding="unicode")
    return text


def _begin(pool: Pool, new: NewVolume, image: Any) -> Any:
    text = volume_xml(pool, new, image)
    if image is None or new.overlay or pool.type == "zfs":
        return pool.raw.createXML(text, 0)
    return pool.raw.createXMLFrom(text, image, 0)


def _fill(storage: Storage, pool: Pool, volume: Any, image: Any) -> None:
    argv = filling(pool, image.path(), format_of(image), volume.path())
    if argv is not None:
        storage.run(argv)
