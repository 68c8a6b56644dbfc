"""What a host is told to do with volumes where libvirt cannot: one command for each sort of pool.

The commands for LVM and ZFS follow their manuals; no lab of ours has a kernel that runs them.
"""

from __future__ import annotations

from reconciler.drivers.libvirt_.pools import Pool
from reconciler.drivers.refusal import Refused

ZFS_UNIT_BYTES = 1024 * 1024

# The rename is synced: after a loss of power the mark must not name what has gone back.
_MOVE = """\
set -eu
if [ -e "$2" ] || [ -L "$2" ]; then
    echo "there is a $2 already" >&2
    exit 1
fi
mv -nT -- "$1" "$2"
sync -- "$(dirname -- "$2")"
"""


def renaming(pool: Pool, path: str, old: str, new: str) -> list[str]:
    """The command that renames a volume. `path` is where it is under its old name.

    Raises:
        Refused: volumes of such a pool cannot be renamed.
    """
    if pool.holds_files:
        directory, _, file = path.rpartition("/")
        if file != old or not directory:
            raise Refused(f"volume {old} is at {path}, and a file of another name is not moved")
        return ["sh", "-c", _MOVE, "reconciler", path, f"{directory}/{new}"]
    if pool.type == "logical":
        return ["lvrename", pool.source, old, new]
    if pool.type == "zfs":
        return ["zfs", "rename", f"{pool.source}/{old}", f"{pool.source}/{new}"]
    raise Refused(f"volumes of a {pool.type} pool cannot be renamed")


def growing(pool: Pool, name: str, capacity_bytes: int) -> list[str] | None:
    """The command that makes a volume larger; None where libvirt does it itself."""
    if pool.type == "logical":
        return ["lvextend", "--size", f"{capacity_bytes}b", f"{pool.source}/{name}"]
    if pool.type == "zfs":
        return [
            "zfs",
            "set",
            f"volsize={whole_units(pool, capacity_bytes)}",
            f"{pool.source}/{name}",
        ]
    return None


def filling(pool: Pool, image_path: str, image_format: str, path: str) -> list[str] | None:
    """The command that copies an image into an empty volume; None where libvirt does it itself."""
    if pool.type == "zfs":
        formats = ["-f", image_format, "-O", "raw"]
        return ["qemu-img", "convert", "-n", *formats, "--", image_path, path]
    return None


def whole_units(pool: Pool, capacity_bytes: int) -> int:
    """The size to ask for: ZFS refuses what is no whole number of its blocks."""
    if pool.type != "zfs":
        return capacity_bytes
    return -(-capacity_bytes // ZFS_UNIT_BYTES) * ZFS_UNIT_BYTES
