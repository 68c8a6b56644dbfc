"""What a host does with its volumes, as pure functions from host to host."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from reconciler.drivers.refusal import Missing, Refused
from reconciler.drivers.simulated.domains import users_of
from reconciler.drivers.simulated.state import FORMATS, Host, Pool, Trashed, Volume
from reconciler.drivers.soundness import unsound_volume
from reconciler.model.quantity import format_size
from reconciler.model.resource import Owner
from reconciler.ports.hypervisor import NewVolume, VolumeState


def states_of(host: Host) -> Iterator[VolumeState]:
    """Every volume as the port shows it."""
    for pool_name, pool in host.pools.items():
        for name, volume in pool.volumes.items():
            yield VolumeState(pool_name, name, volume.format, volume.capacity_bytes, volume.owner)


def pool_named(host: Host, name: str) -> Pool:
    """The pool of that name.

    Raises:
        Missing: there is none.
    """
    pool = host.pools.get(name)
    if pool is None:
        message = f"there is no pool {name}"
        raise Missing(message)
    return pool


def named(host: Host, pool: str, name: str) -> Volume:
    """The volume of that name in the pool.

    Raises:
        Missing: there is no such pool or volume.
    """
    volume = pool_named(host, pool).volumes.get(name)
    if volume is None:
        message = f"there is no volume {name} in pool {pool}"
        raise Missing(message)
    return volume


def create(host: Host, new: NewVolume, owner: Owner | None, missing: tuple[str, ...]) -> Host:
    """Make a volume, fetching its image first if the host has no copy. `missing` images are gone.

    Raises:
        Missing: there is no such pool, or its image is to be had nowhere.
        Refused: the name is taken or impossible, the pool cannot hold it or has no room.
    """
    if new.image and host.images.get(new.image.name) != new.image.sha256:
        if new.image.name in missing:
            message = f"image {new.image.name} is not at {new.image.url} and not on the host"
            raise Missing(message)
        host = replace(host, images={**host.images, new.image.name: new.image.sha256})
    image = new.image.sha256 if new.image else None
    return put(host, new.pool, new.name, Volume(new.format, new.capacity_bytes, image, owner))


def put(host: Host, pool_name: str, name: str, volume: Volume) -> Host:
    """Put a volume under a free name into a pool.

    Raises:
        Missing: there is no such pool.
        Refused: the name is taken or impossible, the pool cannot hold it or has no room.
    """
    pool = pool_named(host, pool_name)
    reasons = [*unsound_volume(name, volume.capacity_bytes)]
    if name in pool.volumes:
        reasons.append(f"the name {name} is taken in pool {pool_name}")
    if volume.format not in FORMATS[pool.type]:
        reasons.append(f"a {pool.type} pool holds no {volume.format} volumes")
    if volume.capacity_bytes > pool.free_bytes:
        reasons.append(_no_room(pool_name, pool))
    if reasons:
        raise Refused("; ".join(reasons))
    return _with(host, pool_name, replace(pool, volumes={**pool.volumes, name: volume}))


def mark(host: Host, pool: str, name: str, owner: Owner) -> Host:
    """Replace the mark."""
    return _with_volume(host, pool, name, replace(named(host, pool, name), owner=owner))


def grow(host: Host, pool_name: str, name: str, capacity_bytes: int) -> Host:
    """Make a volume larger.

    Raises:
        Missing: there is no such volume.
        Refused: it would shrink, or the pool has no room.
    """
    volume, pool = named(host, pool_name, name), host.pools[pool_name]
    if capacity_bytes < volume.capacity_bytes:
        message = f"it has {format_size(volume.capacity_bytes)}, and a volume never shrinks"
        raise Refused(message)
    if capacity_bytes - volume.capacity_bytes > pool.free_bytes:
        raise Refused(_no_room(pool_name, pool))
    return _with_volume(host, pool_name, name, replace(volume, capacity_bytes=capacity_bytes))


def trash(host: Host, pool_name: str, name: str) -> Host:
    """Move a volume to the trash of its pool, if it is there.

    Raises:
        Missing: there is no such pool.
        Refused: a domain uses it.
    """
    pool = pool_named(host, pool_name)
    if name not in pool.volumes:
        return host
    check_unused(host, pool_name, name)
    kept = (*pool.trash, Trashed(name, replace(pool.volumes[name], owner=None)))
    return _with(host, pool_name, replace(_without(pool, name), trash=kept))


def remove(host: Host, pool_name: str, name: str) -> Host:
    """Take a volume away without a trace.

    Raises:
        Missing: there is no such volume.
    """
    named(host, pool_name, name)
    return _with(host, pool_name, _without(host.pools[pool_name], name))


def check_unused(host: Host, pool: str, name: str) -> None:
    """Whether no domain uses the volume.

    Raises:
        Refused: one does.
    """
    if users := users_of(host, pool, name):
        message = f"it is in use by {', '.join(sorted(users))}"
        raise Refused(message)


def _without(pool: Pool, name: str) -> Pool:
    return replace(pool, volumes={k: v for k, v in pool.volumes.items() if k != name})


def _with(host: Host, name: str, pool: Pool) -> Host:
    return replace(host, pools={**host.pools, name: pool})


def _with_volume(host: Host, pool_name: str, name: str, volume: Volume) -> Host:
    pool = host.pools[pool_name]
    return _with(host, pool_name, replace(pool, volumes={**pool.volumes, name: volume}))


def _no_room(name: str, pool: Pool) -> str:
    return f"pool {name} has {format_size(max(pool.free_bytes, 0))} left"
