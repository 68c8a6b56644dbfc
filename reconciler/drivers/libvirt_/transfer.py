"""Volumes go from one host to another: made ready for a live copy, or streamed through us."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import libvirt
from lxml import etree

from reconciler.drivers.images.header import inspect
from reconciler.drivers.libvirt_.making import capacity_of, volume_xml
from reconciler.drivers.libvirt_.manifest import Manifest
from reconciler.drivers.libvirt_.marks import Mark
from reconciler.drivers.libvirt_.pools import Pool, named, pool_named
from reconciler.drivers.libvirt_.reading import Dialect
from reconciler.drivers.libvirt_.storage import Storage
from reconciler.drivers.libvirt_.trash import displace
from reconciler.drivers.libvirt_.volumes import seen_as
from reconciler.drivers.libvirt_.xmltext import parse
from reconciler.drivers.refusal import Missing, Refused
from reconciler.model.resource import Owner
from reconciler.ports.hypervisor import Disk, DomainDefinition, NewVolume

CHUNK_BYTES = 256 * 1024
LARGEST_DISK_BYTES = 2**60
SHARED_POOLS = frozenset({"netfs", "gluster", "rbd", "iscsi", "iscsi-direct", "scsi", "sheepdog"})
_HOLE = -3


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two hosts: its open libvirt connection, and its storage.

    `address` is where the other host reaches it.
    """

    host: str
    address: str
    connection: Any
    storage: Storage
    dialect: Dialect

    @property
    def manifest(self) -> Manifest:
        """Its marks of volumes."""
        return self.storage.manifest


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
            mark = _mark(disk.pool, disk.volume, source)
            volume = named(source.connection, disk.pool, disk.volume)
            _make_room(_empty_like(disk, volume, mark), mark, destination)
    return [disk for disk in private if disk.device == "disk"]


def copy_all(definition: DomainDefinition, source: Side, destination: Side) -> None:
    """Bring over the disks of a domain that is off.

    Raises:
        Refused: the destination lacks a pool, or has another volume of that name.
    """
    for disk in _private(definition, source, destination):
        send(disk.pool, disk.volume, source, destination)


def have_arrived(definition: DomainDefinition, destination: Side) -> None:
    """Mark the disks as whole: until then no look counts them."""
    _are_whole({f"{disk.pool}/{disk.volume}" for disk in definition.disks}, destination)


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
    mark = _mark(pool, name, source)
    volume = named(source.connection, pool, name)
    flat = _flattened(volume, pool, source) if mark.format == "qcow2" else volume
    try:
        copy = _make_room(_container_for(flat, pool, name), mark, destination)
        _stream(flat, source.connection, copy, destination.connection, mark)
        _refuse_lies(pool, name, mark, destination)
        _are_whole({f"{pool}/{name}"}, destination)
    finally:
        if flat is not volume:
            flat.delete(0)


def check_owners(definition: DomainDefinition, owner: Owner | None, source: Side) -> None:
    """Whether the domain takes along nothing but what belongs to its own environment.

    Raises:
        Refused: a disk of it is marked as another's.
    """
    marks = source.manifest.read()
    for disk in definition.disks:
        mark = marks.get(f"{disk.pool}/{disk.volume}")
        theirs = mark.owner if mark else None
        if theirs and owner and theirs.environment != owner.environment:
            raise Refused(f"its disk {disk.name} belongs to environment {theirs.environment}")


def _private(definition: DomainDefinition, source: Side, destination: Side) -> list[Disk]:
    """The disks that have to be copied; of the others only the marks go over."""
    private = [disk for disk in definition.disks if not _is_shared(disk.pool, source, destination)]
    marks = source.manifest.read()
    for disk in definition.disks:
        key = f"{disk.pool}/{disk.volume}"
        if disk not in private and key in marks:
            destination.manifest.write(key, marks[key])
    return private


def _are_whole(keys: set[str], destination: Side) -> None:
    marks = destination.manifest.read()
    begun = {key: marks[key] for key in keys if key in marks and marks[key].begun}
    if begun:
        edits = {key: replace(mark, begun=None) for key, mark in begun.items()}
        destination.manifest.change(edits)


def _is_one_thing(one: Mark | None, other: Mark | None) -> bool:
    """Whether they mark the same volume, be it that only one is up to date."""
    if one is None or other is None or one.owner is None or other.owner is None:
        return False
    return one.owner.unfinished == other.owner.unfinished


def _mark(pool: str, name: str, source: Side) -> Mark:
    """Whose the volume is, and as what it was made: its first bytes may be its guest's invention.

    Raises:
        Refused: it carries no mark of ours.
    """
    mark = source.manifest.read().get(f"{pool}/{name}")
    if mark is None or mark.owner is None:
        raise Refused(f"volume {name} in pool {pool} carries no mark of ours; adopt it first")
    return mark


def _make_room(new: NewVolume, mark: Mark, destination: Side) -> Any:
    """An empty volume at the destination, marked as begun before it is made."""
    key, there = f"{new.pool}/{new.name}", _pool(destination.connection, new.pool)
    known, theirs = there.find(new.name), destination.manifest.read().get(key)
    if known is not None:
        if not _is_one_thing(theirs, mark):
            what = f"a volume {new.name} in pool {new.pool}"
            raise Refused(f"{destination.host} has {what} already")
        if theirs is not None and theirs.begun is not None:
            known.delete(0)  # what an earlier attempt left
        else:  # whole: what the other host says of it is no reason to lose it
            displace(destination.connection, destination.storage, there, new.name)
    destination.manifest.write(key, replace(mark, begun=destination.storage.now()))
    return there.raw.createXML(volume_xml(there, new), 0)


def _empty_like(disk: Disk, volume: Any, mark: Mark) -> NewVolume:
    """A volume of the same capacity and format, for a copy that libvirt makes."""
    form, capacity_bytes = seen_as(parse(volume.XMLDesc(0)), mark)
    return NewVolume(disk.pool, disk.volume, form, capacity_bytes)


def _container_for(volume: Any, pool: str, name: str) -> NewVolume:
    """A volume that takes the bytes of another as they are, whatever their format."""
    size = volume.info()[1]
    root = parse(volume.XMLDesc(0))
    physical = root.find("physical")
    if physical is not None and root.get("type") == "file":
        size = int(physical.text or size)
    return NewVolume(pool, name, "raw", size)


def _flattened(volume: Any, pool: str, source: Side) -> Any:
    """The volume itself, or a whole copy of one that stores only what differs from an image."""
    if parse(volume.XMLDesc(0)).find("backingStore/path") is None:
        return volume
    here, name = _pool(source.connection, pool), f"moving.{volume.name()}"
    if (old := here.find(name)) is not None:
        old.delete(0)
    whole = NewVolume(pool, name, "qcow2", capacity_of(volume))
    return here.raw.createXMLFrom(volume_xml(here, whole), volume, 0)


def _refuse_lies(pool: str, name: str, mark: Mark, destination: Side) -> None:
    """Whether the copy leans on no file of the host, whatever the other host sent.

    Raises:
        Refused: it does. It is deleted.
    """
    there = _pool(destination.connection, pool)
    there.refresh()
    copy = there.named(name)
    if mark.format == "qcow2" and parse(copy.XMLDesc(0)).find("backingStore/path") is not None:
        copy.delete(0)
        raise Refused(f"volume {name} would lean on a file of {destination.host}")


def _stream(volume: Any, source: Any, copy: Any, destination: Any, mark: Mark) -> None:
    """Byte by byte, but for the holes. A first part that names other files is not sent on."""
    down, up = source.newStream(0), destination.newStream(0)
    volume.download(down, 0, 0, libvirt.VIR_STORAGE_VOL_DOWNLOAD_SPARSE_STREAM)
    copy.upload(up, 0, 0, libvirt.VIR_STORAGE_VOL_UPLOAD_SPARSE_STREAM)
    is_first = True
    try:
        while True:
            data = down.recvFlags(CHUNK_BYTES, libvirt.VIR_STREAM_RECV_STOP_AT_HOLE)
            if is_first and mark.format == "qcow2":
                inspect(b"" if data == _HOLE else data, b"", 0, "qcow2", LARGEST_DISK_BYTES)
            is_first = False
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
