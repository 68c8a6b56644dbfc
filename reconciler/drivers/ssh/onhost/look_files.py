"""Questions about files: what is at a path, never at what a link points to."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator

from reconciler.drivers.ssh.onhost.accounts_files import names_by_number
from reconciler.drivers.ssh.onhost.paths import CHUNK_BYTES, Untrusted, open_file, open_parent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from reconciler.drivers.ssh.onhost.remembered import Remembered

LARGEST_TEXT_BYTES = 64 * 1024
LARGEST_READ_BYTES = 64 << 20
_UNTOLD = {"type": "other", "mode": "0000", "owner": "", "group": "", "size_bytes": 0}


def files(
    questions: list[dict[str, Any]], known: Remembered
) -> Iterator[dict[str, Any] | Exception | None]:
    """The answers about files."""
    names = (
        names_by_number(known.path("/etc/passwd")),
        names_by_number(known.path("/etc/group")),
    )
    for question in questions:
        try:
            yield _file(question, known, names)
        except (FileNotFoundError, NotADirectoryError):
            yield None
        except Untrusted:
            yield _UNTOLD
        except (OSError, ValueError) as error:
            yield error


def _file(
    question: dict[str, Any], known: Remembered, names: tuple[dict[int, str], dict[int, str]]
) -> dict[str, Any]:
    directory, name = open_parent(question["name"], known.root)
    try:
        status = os.stat(name, dir_fd=directory, follow_symlinks=False)
        fact = _told(status, names)
        if stat.S_ISLNK(status.st_mode):
            fact["target"] = os.readlink(name, dir_fd=directory)
        elif stat.S_ISREG(status.st_mode):
            file = open_file(directory, name)
            try:
                fact.update(_content(file, question, known))
            finally:
                os.close(file)
        return fact
    finally:
        os.close(directory)


def _told(status: os.stat_result, names: tuple[dict[int, str], dict[int, str]]) -> dict[str, Any]:
    kinds = {stat.S_IFREG: "file", stat.S_IFDIR: "directory", stat.S_IFLNK: "link"}
    return {
        "type": kinds.get(stat.S_IFMT(status.st_mode), "other"),
        "mode": f"{stat.S_IMODE(status.st_mode):04o}",
        "owner": names[0].get(status.st_uid, str(status.st_uid)),
        "group": names[1].get(status.st_gid, str(status.st_gid)),
        "size_bytes": status.st_size,
    }


def _content(file: int, question: dict[str, Any], known: Remembered) -> dict[str, Any]:
    plain, text = read_sum(file)
    told: dict[str, Any] = {"is_sealed": plain == known.seal("file", question["name"])}
    if question["name"] not in known.public_files():
        told["sum"] = keyed(plain, known)
    else:
        told["sum"] = plain
        if text is not None:
            told["content"] = text
    return told


def read_sum(file: int) -> tuple[str, str | None]:
    """The sha256 of an open file, and its text if it is a short one.

    One that is so large that reading it would take all the time of a look is known by its size and
    the time it was written: whoever may write it could make it as large as he likes.
    """
    digest, first, size = hashlib.sha256(), b"", 0
    while True:
        if size > LARGEST_READ_BYTES:
            return _sum_unread(file), None
        chunk = os.read(file, CHUNK_BYTES)
        if not chunk:
            break
        digest.update(chunk)
        first = chunk if size == 0 else first
        size += len(chunk)
    if size > LARGEST_TEXT_BYTES or len(first) != size:
        return digest.hexdigest(), None
    try:
        return digest.hexdigest(), first.decode()
    except UnicodeDecodeError:
        return digest.hexdigest(), None


def _sum_unread(file: int) -> str:
    seen = os.fstat(file)
    told = f"{seen.st_dev} {seen.st_ino} {seen.st_size} {seen.st_mtime_ns} {seen.st_ctime_ns}"
    return hashlib.sha256(told.encode()).hexdigest()


def keyed(plain: str, known: Remembered) -> str:
    """A sum that says nothing about a content that is easy to guess."""
    import hmac

    return hmac.new(known.secret_key(), plain.encode(), "sha256").hexdigest()
