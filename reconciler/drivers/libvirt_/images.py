"""A host's copies of base images: volumes of one pool, each of them made once and never changed.

An image is uploaded under a name of its own, converted to qcow2 with both formats said, and only
then marked with its checksum. Until then its mark tells when making it began, and so what a crash
left; a volume without any mark is somebody else's. No name is ever used twice, so two who make the
same image at once do not meet: there are two copies then, both good.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lxml import etree

from reconciler.drivers.images.spool import ImageSpool, SpooledImage
from reconciler.drivers.libvirt_.attempt import Attempt
from reconciler.drivers.libvirt_.making import format_in, volume_xml
from reconciler.drivers.libvirt_.manifest import Manifest
from reconciler.drivers.libvirt_.marks import Mark
from reconciler.drivers.libvirt_.pools import find, find_pool, pool_of
from reconciler.drivers.libvirt_.xmltext import parse, size_bytes
from reconciler.drivers.refusal import Refused
from reconciler.model.quantity import format_size
from reconciler.ports.hypervisor import ImageSource, NewVolume, VolumeFormat

IMAGE_POOL = "images"
POOL_PATH = "/var/lib/libvirt/reconciler-images"
NAMED_CHECKSUM = 16
SECTOR_BYTES = 512


@dataclass(frozen=True, slots=True)
class ImageCache:
    """The images of one host.

    `token` gives a short word that it never gave before, `now` the time in UTC.
    """

    host: str
    manifest: Manifest
    spool: ImageSpool
    token: Callable[[], str]
    now: Callable[[], datetime]
    pool: str = IMAGE_POOL

    def volume(self, connection: Any, source: ImageSource) -> Any:
        """Libvirt's volume with the image, as qcow2; it is fetched and put there if need be.

        That takes minutes, so the connection must not be one that others wait for.

        Raises:
            Refused: the host does not take it.
            DriverError: it cannot be had, or is not what git pins.
        """
        if (ready := find_ready(connection, self, source)) is not None:
            return ready
        turn = f"{self.host}-{source.checksum}"
        with self.spool.turn(turn, f"put image {source.name} on {self.host}"):
            if (ready := find_ready(connection, self, source)) is not None:
                return ready
            return put(connection, self, source, self.spool.fetch(source))


def find_ready(connection: Any, cache: ImageCache, source: ImageSource) -> Any:
    """The volume with the image, or None if the host has none that is whole."""
    pool = find_pool(connection, cache.pool)
    if pool is not None and pool.isActive():
        for name, mark in marked(cache):
            if (
                mark.content == source.checksum
                and not mark.begun
                and (volume := find(pool, name)) is not None
            ):
                return volume
    return None


def put(connection: Any, cache: ImageCache, source: ImageSource, spooled: SpooledImage) -> Any:
    """Upload and convert an image, and return the volume with it.

    Raises:
        Refused: the pool has no room, or the host makes something else of the image.
    """
    pool = _ensured_pool(connection, cache.pool)
    free_bytes, needed_bytes = pool.info()[3], 2 * spooled.size_bytes
    if needed_bytes > free_bytes:
        left, needed = format_size(free_bytes), format_size(needed_bytes)
        raise Refused(f"pool {cache.pool} has {left} left, and the image takes {needed} on its way")
    name = f"{source.name}-{source.checksum[:NAMED_CHECKSUM]}.{cache.token()}"
    with Attempt(cache.manifest, cache.now(), pool, f"incoming.{name}") as incoming:
        wanted = _wanted(cache, incoming.name, source.format, spooled)
        upload = incoming.make(volume_xml(pool_of(pool), wanted))
        _upload(connection, upload, spooled)
        _check(pool, upload, source.format, spooled)
        with Attempt(cache.manifest, cache.now(), pool, name) as result:
            wanted = _wanted(cache, name, "qcow2", spooled)
            image = result.make(volume_xml(pool_of(pool), wanted), upload)
            _check(pool, image, "qcow2", spooled)
            result.keep(source.checksum)
    return image


def marked(cache: ImageCache) -> Iterator[tuple[str, Mark]]:
    """The volumes of the pool that are our images, whole or not."""
    prefix = f"{cache.pool}/"
    for key, mark in sorted(cache.manifest.read().items()):
        if key.startswith(prefix) and mark.owner is None:  # an owner's is no image
            yield key.removeprefix(prefix), mark


def _ensured_pool(connection: Any, name: str) -> Any:
    """The pool of images, running; a host that has none gets one."""
    pool = find_pool(connection, name)
    if pool is None:
        root = etree.Element("pool", type="dir")
        etree.SubElement(root, "name").text = name
        etree.SubElement(etree.SubElement(root, "target"), "path").text = POOL_PATH
        pool = connection.storagePoolDefineXML(etree.tostring(root, encoding="unicode"), 0)
        pool.build(0)
        pool.setAutostart(1)
    if not pool.isActive():
        pool.create(0)
    return pool


def _wanted(cache: ImageCache, name: str, form: VolumeFormat, spooled: SpooledImage) -> NewVolume:
    return NewVolume(cache.pool, name, form, spooled.disk_bytes)


def _upload(connection: Any, volume: Any, spooled: SpooledImage) -> None:
    stream = connection.newStream(0)
    with spooled.path.open("rb") as file:
        volume.upload(stream, 0, spooled.size_bytes, 0)
        try:
            stream.sendAll(lambda _stream, most_bytes, source: source.read(most_bytes), file)
        except BaseException:
            stream.abort()
            raise
        stream.finish()


def _check(pool: Any, volume: Any, format_: str, spooled: SpooledImage) -> None:
    """Whether the host sees in a volume what we see in the image.

    Raises:
        Refused: it does not.
    """
    pool_of(pool).refresh()
    root = parse(volume.XMLDesc(0))
    found_format = format_in(root)
    found_bytes = size_bytes(root.find("capacity"), "bytes")
    if (found_format, _sectors(found_bytes)) != (format_, _sectors(spooled.disk_bytes)):
        raise Refused(
            f"the host takes {volume.name()} for {found_format} of {found_bytes} bytes, and it is "
            f"{format_} of {spooled.disk_bytes} bytes"
        )
    if root.find("backingStore/path") is not None:
        raise Refused(f"the host takes {volume.name()} for an overlay of another file")


def _sectors(length_bytes: int) -> int:
    """QEMU fills up the last one."""
    return -(-length_bytes // SECTOR_BYTES)
