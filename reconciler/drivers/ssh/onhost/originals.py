"""What was at a path before anything of ours was, kept on the host so that it can come back.

`originals/<name>.json` is `{"path", "type", "mode", "uid", "gid", "content", "target"}`; of type
`absent` if nothing was there. The record is made before the first change and lives until the path
is forgotten.
"""

from __future__ import annotations

import json
import os
import stat

from reconciler.drivers.ssh.onhost.directory import Access, Directory
from reconciler.drivers.ssh.onhost.host import Batch, Refused
from reconciler.drivers.ssh.onhost.state import OURS, is_marked, opened

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LARGEST_BYTES = 4 << 20
_FOLDER = "originals"


def keep(batch: Batch, path: str, directory: Directory, name: str) -> None:
    """Remember what is there, if nothing of ours has been there yet.

    Raises:
        Refused: it is too large to be kept.
    """
    with opened(batch, _FOLDER) as folder:
        record = _record(path)
        if folder.stat(record) is None and not is_marked(batch, "file", path):
            folder.put(record, _told(path, directory, name), OURS)


def restore(batch: Batch, path: str, directory: Directory, name: str) -> None:
    """Put back what was there; if that was nothing, or is not known, nothing is there then.

    A directory that holds something stays, and whatever it holds.

    Raises:
        Refused: a directory is now in the way.
    """
    was = _read(batch, path)
    seen = directory.stat(name)
    if seen is not None and stat.S_ISDIR(seen.st_mode):
        _leave_directory(path, was, directory, name)
    elif was["type"] == "file":
        import base64

        directory.put(name, base64.b64decode(was["content"]), _access(was))
    elif was["type"] == "link":
        directory.put_link(name, was["target"])
    else:
        directory.remove(name)


def forget(batch: Batch, path: str) -> None:
    """Let go of what was kept."""
    with opened(batch, _FOLDER) as folder:
        folder.remove(_record(path))


def _leave_directory(path: str, was: dict[str, Any], directory: Directory, name: str) -> None:
    if was["type"] == "directory":
        directory.set_access(name, _access(was))
    elif was["type"] == "absent":
        directory.remove_directory(name)
    else:
        raise Refused(f"a directory is in the way of what was at {path}: move it away")


def _read(batch: Batch, path: str) -> dict[str, Any]:
    with opened(batch, _FOLDER) as folder:
        if folder.stat(_record(path)) is None:
            return {"type": "absent"}
        kept: dict[str, Any] = json.loads(folder.read(_record(path)))
        return kept


def _told(path: str, directory: Directory, name: str) -> bytes:
    seen = directory.stat(name)
    told: dict[str, Any] = {"path": path, "type": "absent"}
    if seen is not None:
        told.update(mode=stat.S_IMODE(seen.st_mode), uid=seen.st_uid, gid=seen.st_gid)
        told.update(_content(path, seen, directory, name))
    return json.dumps(told).encode()


def _content(path: str, seen: os.stat_result, directory: Directory, name: str) -> dict[str, str]:
    if stat.S_ISLNK(seen.st_mode):
        return {"type": "link", "target": os.readlink(name, dir_fd=directory.fd)}
    if stat.S_ISDIR(seen.st_mode):
        return {"type": "directory"}
    if seen.st_size > LARGEST_BYTES:
        raise Refused(f"{path} is larger than 4 MiB and could not be put back: move it away first")
    import base64

    return {"type": "file", "content": base64.b64encode(directory.read(name)).decode()}


def _access(was: dict[str, Any]) -> Access:
    return Access(was["mode"], was["uid"], was["gid"])


def _record(path: str) -> str:
    import hashlib

    return hashlib.sha256(path.encode()).hexdigest()[:32] + ".json"
