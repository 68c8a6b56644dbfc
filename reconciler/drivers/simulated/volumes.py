"""What a host does with its volumes, as pure functions from host to host."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from reconciler.drivers.refusal import Missing, Refused
from reconciler.drivers.simulated.domains import users_of
from reconciler.drivers.simulated.state import FORMATS, Host, Pool, Volume
from reconciler.drivers.soundness import unsound_volume
from reconciler.model.quantity import format_size
from reconciler.model.resource import Owner
from reconciler.ports.hypervisor import NewVolume, PoolState, PoolType, VolumeState

POOL_BYTES = 1024**4  # of one that was made: simulated disks are all alike


def pools_of(host: Host) -> Iterator[PoolState]:
    """Every pool as the port shows it."""
    for name, pool in sorted(host.pools.items()):
        yield PoolState(name, pool.type, _target(name, pool), pool.capacity_bytes)


def define_pool(host: Host, name: str, type_: PoolType, target: str) -> Host:
    """Make a pool of what is there.

    Raises:
        Refused: the name is another pool's, or what is behind it is not there.
    """
    known = host.pools.get(name)
    if known is not None and (known.type, _target(name, known)) != (type_, target):
        raise Refused(f"pool {name} is a {known.type} pool of {_target(name, known)}")
    group = target.partition("/")[0]
    behind = {"logical": host.base.volume_groups, "zfs": host.base.zpools}.get(type_)
    if behind is not None and group not in behind:
        raise Refused(f"there is no {target} for pool {name}")
    if known is not None:
        return host
    rest = {place: pool for place, pool in host.forgotten.items() if place != target}
    found = host.forgotten.get(target, Pool(POOL_BYTES, type_, target))
    return replace(with_pool(host, name, found), forgotten=rest)


def remove_pool(host: Host, name: str) -> Host:
    """Stop a pool and forget it. What is in it is found again when it is made anew."""
    if name not in host.pools:
        return host
    pool = host.pools[name]
    place = _target(name, pool)
    return replace(
        host,
        pools={each: pool for each, pool in host.pools.items() if each != name},
        forgotten={**host.forgotten, place: replace(pool, target=place)},
    )


def _target(name: str, pool: Pool) -> str:
    return pool.target or f"/pools/{name}"


def states_of(host: Host) -> Iterator[VolumeState]:
    """Every volume as the port shows it."""
    for pool_name, pool in host.pools.items():
        for name, volume in pool.volumes.items():
            yield VolumeState(
                pool_name,
                name,
                volume.format,
                volume.capacity_bytes,
                volume.owner,
                volume.content,
            )


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
    if reasons := list(_unfit(new)):
        raise Refused("; ".join(reasons))
    image = new.image
    if image and image.checksum not in host.images:
        if image.name in missing:
            message = f"image {image.name} is not at {image.url} and not on the host"
            raise Missing(message)
        host = replace(host, images={**host.images, image.checksum: image.name})
    made = Volume(
        format=new.format,
        capacity_bytes=new.capacity_bytes,
        image=image.checksum if image else None,
        owner=owner,
        overlay=new.overlay,
        content=new.content,
    )
    return put(host, new.pool, new.name, made)


def write_seed(host: Host, new: NewVolume, owner: Owner) -> Host:
    """Give a seed other contents, and the size that these need.

    Raises:
        Missing: there is no such volume.
        Refused: it is no seed, or the pool has no room.
    """
    known, pool = named(host, new.pool, new.name), host.pools[new.pool]
    if known.format != "iso" or new.seed is None:
        message = "it is no seed"
        raise Refused(message)
    if new.capacity_bytes - known.capacity_bytes > pool.free_bytes:
        raise Refused(_no_room(new.pool, pool))
    written = replace(known, capacity_bytes=new.capacity_bytes, content=new.content, owner=owner)
    return _with_volume(host, new.pool, new.name, written)


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
    if volume.overlay and (volume.format, pool.type) != ("qcow2", "dir"):
        reasons.append("only a qcow2 volume in a directory can lie over its image")
    if volume.format not in FORMATS[pool.type]:
        reasons.append(f"a {pool.type} pool holds no {volume.format} volumes")
    if volume.capacity_bytes > pool.free_bytes:
        reasons.append(_no_room(pool_name, pool))
    if reasons:
        raise Refused("; ".join(reasons))
    return with_pool(host, pool_name, replace(pool, volumes={**pool.volumes, name: volume}))


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


def remove(host: Host, pool_name: str, name: str) -> Host:
    """Take a volume away without a trace.

    Raises:
        Missing: there is no such volume.
    """
    named(host, pool_name, name)
    return with_pool(host, pool_name, without(host.pools[pool_name], name))


def check_unused(host: Host, pool: str, name: str) -> None:
    """Whether no domain uses the volume.

    Raises:
        Refused: one does.
    """
    if users := users_of(host, pool, name):
        message = f"it is in use by {', '.join(sorted(users))}"
        raise Refused(message)


def _unfit(new: NewVolume) -> Iterator[str]:
    if (new.format == "iso") != (new.seed is not None):
        yield "a seed, and nothing else, is made with first boot data"
    if new.overlay and new.image is None:
        yield "there is no image for it to lie over"


def without(pool: Pool, name: str) -> Pool:
    """The pool without a volume."""
    return replace(pool, volumes={k: v for k, v in pool.volumes.items() if k != name})


def with_pool(host: Host, name: str, pool: Pool) -> Host:
    """The host with this pool."""
    return replace(host, pools={**host.pools, name: pool})


def _with_volume(host: Host, pool_name: str, name: str, volume: Volume) -> Host:
    pool = host.pools[pool_name]
    return with_pool(host, pool_name, replace(pool, volumes={**pool.volumes, name: volume}))


def _no_room(name: str, pool: Pool) -> str:
    return f"pool {name} has {format_size(max(pool.free_bytes, 0))} left"
