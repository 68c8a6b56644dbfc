"""What the storage of one host must not say about itself: one place or device for two things."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations

from reconciler.config.base import MountField, PoolField
from reconciler.config.documents import Host
from reconciler.model.position import Position, Problem

DEVICES = "/dev/"
_SYSTEM = (  # what a host runs on, and what lets us in; above and below them nothing is mounted
    *("/bin", "/dev", "/etc", "/lib", "/lib32", "/lib64", "/libx32", "/proc", "/root", "/sbin"),
    *("/sys", "/run/sshd", "/run/systemd", "/usr/bin", "/usr/lib", "/usr/lib64", "/usr/sbin"),
    "/var/lib/dpkg",
)
_EXAMPLES = {
    "directory": "write a path such as /var/lib/libvirt/images",
    "lvm": "write the name of a volume group such as vms",
    "zfs": "write a pool or dataset such as z0/vms",
}
At = Callable[..., Position]


def storage_problems(host: Host, at: At) -> Iterator[Problem]:
    """Everything that is wrong with mounts, pools and devices."""
    yield from _target_problems(host, at)
    yield from _mount_problems(host, at)
    yield from _mount_circles(host, at)
    yield from _shared_devices(host, at)
    yield from _shared_pools(host, at)


def _target_problems(host: Host, at: At) -> Iterator[Problem]:
    types = {file.path: file.type for file in host.files}
    for pool in host.pools:
        position = at("pools", pool.name, "target")
        if (pool.type == "directory") != pool.target.startswith("/"):
            wanted = "an absolute path" if pool.type == "directory" else "a name without / in front"
            what = f"the target of {pool.type} pool {pool.name} must be {wanted}"
            yield Problem(position, what, _EXAMPLES[pool.type])
        if (kind := types.get(pool.target, "directory")) != "directory":
            what = f"pool {pool.name} of host {host.name} needs a directory at {pool.target}"
            remedy = f"a file of type {kind} is declared there, at {at('files', pool.target)}"
            yield Problem(position, what, remedy)


def _mount_problems(host: Host, at: At) -> Iterator[Problem]:
    types = {file.path: file.type for file in host.files}
    for mount in host.mounts:
        position = at("mounts", mount.path)
        if _is_of_system(mount.path):
            what = f"host {host.name} would mount over {mount.path}, which the system needs"
            yield Problem(position, what, "choose another place")
        if mount.path.startswith("/var/lib/reconciler"):
            yield Problem(
                position, f"{mount.path} is kept for our own notes", "choose another place"
            )
        for path, kind in sorted(types.items()):
            if kind != "directory" and (path == mount.path or mount.path.startswith(f"{path}/")):
                what = f"mount {mount.path} of host {host.name} needs a directory at {path}"
                remedy = f"a file of type {kind} is declared there, at {at('files', path)}"
                yield Problem(position, what, remedy)


def _is_of_system(path: str) -> bool:
    """Whether something mounted there would hide what the system, or our way in, lives on."""
    pairs = ((f"{path}/", f"{each}/") for each in _SYSTEM)
    return any(mine.startswith(its) or its.startswith(mine) for mine, its in pairs)


def _mount_circles(host: Host, at: At) -> Iterator[Problem]:
    """Mounts whose sources lie in each other, and so could never be the first."""
    for mount, other in combinations(host.mounts, 2):
        if _lies_in(mount.source, other) and _lies_in(other.source, mount):
            what = f"mounts {mount.path} and {other.path} of host {host.name} need each other"
            remedy = f"change one of them; the other is at {at('mounts', mount.path)}"
            yield Problem(at("mounts", other.path), what, remedy)


def _lies_in(source: str, mount: MountField) -> bool:
    return f"{source}/".startswith(f"{mount.path}/")


def _shared_devices(host: Host, at: At) -> Iterator[Problem]:
    takers: dict[str, tuple[str, Position]] = {}
    for device, taker, position in _devices(host, at):
        if device in takers:
            other, where = takers[device]
            who = f"{taker} and {other}" if taker != other else f"{taker} twice"
            what = f"device {device} of host {host.name} is taken by {who}"
            yield Problem(position, what, f"name another; the other is at {where}")
        takers.setdefault(device, (taker, position))


def _devices(host: Host, at: At) -> Iterator[tuple[str, str, Position]]:
    """Each device that something takes wholly, with the taker and where it is written."""
    for group in host.volume_groups:
        position = at("volume_groups", group.name)
        for device in group.devices:
            yield device, f"volume group {group.name}", position
    for zpool in host.zpools:
        position = at("zpools", zpool.name)
        for device in (each for each in zpool.layout if each.startswith(DEVICES)):
            yield device, f"zpool {zpool.name}", position
    for mount in host.mounts:
        if mount.source.startswith(DEVICES):
            yield mount.source, f"mount {mount.path}", at("mounts", mount.path)


def _shared_pools(host: Host, at: At) -> Iterator[Problem]:
    for pool, other in combinations(host.pools, 2):
        if pool.name == other.name or pool.type != other.type:
            continue
        if _holds(pool, other) or _holds(other, pool):
            what = (
                f"pools {pool.name} and {other.name} of host {host.name} are in each other: "
                f"{pool.target}, {other.target}"
            )
            remedy = f"choose another target; the other is at {at('pools', pool.name)}"
            yield Problem(at("pools", other.name), what, remedy)


def _holds(pool: PoolField, other: PoolField) -> bool:
    return f"{other.target}/".startswith(f"{pool.target.rstrip('/')}/")
