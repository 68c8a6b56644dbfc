"""The trash of a pool: volumes that were taken out of use, kept for a grace time.

A trashed volume stays in its pool and is called `trash.<when>.<number>.<name>`, so that the trash
is whole without any list. Its mark moves along. First the new mark is written, then the volume is
renamed, then the old mark dropped: whatever is cut off, the volume is there under one of its two
names, with its mark.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from typing import Any

from reconciler.drivers.libvirt_.making import capacity_of, format_of, volume_xml
from reconciler.drivers.libvirt_.marks import Mark
from reconciler.drivers.libvirt_.pool_commands import renaming
from reconciler.drivers.libvirt_.pools import Pool, active_pools, pool_named
from reconciler.drivers.libvirt_.storage import Storage
from reconciler.drivers.libvirt_.usage import place_of, users
from reconciler.drivers.refusal import Missing, Refused
from reconciler.ports.hypervisor import NewVolume, TrashedVolume

_NAME = re.compile(r"\Atrash\.(\d{8}T\d{6})\.(\d{1,9})\.(.+)\Z", re.DOTALL)
_WHEN = "%Y%m%dT%H%M%S"


def is_trash(name: str) -> bool:
    """Whether a volume of that name is in the trash."""
    return _read(name) is not None


def put(connection: Any, storage: Storage, pool_name: str, name: str) -> None:
    """Move a volume to the trash of its pool, if it is there.

    Raises:
        Missing: there is no such pool.
        Refused: a domain uses it, or the pool is at work.
    """
    displace(connection, storage, pool_named(connection, pool_name), name)


def displace(connection: Any, storage: Storage, pool: Pool, name: str) -> None:
    """Do what `put` does, in a pool that is at hand."""
    _settle(pool)
    volume = pool.find(name)
    if volume is None:
        storage.manifest.forget(f"{pool.name}/{name}")
        return
    if found := sorted(users(connection, place_of(pool, volume))):
        raise Refused(f"it is in use by {', '.join(found)}")
    _rename(storage, pool, name, _free_name(pool, name, storage.now()))


def listing(connection: Any, storage: Storage) -> Iterator[TrashedVolume]:
    """What is in the trash of all active pools."""
    marks = storage.manifest.read()
    for pool in active_pools(connection):
        pool.refresh()
        for each in pool.raw.listVolumes():
            if found := _read(each):
                since, name = found
                mark = marks.get(f"{pool.name}/{each}")
                yield TrashedVolume(pool.name, name, each, since, mark.owner if mark else None)


def restore(connection: Any, storage: Storage, pool_name: str, trash_name: str) -> None:
    """Take a volume out of the trash, under its old name and with its old mark.

    Raises:
        Missing: it is not in the trash.
        Refused: its name is taken, it was never whole, or the pool is at work.
    """
    pool, found = pool_named(connection, pool_name), _read(trash_name)
    _settle(pool)
    if found is None or pool.find(trash_name) is None:
        raise Missing(f"there is no {trash_name} in the trash of pool {pool_name}")
    _, name = found
    if pool.find(name) is not None:
        raise Refused(f"the name {name} is taken in pool {pool_name}; trash that volume first")
    mark = storage.manifest.read().get(f"{pool_name}/{trash_name}")
    if mark is not None and mark.begun is not None:
        raise Refused("its making was begun and never finished; it can only be purged")
    _rename(storage, pool, trash_name, name)


def purge(connection: Any, storage: Storage, pool_name: str, trash_name: str) -> None:
    """Delete a volume of the trash for good, if it is there.

    Raises:
        Missing: there is no such pool.
        Refused: that is no name of the trash, or a domain uses the volume all the same.
    """
    if not is_trash(trash_name):
        raise Refused(f"{trash_name} is not in the trash")
    _delete(connection, storage, pool_named(connection, pool_name), trash_name)


def tidy(
    connection: Any,
    storage: Storage,
    environment: str,
    trashed_before: datetime,
    images: frozenset[str] | None,
) -> None:
    """Delete what was trashed before, and what was begun before and never finished.

    Only what carries the mark of the environment is deleted, and its marks of volumes that are not
    there are dropped. What a domain uses stays. Of the cached images only those with the checksums
    in `images` are still needed; None leaves all.
    """
    marks = storage.manifest.read()
    for pool in active_pools(connection):
        for key in (each for each in marks if each.startswith(f"{pool.name}/")):
            name, mark = key.removeprefix(f"{pool.name}/"), marks[key]
            since = _since(name, mark)
            is_ours = mark.owner is not None and mark.owner.environment == environment
            if not is_ours:
                continue
            if since is None:
                _forget_lost(storage, pool, name)
            elif since < trashed_before:
                _delete(connection, storage, pool, name, unless_used=True)
    if images is not None and storage.discard_images is not None:
        storage.discard_images(connection, images)


def _forget_lost(storage: Storage, pool: Pool, name: str) -> None:
    """Drop the mark of a volume that is not there, or else what others call so would be ours.

    A rename that was cut off leaves such a one behind.
    """
    if pool.find(name) is None and pool.refresh() and pool.find(name) is None:
        storage.manifest.forget(f"{pool.name}/{name}")


def _since(name: str, mark: Mark) -> datetime | None:
    """Since when a volume has been of no use; None if it is in use or may be."""
    trashed = _read(name)
    return trashed[0] if trashed else mark.begun


def _delete(
    connection: Any, storage: Storage, pool: Pool, name: str, *, unless_used: bool = False
) -> None:
    volume = pool.find(name)
    if volume is not None:
        if found := sorted(users(connection, place_of(pool, volume))):
            if unless_used:
                return
            raise Refused(f"it is in use by {', '.join(found)}")
        volume.delete(0)
    storage.manifest.forget(f"{pool.name}/{name}")


def _rename(storage: Storage, pool: Pool, old: str, new: str) -> None:
    before, after = f"{pool.name}/{old}", f"{pool.name}/{new}"
    mark = storage.manifest.read().get(before)
    if mark is not None:
        storage.manifest.write(after, mark)
    else:
        storage.manifest.forget(after)
    if storage.command is None:
        _copy(pool, old, new)
    else:
        storage.run(renaming(pool, pool.named(old).path(), old, new))
        pool.refresh()
    storage.manifest.forget(before)


def _copy(pool: Pool, old: str, new: str) -> None:
    """What is left where nothing can be renamed."""
    volume = pool.named(old)
    form = "qcow2" if format_of(volume) == "qcow2" else "raw"
    wanted = NewVolume(pool.name, new, form, capacity_of(volume))  # type: ignore[arg-type] # one of the two
    pool.raw.createXMLFrom(volume_xml(pool, wanted), volume, 0)
    volume.delete(0)


def _settle(pool: Pool) -> None:
    """See the pool as it is; while libvirt fills a volume of it, its list cannot be trusted.

    Raises:
        Refused: the pool is at work.
    """
    if not pool.refresh():
        raise Refused(f"pool {pool.name} is at work on a volume; try again when it is done")


def _free_name(pool: Pool, name: str, now: datetime) -> str:
    when = now.astimezone(UTC).strftime(_WHEN)
    names = (f"trash.{when}.{number}.{name}" for number in count(1))
    return next(each for each in names if pool.find(each) is None)


def _read(trash_name: str) -> tuple[datetime, str] | None:
    """Since when it is in the trash and what it was called, if it is a name of the trash."""
    match = _NAME.match(trash_name)
    if match is None:
        return None
    try:
        return datetime.strptime(match[1], _WHEN).replace(tzinfo=UTC), match[3]
    except ValueError:  # 30 February
        return None
