"""Images of a host that nothing needs any more, and what crashes left of some."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from typing import Any

from reconciler.drivers.libvirt_.images import ImageCache, marked
from reconciler.drivers.libvirt_.marks import Mark
from reconciler.drivers.libvirt_.pools import find, find_pool
from reconciler.drivers.libvirt_.xmltext import parse

LEFTOVER_AGE = timedelta(days=1)


def discard_unused_images(
    connection: Any, cache: ImageCache, wanted: Collection[str]
) -> tuple[str, ...]:
    """Delete our images that no document names and no volume is an overlay of, and leftovers.

    `wanted` are the checksums of the images of all branches. Returns the names of the volumes.
    Nothing is deleted while the host has a pool that is not running, and may hold an overlay.
    """
    pool = find_pool(connection, cache.pool)
    if pool is None or not all(each.isActive() for each in connection.listAllStoragePools(0)):
        return ()
    candidates = [(name, find(pool, name), mark) for name, mark in marked(cache)]
    candidates = [each for each in candidates if _is_dispensable(*each[1:], wanted, cache.now())]
    bases = _bases(connection) if candidates else frozenset()
    gone = []
    for name, volume, _ in candidates:
        if volume is None or volume.path() not in bases:
            gone.append(name)
            _discard(cache, name, volume)
    return tuple(gone)


def _is_dispensable(volume: Any, mark: Mark, wanted: Collection[str], now: datetime) -> bool:
    """Whether no document needs it. What is not whole may be being made, unless it is old."""
    if mark.begun:
        return volume is None or now - mark.begun > LEFTOVER_AGE
    return mark.content not in wanted


def _discard(cache: ImageCache, name: str, volume: Any) -> None:
    key = f"{cache.pool}/{name}"
    cache.manifest.write(key, Mark(begun=cache.now()))  # from here on nobody begins to use it
    if volume is not None:
        volume.delete(0)
    cache.manifest.forget(key)


def _bases(connection: Any) -> frozenset[str]:
    """The files that volumes or running guests are overlays of."""
    return frozenset((*_under_volumes(connection), *_under_guests(connection)))


def _under_volumes(connection: Any) -> Iterator[str]:
    for pool in connection.listAllStoragePools(0):
        pool.refresh(0)  # what others made past libvirt counts too; a pool at work makes us wait
        for volume in pool.listAllVolumes(0):
            for path in parse(volume.XMLDesc(0)).iterfind("backingStore/path"):
                yield path.text or ""


def _under_guests(connection: Any) -> Iterator[str]:
    for domain in connection.listAllDomains(0):
        for source in parse(domain.XMLDesc(0)).iterfind("devices/disk//source"):
            yield source.get("file", "")
