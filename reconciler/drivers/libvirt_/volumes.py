"""What is asked of libvirt about storage: plain functions on an open connection.

libvirt cannot rename a volume, so the trash of a pool is a copy under a name of its own:
`trash.<number>.<name>`. An image is a volume of the image pool, called by name and checksum.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any

import libvirt
from lxml import etree

from reconciler.drivers.libvirt_.connection import is_outcome_unknown
from reconciler.drivers.libvirt_.manifest import Manifest
from reconciler.drivers.libvirt_.reading import Dialect, definition_of
from reconciler.drivers.libvirt_.xmltext import parse, size_bytes
from reconciler.drivers.refusal import Missing, Refused
from reconciler.drivers.soundness import unsound_volume
from reconciler.model.quantity import format_size
from reconciler.model.resource import Owner
from reconciler.ports.hypervisor import ImageSource, NewVolume, VolumeFormat, VolumeState

TRASH_PREFIX = "trash."
CHECKSUM_LENGTH = 16
_AT_WORK = frozenset({libvirt.VIR_ERR_OPERATION_INVALID, libvirt.VIR_ERR_INTERNAL_ERROR})


def observe(connection: Any, marks: Mapping[str, Owner]) -> Iterator[VolumeState]:
    """Every volume of every active pool, without the trash."""
    for pool in connection.listAllStoragePools(libvirt.VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE):
        _refresh(pool)
        for volume in pool.listAllVolumes(0):
            if not volume.name().startswith(TRASH_PREFIX):
                yield _state(pool.name(), volume, marks)


def create(
    connection: Any, new: NewVolume, owner: Owner, manifest: Manifest, image_pool: str
) -> None:
    """Make a volume and mark it. What is half made when something fails is removed.

    Raises:
        Missing: there is no such pool, or its image is not on the host.
        Refused: the name is taken or impossible, or the pool has no room.
    """
    pool = _pool(connection, new.pool)
    reasons = [*unsound_volume(new.name, new.capacity_bytes)]
    if not reasons and find(pool, new.name) is not None:
        reasons.append(f"the name {new.name} is taken in pool {new.pool}")
    free_bytes = pool.info()[3]
    if new.capacity_bytes > free_bytes:
        reasons.append(f"pool {new.pool} has {format_size(free_bytes)} left")
    if reasons:
        raise Refused("; ".join(reasons))
    image = _image(connection, image_pool, new.image) if new.image else None
    manifest.write(f"{new.pool}/{new.name}", owner)
    try:
        _make(pool, new, image)
    except Refused:
        manifest.forget(f"{new.pool}/{new.name}")
        raise
    except libvirt.libvirtError as error:
        if not is_outcome_unknown(error):  # else it may be there, and must not be taken for foreign
            manifest.forget(f"{new.pool}/{new.name}")
        raise


def mark(connection: Any, pool: str, name: str, owner: Owner, manifest: Manifest) -> None:
    """Replace the mark.

    Raises:
        Missing: there is no such volume.
    """
    named(connection, pool, name)
    manifest.write(f"{pool}/{name}", owner)


def grow(connection: Any, pool_name: str, name: str, capacity_bytes: int, dialect: Dialect) -> None:
    """Make a volume larger, through the guest that has it as a disk, if one runs.

    Raises:
        Missing: there is no such volume.
        Refused: it would shrink, or the pool has no room.
    """
    volume = named(connection, pool_name, name)
    present_bytes, free_bytes = volume.info()[1], _pool(connection, pool_name).info()[3]
    if capacity_bytes < present_bytes:
        raise Refused(f"it has {format_size(present_bytes)}, and a volume never shrinks")
    if capacity_bytes - present_bytes > free_bytes:
        raise Refused(f"pool {pool_name} has {format_size(free_bytes)} left")
    if capacity_bytes == present_bytes:
        return
    for domain in connection.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE):
        if (pool_name, name) in _places(domain.XMLDesc(0), dialect):
            domain.blockResize(volume.path(), capacity_bytes, libvirt.VIR_DOMAIN_BLOCK_RESIZE_BYTES)
            return
    volume.resize(capacity_bytes, 0)


def trash(connection: Any, pool_name: str, name: str, manifest: Manifest, dialect: Dialect) -> None:
    """Move a volume to the trash of its pool, if it is there.

    Raises:
        Missing: there is no such pool.
        Refused: a domain uses it.
    """
    pool = _pool(connection, pool_name)
    volume = find(pool, name)
    if volume is not None:
        users = sorted(_users(connection, pool_name, name, dialect))
        if users:
            raise Refused(f"it is in use by {', '.join(users)}")
        new = NewVolume(pool_name, _free_name(pool, name), _format(volume), volume.info()[1])
        _make(pool, new, volume)
        volume.delete(0)
    manifest.forget(f"{pool_name}/{name}")


def format_of(connection: Any, pool: str, name: str) -> VolumeFormat:
    """The format of a volume.

    Raises:
        Missing: there is no such pool or volume.
    """
    return _format(named(connection, pool, name))


def place_of(connection: Any, path: str) -> tuple[str, str] | None:
    """Pool and name of the volume at a path, if there is one."""
    try:
        volume = connection.storageVolLookupByPath(path)
        return volume.storagePoolLookupByVolume().name(), volume.name()
    except libvirt.libvirtError as error:
        if error.get_error_code() != libvirt.VIR_ERR_NO_STORAGE_VOL:
            raise
        return None


def image_volume_name(image: ImageSource) -> str:
    """What a host calls its copy of an image; another checksum is another volume."""
    return f"{image.name}.{image.sha256[:CHECKSUM_LENGTH]}"


def named(connection: Any, pool: str, name: str) -> Any:
    """The volume of that name.

    Raises:
        Missing: there is no such pool or volume.
    """
    volume = find(_pool(connection, pool), name)
    if volume is None:
        raise Missing(f"there is no volume {name} in pool {pool}")
    return volume


def find(pool: Any, name: str) -> Any:
    """The volume of that name in the pool, or None."""
    try:
        return pool.storageVolLookupByName(name)
    except libvirt.libvirtError as error:
        if error.get_error_code() != libvirt.VIR_ERR_NO_STORAGE_VOL:
            raise
        return None


def _pool(connection: Any, name: str) -> Any:
    try:
        return connection.storagePoolLookupByName(name)
    except libvirt.libvirtError as error:
        if error.get_error_code() != libvirt.VIR_ERR_NO_STORAGE_POOL:
            raise
        raise Missing(f"there is no pool {name}") from None


def _refresh(pool: Any) -> None:
    """Let libvirt see what was made or deleted past it; a pool at work is seen as it was."""
    try:
        pool.refresh(0)
    except libvirt.libvirtError as error:
        if error.get_error_code() not in _AT_WORK:
            raise


def _image(connection: Any, image_pool: str, image: ImageSource) -> Any:
    try:
        return named(connection, image_pool, image_volume_name(image))
    except Missing as missing:
        raise Missing(f"image {image.name} is not on the host: {missing}") from None


def _make(pool: Any, new: NewVolume, origin: Any) -> None:
    """Make a volume, empty or as a grown copy of `origin`; if that fails it is not there."""
    if origin is None:
        pool.createXML(_volume_xml(new), 0)
        return
    origin_bytes = origin.info()[1]
    if new.capacity_bytes < origin_bytes:
        raise Refused(f"what it is made from has {format_size(origin_bytes)}")
    volume = pool.createXMLFrom(_volume_xml(new), origin, 0)
    try:
        if new.capacity_bytes > origin_bytes:  # a copy ignores that it should be larger
            volume.resize(new.capacity_bytes, 0)
    except BaseException:
        volume.delete(0)
        raise


def _volume_xml(new: NewVolume) -> str:
    root = etree.Element("volume")
    etree.SubElement(root, "name").text = new.name
    etree.SubElement(root, "capacity", unit="bytes").text = str(new.capacity_bytes)
    etree.SubElement(root, "allocation", unit="bytes").text = "0"
    etree.SubElement(etree.SubElement(root, "target"), "format", type=new.format)
    text: str = etree.tostring(root, encoding="unicode")
    return text


def _state(pool: str, volume: Any, marks: Mapping[str, Owner]) -> VolumeState:
    name, root = volume.name(), parse(volume.XMLDesc(0))
    capacity_bytes = size_bytes(root.find("capacity"), "bytes")
    return VolumeState(pool, name, _format_in(root), capacity_bytes, marks.get(f"{pool}/{name}"))


def _format(volume: Any) -> VolumeFormat:
    return _format_in(parse(volume.XMLDesc(0)))


def _format_in(root: Any) -> VolumeFormat:
    """The format in a volume's XML. Whatever is not qcow2 is bytes as they are."""
    element = root.find("target/format")
    return "qcow2" if element is not None and element.get("type") == "qcow2" else "raw"


def _free_name(pool: Any, name: str) -> str:
    names = (f"{TRASH_PREFIX}{number}.{name}" for number in count(1))
    return next(each for each in names if find(pool, each) is None)


def _users(connection: Any, pool: str, name: str, dialect: Dialect) -> Iterator[str]:
    for domain in connection.listAllDomains(0):
        texts = {domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE), domain.XMLDesc(0)}
        if any((pool, name) in _places(text, dialect) for text in texts):
            yield domain.name()


def _places(text: str, dialect: Dialect) -> frozenset[tuple[str, str]]:
    definition = definition_of(parse(text), dialect)
    return frozenset((disk.pool, disk.volume) for disk in definition.disks)
