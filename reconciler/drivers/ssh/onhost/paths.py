"""Paths on a host, walked so that nobody but root can lead us elsewhere.

A link on the way is followed if root made it (`/lib`, `/var/run`); one that another account made
could point at what only root may read.
"""

from __future__ import annotations

import os
import stat

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_MOST_LINKS = 40
CHUNK_BYTES = 1 << 20


class Untrusted(Exception):
    """A link on the way that another account than root made."""


def open_parent(path: str, root: str = "/") -> tuple[int, str]:
    """The directory that holds the last part of an absolute path, opened, and that part.

    Raises:
        Untrusted: a link of another account is on the way.
        OSError: there is no such directory.
    """
    todo = [part for part in path.split("/") if part not in {"", "."}]
    if ".." in todo or not todo:
        raise Untrusted(f"{path} is no path of a file")
    walked, links = [os.open(root, _DIRECTORY)], 0
    try:
        while len(todo) > 1:
            target = _enter(walked, todo.pop(0))
            if target is not None:
                links += 1
                if links > _MOST_LINKS:
                    raise Untrusted(f"too many links on the way to {path}")
                todo[:0] = [part for part in target.split("/") if part not in {"", "."}]
                if target.startswith("/"):
                    _leave(walked, keep=1)
        return os.dup(walked[-1]), todo[0]
    finally:
        _leave(walked, keep=0)


def _enter(walked: list[int], part: str) -> str | None:
    """Step into a directory; a link of root's is not entered, its target is given."""
    here = walked[-1]
    if part == "..":
        _leave(walked, keep=max(len(walked) - 1, 1))
        return None
    status = os.stat(part, dir_fd=here, follow_symlinks=False)
    if stat.S_ISLNK(status.st_mode):
        if status.st_uid not in {0, os.geteuid()}:
            raise Untrusted(f"{part} is a link that is not root's")
        return os.readlink(part, dir_fd=here)
    walked.append(os.open(part, _DIRECTORY, dir_fd=here))
    return None


def _leave(walked: list[int], keep: int) -> None:
    while len(walked) > keep:
        os.close(walked.pop())


def open_file(directory: int, name: str) -> int:
    """A regular file, opened for reading; a link, a pipe or a device is an error.

    Raises:
        Untrusted: it is something else.
        OSError: it cannot be opened.
    """
    file = os.open(name, _FILE, dir_fd=directory)
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise Untrusted(f"{name} is no regular file")
    return file


def read_small(path: str, limit_bytes: int = CHUNK_BYTES) -> bytes | None:
    """The beginning of a file that root made; None if there is none."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123 (pathlib takes longer to import than the look)
            return file.read(limit_bytes)
    except (FileNotFoundError, NotADirectoryError):
        return None


def lines_of(path: str) -> list[str]:
    """The lines of a file that root made, without blanks at their ends; none if there is none."""
    text = (read_small(path) or b"").decode(errors="replace")
    return [line.strip() for line in text.splitlines()]
