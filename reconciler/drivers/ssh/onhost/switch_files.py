"""Files of the management path: kept as they are, and put back whatever is there by then."""

from __future__ import annotations

import binascii
import contextlib
import os
import re
import stat

from reconciler.drivers.ssh.onhost.switch_site import (
    beside,
    parent,
    sync_directory,
    write_whole,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from reconciler.drivers.ssh.onhost.switch_site import Site

LARGEST_BYTES = 4 * 1024**2
PROC_SYS = "/proc/sys/"
_OF_PARTS = re.compile(r"/[^/]+\.(?:netdev|network|service|socket|timer)\.d\Z")


def save(site: Site, path: str) -> dict[str, Any]:
    """What is at a path, as it can be put back.

    Raises:
        OSError: it cannot be read, or is nothing that could be put back.
    """
    real = site.root + path
    try:
        there = os.lstat(real)
    except (FileNotFoundError, NotADirectoryError):
        return {"type": "absent"}
    rights = {"mode": stat.S_IMODE(there.st_mode), "uid": there.st_uid, "gid": there.st_gid}
    if stat.S_ISLNK(there.st_mode):
        return {"type": "link", "target": os.readlink(real)}  # noqa: PTH115
    if stat.S_ISDIR(there.st_mode):
        return {"type": "directory", **rights}
    if not stat.S_ISREG(there.st_mode) or there.st_size > LARGEST_BYTES:
        raise OSError(f"{path} is too large, or no file, directory or link: it cannot be kept")
    with os.fdopen(os.open(real, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
        content = binascii.b2a_base64(file.read(), newline=False).decode()
    return {"type": "file", "content": content, **rights}


def put_back(site: Site, path: str, saved: dict[str, Any]) -> bool:
    """Make it what it was; False if it is that already.

    Raises:
        OSError: that cannot be done.
    """
    if save(site, path) == saved:
        return False
    real = site.root + path
    if saved["type"] == "absent":
        (os.rmdir if _is_directory(real) else os.unlink)(real)
        sync_directory(_without_folder_of_parts(parent(real)))
        return True
    os.makedirs(parent(real), exist_ok=True)  # noqa: PTH103
    {"file": _put_file, "link": _put_link, "directory": _put_directory}[saved["type"]](real, saved)
    return True


def _without_folder_of_parts(folder: str) -> str:
    """A folder for parts of one file (`br0.network.d`) goes with the last of them."""
    if _OF_PARTS.search(folder):
        with contextlib.suppress(OSError):
            os.rmdir(folder)  # noqa: PTH106
            return parent(folder)
    return folder


def _is_directory(real: str) -> bool:
    return stat.S_ISDIR(os.lstat(real).st_mode)


def _put_link(real: str, saved: dict[str, Any]) -> None:
    new = beside(real)
    os.symlink(saved["target"], new)  # noqa: PTH211
    os.replace(new, real)  # noqa: PTH105
    sync_directory(parent(real))


def _put_directory(real: str, saved: dict[str, Any]) -> None:
    os.makedirs(real, exist_ok=True)  # noqa: PTH103
    os.chown(real, saved["uid"], saved["gid"])
    os.chmod(real, saved["mode"])  # noqa: PTH101


def _put_file(real: str, saved: dict[str, Any]) -> None:
    content = binascii.a2b_base64(saved["content"])
    try:
        if PROC_SYS in real:
            raise OSError("nothing can be renamed there")
        write_whole(real, content, saved["mode"], (saved["uid"], saved["gid"]))
    except OSError:
        _put_in_place(real, content, saved)


def _put_in_place(real: str, content: bytes, saved: dict[str, Any]) -> None:
    """Where there is no room for a second file, overwriting is better than nothing."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
    with os.fdopen(os.open(real, flags, saved["mode"]), "wb") as file:
        file.write(content)
        file.flush()
        if PROC_SYS not in real:
            os.fchown(file.fileno(), saved["uid"], saved["gid"])
            os.fchmod(file.fileno(), saved["mode"])
            os.fsync(file.fileno())


# ----------------------------------------------- what the services ran with when all was well


def confirmed_name(path: str) -> str:
    """The file of the switch that keeps it, while there is another content."""
    return f"confirmed-{binascii.crc32(path.encode()):08x}-{path.rpartition('/')[2][-80:]}.json"


def confirmed(site: Site, path: str, services: dict[str, Any]) -> dict[str, Any]:
    """What a file said when the services last read it and all was well.

    That is what is there, unless something else was kept and no service was started since.

    Raises:
        OSError: what is there cannot be kept.
    """
    kept = site.read(confirmed_name(path))
    if kept and kept["path"] == path and not _were_started(kept["services"], services):
        return dict(kept["saved"])
    return save(site, path)


def keep_confirmed(site: Site, path: str, saved: dict[str, Any], services: dict[str, Any]) -> None:
    """Remember it until a change of a service that reads it was confirmed."""
    runs = {unit: each["run"] for unit, each in services.items()}
    site.write(confirmed_name(path), {"path": path, "saved": saved, "services": runs})


def forget_confirmed(site: Site, path: str) -> None:
    """What is there now is what the services run with."""
    site.remove(confirmed_name(path))


def _were_started(before: dict[str, str], now: dict[str, Any]) -> bool:
    """Whether a service is in another run than it was: it has read its files since."""
    return any(each["run"] and before.get(unit) != each["run"] for unit, each in now.items())
