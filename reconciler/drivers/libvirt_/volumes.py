"""What is asked of libvirt about volumes in use: plain functions on an open connection."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import libvirt

from reconciler.drivers.libvirt_.connection import is_outcome_unknown
from reconciler.drivers.libvirt_.making import (
    capacity_of,
    check_capacity,
    format_in,
    make,
    refuse_misfit,
    stretch,
)
from reconciler.drivers.libvirt_.marks import Mark, Rounded
from reconciler.drivers.libvirt_.pool_commands import growing
from reconciler.drivers.libvirt_.pools import Pool, active_pools, named, pool_named
from reconciler.drivers.libvirt_.seeds import iso_of, upload
from reconciler.drivers.libvirt_.storage import Storage
from reconciler.drivers.libvirt_.trash import displace, is_trash
from reconciler.drivers.libvirt_.usage import place_of, running_disk, taken_for
from reconciler.drivers.libvirt_.xmltext import parse, size_bytes
from reconciler.drivers.refusal import Missing, Refused
from reconciler.drivers.soundness import unsound_volume
from reconciler.errors import Unreachable
from reconciler.model.quantity import format_size
from reconciler.model.resource import Owner
from reconciler.ports.hypervisor import NewVolume, VolumeFormat, VolumeState


def observe(connection: Any, storage: Storage) -> Iterator[VolumeState]:
    """Every volume of every active pool, except trash, cached images, and what is half made."""
    marks = storage.manifest.look()
    for pool in active_pools(connection):
        pool.refresh()
        for volume in pool.raw.listAllVolumes(0):
            mark = marks.get(f"{pool.name}/{volume.name()}")
            if not (is_trash(volume.name()) or (mark and (mark.begun or mark.owner is None))):
                yield from _state(pool, volume, mark)


def create(connection: Any, storage: Storage, new: NewVolume, owner: Owner) -> None:
    """Make a volume and mark it. What is half made when something fails is removed.

    Raises:
        Missing: there is no such pool, or its image is not to be had.
        Refused: the name is taken or impossible, or the pool cannot hold it or has no room.
    """
    pool, key = pool_named(connection, new.pool), f"{new.pool}/{new.name}"
    left = storage.manifest.read().get(key)
    if left and left.begun and pool.find(new.name) is not None:
        if left.format == new.format == "iso":  # its guest may run
            write_seed(connection, storage, new, owner)
            return
        displace(connection, storage, pool, new.name)
    _refuse(pool, new)
    refuse_misfit(pool, new, None)
    image = storage.image(connection, new.image) if new.image else None
    mark = Mark(owner, new.content, new.format, begun=storage.now())
    storage.manifest.write(key, mark)
    try:
        volume = make(connection, storage, pool, new, image)
    except Exception as error:
        if _is_nothing_left(pool, new.name, error):  # else it must not count as foreign
            storage.manifest.forget(key)
        raise
    _finish(storage, key, mark, volume, new.capacity_bytes)


def mark(connection: Any, storage: Storage, pool_name: str, name: str, owner: Owner) -> None:
    """Replace the mark.

    Raises:
        Missing: there is no such volume.
        Refused: it is to be adopted, and its guest may have made it look like what it is not.
    """
    pool, key = pool_named(connection, pool_name), f"{pool_name}/{name}"
    volume, found = pool.named(name), storage.manifest.read().get(key) or Mark()
    form = found.format or seen_as(parse(volume.XMLDesc(0)), None)[0]
    is_new = found.format is None and form == "qcow2"
    if is_new and "raw" in taken_for(connection, place_of(pool, volume)):
        raise Refused("its domain takes it for raw, and it looks like qcow2; look who wrote that")
    storage.manifest.write(key, replace(found, owner=owner, format=form))


def formats_of(
    connection: Any, storage: Storage, places: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], VolumeFormat]:
    """What a guest is to take volumes for, by pool and name: what they were made as.

    What the host thinks does not count where we know better, for a guest can write the header of an
    overlay over any file of its host to the start of a raw volume.

    Raises:
        Refused: a pool or volume is not there.
    """
    marks, found, reasons = storage.manifest.read(), {}, []
    for pool, name in places:
        try:
            root = parse(named(connection, pool, name).XMLDesc(0))
        except Missing as missing:
            reasons.append(str(missing))
        else:
            found[pool, name] = seen_as(root, marks.get(f"{pool}/{name}"))[0]
    if reasons:
        raise Refused("; ".join(reasons))
    return found


def write_seed(connection: Any, storage: Storage, new: NewVolume, owner: Owner) -> None:
    """Give a seed new contents. A running guest keeps the old ones until it stops.

    In a directory the seed is made anew under its name: QEMU holds the file that was there. While
    that lasts the seed counts as not there, so that after a crash it is made, and no guest ever
    starts with half of it.

    Raises:
        Missing: there is no such volume.
        Refused: it is no seed, or does not fit.
    """
    if new.seed is None:
        raise Refused("there is nothing to write")
    pool, key = pool_named(connection, new.pool), f"{new.pool}/{new.name}"
    volume = pool.named(new.name)
    content = iso_of(new.seed, new.capacity_bytes)
    begun = Mark(owner, new.content, new.format, begun=storage.now())
    storage.manifest.write(key, begun)
    if pool.holds_files:
        volume.delete(0)
        volume = make(connection, storage, pool, new, None)
    else:
        if capacity_of(volume) < new.capacity_bytes:
            stretch(storage, pool, volume, new.capacity_bytes)
        upload(connection, volume, content)
    _finish(storage, key, begun, volume, new.capacity_bytes)


def grow(connection: Any, storage: Storage, pool_name: str, name: str, capacity_bytes: int) -> None:
    """Make a volume larger, through the guest that has it as a disk, if one runs.

    Raises:
        Missing: there is no such volume.
        Refused: it would shrink, or the pool has no room.
    """
    pool, key = pool_named(connection, pool_name), f"{pool_name}/{name}"
    volume, known = pool.named(name), storage.manifest.read().get(key)
    present_bytes = capacity_of(volume)
    _refuse_disguise(volume, known)
    if capacity_bytes < _asked(present_bytes, known):
        raise Refused(f"it has {format_size(present_bytes)}, and a volume never shrinks")
    if capacity_bytes > present_bytes:
        if shortage := pool.shortage(capacity_bytes - present_bytes):
            raise Refused(shortage)
        _grow(connection, storage, pool, volume, capacity_bytes)
    if known:
        _finish(storage, key, known, volume, capacity_bytes)


def _refuse(pool: Pool, new: NewVolume) -> None:
    """Say no where there is no place for it."""
    reasons = [*unsound_volume(new.name, new.capacity_bytes)]
    if not reasons and pool.find(new.name) is not None:
        reasons.append(f"the name {new.name} is taken in pool {new.pool}")
    if shortage := pool.shortage(new.capacity_bytes):
        reasons.append(shortage)
    if reasons:
        raise Refused("; ".join(reasons))


def _grow(connection: Any, storage: Storage, pool: Pool, volume: Any, capacity_bytes: int) -> None:
    used = running_disk(connection, place_of(pool, volume))
    if used is None:
        stretch(storage, pool, volume, capacity_bytes)
        return
    domain, target = used
    if growing(pool, volume.name(), capacity_bytes):  # the device first, then its guest
        stretch(storage, pool, volume, capacity_bytes)
    domain.blockResize(target, capacity_bytes, libvirt.VIR_DOMAIN_BLOCK_RESIZE_BYTES)
    check_capacity(volume, capacity_bytes)


def _finish(storage: Storage, key: str, found: Mark, volume: Any, asked_bytes: int) -> None:
    """Mark a volume as made, and keep in mind if the pool gave more than was asked for."""
    given_bytes = capacity_of(volume)
    rounded = Rounded(asked_bytes, given_bytes) if given_bytes > asked_bytes else None
    after = replace(found, begun=None, rounded=rounded)
    if after != found:
        storage.manifest.write(key, after)


def _state(pool: Pool, volume: Any, mark: Mark | None) -> Iterator[VolumeState]:
    """The volume as the port shows it, if it is still there."""
    try:
        root = parse(volume.XMLDesc(0))
    except libvirt.libvirtError as error:
        if is_outcome_unknown(error) or pool.find(volume.name()) is not None:
            raise
        return
    form, capacity_bytes = seen_as(root, mark)
    owner, content = (mark.owner, mark.content) if mark else (None, None)
    name = volume.name()
    yield VolumeState(pool.name, name, form, _asked(capacity_bytes, mark), owner, content)


def seen_as(root: Any, mark: Mark | None) -> tuple[VolumeFormat, int]:
    """Format and capacity. What a guest wrote to the start of a raw volume does not fool us."""
    capacity_bytes, found = size_bytes(root.find("capacity"), "bytes"), format_in(root)
    if mark is None or mark.format is None:
        return ("qcow2" if found == "qcow2" else "raw"), capacity_bytes
    physical = root.find("physical")
    if mark.format != "qcow2" and found not in {"raw", "iso"} and physical is not None:
        capacity_bytes = size_bytes(physical, "bytes")
    return mark.format, capacity_bytes


def _asked(capacity_bytes: int, mark: Mark | None) -> int:
    """The capacity as it was asked for, where the pool gave somewhat more."""
    if mark and mark.rounded and mark.rounded.given_bytes == capacity_bytes:
        return mark.rounded.asked_bytes
    return capacity_bytes


def _refuse_disguise(volume: Any, mark: Mark | None) -> None:
    found = format_in(parse(volume.XMLDesc(0)))
    if mark and mark.format == "raw" and found not in {"raw", "iso"}:
        raise Refused(f"it is raw, but its guest wrote what looks like {found} to its start")


def _is_nothing_left(pool: Pool, name: str, error: Exception) -> bool:
    """Whether there is nothing of ours after a volume could not be made."""
    if isinstance(error, libvirt.libvirtError):
        if error.get_error_code() == libvirt.VIR_ERR_STORAGE_VOL_EXIST:
            return True  # somebody else was faster
        if is_outcome_unknown(error):
            return False
    return not isinstance(error, Unreachable) and pool.find(name) is None
