"""LVM volume groups and ZFS pools: made of empty devices, extended, and never taken apart."""

from __future__ import annotations

import os
import stat

from reconciler.drivers.ssh.onhost.host import Batch, Refused
from reconciler.drivers.ssh.onhost.look_storage import VGS, layouts_of, volume_groups_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# All others are properties of the file system at the top of the pool.
_OF_POOLS = frozenset(
    {
        "ashift",
        "autoexpand",
        "autoreplace",
        "autotrim",
        "bootfs",
        "cachefile",
        "comment",
        "compatibility",
        "delegation",
        "failmode",
        "listsnapshots",
        "multihost",
    }
)


def make_volume_group(batch: Batch, name: str, devices: Sequence[str]) -> None:
    """Make a volume group of empty devices, or add devices to it.

    Raises:
        Refused: there are no tools, or a device holds something.
    """
    _expect(batch, "vgs", "lvm2")
    found = volume_groups_of(batch.must(*VGS, what="list volume groups").stdout)
    group = found.get(name)
    here = {os.path.realpath(device) for device in group["devices"]} if group else set()
    new = [device for device in devices if os.path.realpath(device) not in here]
    _refuse_used(batch, new)
    if new:
        verb = "vgextend" if group else "vgcreate"
        # Without --yes: it asks where it finds something, and nobody answers.
        batch.must(verb, "--", name, *new, what=f"make volume group {name}")


def make_zpool(
    batch: Batch,
    name: str,
    layout: Sequence[str],
    properties: Sequence[Sequence[str]] = (),
) -> None:
    """Make a pool of empty devices. One that is there is never changed.

    Raises:
        Refused: there are no tools, a device holds something, or there is another pool.
    """
    _expect(batch, "zpool", "zfsutils-linux")
    listed = batch.must("zpool", "list", "-H", "-o", "name", what="list zpools").stdout.split()
    if name in listed:
        there = batch.must("zpool", "status", "-P", name, what=f"look at zpool {name}").stdout
        now = layouts_of(there).get(name, [])
        if now != list(layout):
            shown = " ".join(now)
            raise Refused(f"zpool {name} is made of {shown}: change the document, or it by hand")
        return
    _refuse_used(batch, [word for word in layout if word.startswith("/")])
    words = [word for key, value in properties for word in (_flag(key), f"{key}={value}")]
    batch.must("zpool", "create", *words, name, *layout, what=f"make zpool {name}")


def _flag(name: str) -> str:
    is_of_pool = name in _OF_POOLS or name.startswith("feature@")
    return "-o" if is_of_pool else "-O"


def _expect(batch: Batch, program: str, package: str) -> None:
    if not batch.has(program):
        raise Refused(f"there is no {program} here: declare the package {package}")


def _refuse_used(batch: Batch, devices: Iterable[str]) -> None:
    """Every device that is not known to be empty, with the reason, at once."""
    reasons = [f"{device} {why}" for device in devices for why in [_use(batch, device)] if why]
    if reasons:
        listed = "; ".join(reasons)
        raise Refused(f"{listed}: nothing was done; choose another, or empty it by hand (wipefs)")


def _use(batch: Batch, device: str) -> str:
    """What a device is used for, or nothing."""
    try:
        seen = os.stat(batch.path(device))  # noqa: PTH116 (pathlib is slow to import)
    except FileNotFoundError:
        return "is not there"
    if not stat.S_ISBLK(seen.st_mode):
        return "is no block device"
    rows = batch.must(
        *("lsblk", "--noheadings", "--raw", "--output", "NAME,TYPE,MOUNTPOINT", "--", device),
        what=f"look at {device}",
    ).stdout.splitlines()
    if len(rows) > 1:
        return "has parts (" + ", ".join(row.split()[0] for row in rows[1:]) + ")"
    signs = batch.must(
        *("wipefs", "--no-act", "--noheadings", "--output", "TYPE", "--", device),
        what=f"look at {device}",
    ).stdout.split()
    return f"holds {', '.join(signs)}" if signs else _probed(batch, device)


def _probed(batch: Batch, device: str) -> str:
    """What blkid finds, which knows other signs than wipefs; 2 says that it finds none."""
    ran = batch.run(["blkid", "--probe", "--output", "value", "--match-tag", "TYPE", "--", device])
    if ran.code not in {0, 2}:
        return f"cannot be read ({ran.complaint})"
    return f"holds {ran.stdout.split()[0]}" if ran.stdout.split() else ""
