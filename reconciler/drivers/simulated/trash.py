"""What a host keeps of deleted volumes and of images, as pure functions from host to host."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count

from reconciler.drivers.refusal import Missing
from reconciler.drivers.simulated import volumes
from reconciler.drivers.simulated.state import Host, Pool, Trashed
from reconciler.ports.hypervisor import TrashedVolume


def volumes_of(host: Host) -> Iterator[TrashedVolume]:
    """What is in the trash of all pools, as the port shows it."""
    for pool_name, pool in host.pools.items():
        for trash_name, each in pool.trash.items():
            yield TrashedVolume(pool_name, each.name, trash_name, each.since, each.volume.owner)


def put(host: Host, pool_name: str, name: str, now: datetime) -> Host:
    """Move a volume to the trash of its pool, if it is there.

    Raises:
        Missing: there is no such pool.
        Refused: a domain uses it.
    """
    pool = volumes.pool_named(host, pool_name)
    if name not in pool.volumes:
        return host
    volumes.check_unused(host, pool_name, name)
    since = now.astimezone(UTC)
    names = (f"trash.{since:%Y%m%dT%H%M%S}.{number}.{name}" for number in count(1))
    free = next(each for each in names if each not in pool.trash)
    kept = {**pool.trash, free: Trashed(name, pool.volumes[name], since)}
    return volumes.with_pool(host, pool_name, replace(volumes.without(pool, name), trash=kept))


def restore(host: Host, pool_name: str, trash_name: str) -> Host:
    """Take a volume out of the trash.

    Raises:
        Missing: it is not in the trash.
        Refused: its name has been taken meanwhile.
    """
    pool = volumes.pool_named(host, pool_name)
    found = pool.trash.get(trash_name)
    if found is None:
        message = f"there is no {trash_name} in the trash of pool {pool_name}"
        raise Missing(message)
    there = volumes.with_pool(host, pool_name, _without(pool, {trash_name}))
    return volumes.put(there, pool_name, found.name, found.volume)


def purge(host: Host, pool_name: str, trash_name: str) -> Host:
    """Delete a volume of the trash, if it is there.

    Raises:
        Missing: there is no such pool.
    """
    pool = volumes.pool_named(host, pool_name)
    if trash_name not in pool.trash:
        return host
    return volumes.with_pool(host, pool_name, _without(pool, {trash_name}))


def tidy(
    host: Host, environment: str, trashed_before: datetime, images: frozenset[str] | None
) -> Host:
    """Delete what was trashed before, and images that neither a document nor an overlay needs.

    What carries no mark of the environment stays, and all images stay when `images` is None.
    """
    pools = {name: _emptied(pool, environment, trashed_before) for name, pool in host.pools.items()}
    needed = (host.images.keys() if images is None else images) | _overlaid(pools)
    kept = {checksum: name for checksum, name in host.images.items() if checksum in needed}
    if pools == host.pools and kept == host.images:
        return host
    return replace(host, pools=pools, images=kept)


def _emptied(pool: Pool, environment: str, before: datetime) -> Pool:
    old = {
        name
        for name, each in pool.trash.items()
        if each.volume.owner
        and each.volume.owner.environment == environment
        and each.since < before
    }
    return _without(pool, old)


def _overlaid(pools: Mapping[str, Pool]) -> frozenset[str]:
    """The checksums of images that some volume, in the trash or not, is of no use without."""
    found = [each for pool in pools.values() for each in pool.volumes.values()]
    found += [each.volume for pool in pools.values() for each in pool.trash.values()]
    return frozenset(each.image for each in found if each.overlay and each.image)


def _without(pool: Pool, names: set[str]) -> Pool:
    kept = {name: each for name, each in pool.trash.items() if name not in names}
    return replace(pool, trash=kept)
