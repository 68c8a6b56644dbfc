"""Volumes go from one host to another: made ready for a live copy, or streamed through us."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import libvirt
from lxml import etree

from reconciler.drivers.libvirt_.manifest import Manifest
from reconciler.drivers.libvirt_.pools import Pool, named, pool_named
from reconciler.drivers.libvirt_.reading import Dialect
from reconciler.drivers.libvirt_.xmltext import parse
from reconciler.drivers.refusal import Missing, Refused
from reconciler.ports.hypervisor import Disk, DomainDefinition

CHUNK_BYTES = 256 * 1024
SHARED_POOLS = frozenset({"netfs", "gluster", "rbd", "iscsi", "iscsi-direct", "scsi", "sheepdog"})
_HOLE = -3


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two hosts: its open libvirt connection, and its marks of volumes.

    `address` is where the other host reaches it.
    """

    host: str
    address: str
    connection: Any
    manifest: Manifest
    dialect: Dialect


def prepare(definition: DomainDefinition, source: Side, destination: Side) -> list[Disk]:
    """Make room for the disks of a guest that runs; give those that libvirt has to copy.

    A CD-ROM is not copied by libvirt, and so is brought over at once.

    Raises:
        Refused: the destination lacks a pool, or has another volume of that name.
    """
    private = _private(definition, source, destination)
    for disk in private:
        if disk.device == "cdrom":
            send(disk.pool, disk.volume, source, destination)
        else:
            volume = named(source.connection, disk.pool, disk.volume)
            _make_room(disk.pool, disk.volume, source, destination, _empty_like(volume))
    return [disk for disk in private if disk.device == "disk"]


def copy_all(definition: DomainDefinition, source: Side, destination: Side) -> None:
    """Bring over the disks of a domain that is off.

    Raises:
        Refused: the destination lacks a pool, or has another volume of that name.
    """
    for disk in _private(definition, source, destination):
        send(disk.pool, disk.volume, source, destination)


def remove_all(definition: DomainDefinition, source: Side, destination: Side) -> None:
    """Delete what was copied; a shared volume is the same on both sides and only changes lists."""
    for disk in definition.disks:
        if not _is_shared(disk.pool, source, destination):
            volume = _pool(source.connection, disk.pool).find(disk.volume)
            if volume is not None:
                volume.delete(0)
        source.manifest.forget(f"{disk.pool}/{disk.volume}")


def send(pool: str, name: str, source: Side, destination: Side) -> None:
    """Copy a volume, mark and all. What an earlier attempt left there is made anew.

    Raises:
        Missing: there is no such volume.
        Refused: the destination lacks the pool, or has another volume of that name.
    """
    volume = named(source.connection, pool, name)
    flat = _flattened(volume, pool, source)
    try:
        copy = _make_room(pool, name, source, destination, _container_for(flat, name))
        _stream(flat, source.connection, copy, destination.connection)
        _pool(destination.connection, pool).refresh()
    finally:
        if flat is not volume:
            flat.delete(0)


def _private(definition: DomainDefinition, source: Side, destination: Side) -> list[Disk]:
    """The disks that have to be copied; of the others only the marks go over."""
    private = [disk for disk in definition.disks if not _is_shared(disk.pool, source, destination)]
    marks = source.manifest.read()
    for disk in definition.disks:
        key = f"{disk.pool}/{disk.volume}"
        if disk not in private and key in marks:
            destination.manifest.write(key, marks[key])
    return private


def _make_room(pool: str, name: str, source: Side, destination: Side, xml: str) -> Any:
    """An empty volume at the destination, marked before it is made."""
    key = f"{pool}/{name}"
    there = _pool(destination.connection, pool)
    theirs, ours = destination.manifest.read().get(key), source.manifest.read().get(key)
    known = there.find(name)
    if known is not None:
        if theirs is None or ours is None or theirs.owner != ours.owner:
            raise Refused(f"{destination.host} has a volume {name} in pool {pool} already")
        known.delete(0)
    if ours is not None:
        destination.manifest.write(key, ours)
    return there.raw.createXML(xml, 0)


def _empty_like(volume: Any) -> str:
    """A volume of the same capacity and format, for a copy that libvirt makes."""
    root = parse(volume.XMLDesc(0))
    kind = root.find("target/format")
    format_name = "raw" if kind is None else kind.get("type", "raw")
    return _volume_xml(volume.name(), volume.info()[1], format_name)


def _container_for(volume: Any, name: str) -> str:
    """A volume that takes the bytes of another as they are, whatever their format."""
    size = volume.info()[1]
    root = parse(volume.XMLDesc(0))
    physical = root.find("physical")
    if physical is not None and root.get("type") == "file":
        size = int(physical.text or size)
    return _volume_xml(name, size, "raw")


def _volume_xml(name: str, capacity_bytes: int, format_name: str) -> str:
    root = etree.Element("volume")
    etree.SubElement(root, "name").text = name
    etree.SubElement(root, "capacity", unit="bytes").text = str(capacity_bytes)
    etree.SubElement(root, "allocation", unit="bytes").text = "0"
    etree.SubElement(etree.SubElement(root, "target"), "format", type=format_name)
    text: str = etree.tostring(root, encoding="unicode")
    return text


def _flattened(volume: Any, pool: str, source: Side) -> Any:
    """The volume itself, or a whole copy of one that stores only what differs from an image."""
    if parse(volume.XMLDesc(0)).find("backingStore/path") is None:
        return volume
    here, name = _pool(source.connection, pool), f"moving.{volume.name()}"
    if (old := here.find(name)) is not None:
        old.delete(0)
    return here.raw.createXMLFrom(_volume_xml(name, volume.info()[1], "qcow2"), volume, 0)


def _stream(volume: Any, source: Any, copy: Any, destination: Any) -> None:
    """Byte by byte, but for the holes."""
    down, up = source.newStream(0), destination.newStream(0)
    volume.download(down, 0, 0, libvirt.VIR_STORAGE_VOL_DOWNLOAD_SPARSE_STREAM)
    copy.upload(up, 0, 0, libvirt.VIR_STORAGE_VOL_UPLOAD_SPARSE_STREAM)
    try:
        while True:
            data = down.recvFlags(CHUNK_BYTES, libvirt.VIR_STREAM_RECV_STOP_AT_HOLE)
            if data == _HOLE:
                up.sendHole(down.recvHole(), 0)
            elif data:
                _send(up, data)
            else:
                break
        down.finish()
        up.finish()
    except BaseException:
        for each in (down, up):
            _abort(each)
        raise


def _send(stream: Any, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[stream.send(bytes(left)) :]


def _abort(stream: Any) -> None:
    try:
        stream.abort()
    except libvirt.libvirtError:
        return  # it has ended already


def _is_shared(pool: str, source: Side, destination: Side) -> bool:
    """Whether both hosts see one and the same storage behind the pool."""
    mine, theirs = (_pool(side.connection, pool).raw.XMLDesc(0) for side in (source, destination))
    here, there = parse(mine), parse(theirs)
    if here.get("type") not in SHARED_POOLS or here.get("type") != there.get("type"):
        return False
    return _source_of(here) == _source_of(there)


def _source_of(root: Any) -> str:
    element = root.find("source")
    return "" if element is None else etree.tostring(element, encoding="unicode", method="c14n2")


def _pool(connection: Any, name: str) -> Pool:
    try:
        return pool_named(connection, name)
    except Missing as missing:
        raise Refused(str(missing)) from None
