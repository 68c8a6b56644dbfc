"""Files, directories and links of a host: put in place whole, and taken away again.

What was there before anything of ours was is kept (`originals`), so that it can come back.
"""

from __future__ import annotations

import os
import stat

from reconciler.drivers.ssh.onhost.accounts_files import rows
from reconciler.drivers.ssh.onhost.directory import Access, Directory, directory_of
from reconciler.drivers.ssh.onhost.host import Batch, Refused, shortened
from reconciler.drivers.ssh.onhost.originals import keep, restore

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

CHECK_SECONDS = 30.0
_ACCOUNTS, _GROUPS = "/etc/passwd", "/etc/group"
_UNTOLD = "what it says is not shown, because it may hold a secret"


def put_file(  # noqa: PLR0913 (the fields of the act)
    batch: Batch,
    *,
    path: str,
    content: str,
    mode: str,
    owner: str,
    group: str,
    check: Sequence[str] = (),
    is_secret: bool = False,
) -> None:
    """Make this the content of a file. One that is right already is not written again.

    Of a content that `is_secret` nothing is told, nor what the check says of it.

    Raises:
        Refused: something else is in the way, or the check does not like the content.
    """
    import hashlib

    data = content.encode()
    access = access_of(batch, mode, owner, group)
    directory, name = directory_of(batch, path)
    with directory:
        seen = directory.stat(name)
        _refuse(path, seen, stat.S_ISREG, stat.S_ISLNK)
        keep(batch, path, directory, name)
        is_right = seen is not None and access.is_of(seen)
        # What has a second name may be a file of another's: it is replaced, and never given away.
        is_shared = seen is not None and seen.st_nlink > 1 and not is_right
        if seen is None or is_shared or not _holds(directory, name, seen, data):
            with directory.begin(name, data, access) as begun:
                _check(batch, path, begun.temporary, check, is_secret=is_secret)
                begun.finish()
        elif not is_right:
            directory.set_access(name, access)
    batch.written[path] = hashlib.sha256(data).hexdigest()


def put_directory(batch: Batch, path: str, mode: str, owner: str, group: str) -> None:
    """Make a directory, or set its permissions right.

    Raises:
        Refused: something else is in the way.
    """
    access = access_of(batch, mode, owner, group)
    directory, name = directory_of(batch, path)
    with directory:
        seen = directory.stat(name)
        _refuse(path, seen, stat.S_ISDIR)
        keep(batch, path, directory, name)
        if seen is None:
            directory.make(name, access)
        elif not access.is_of(seen):
            directory.set_access(name, access)


def put_link(batch: Batch, path: str, target: str) -> None:
    """Make a symbolic link, in place of a file or a link that is there.

    Raises:
        Refused: something else is in the way.
    """
    directory, name = directory_of(batch, path)
    with directory:
        seen = directory.stat(name)
        _refuse(path, seen, stat.S_ISREG, stat.S_ISLNK)
        keep(batch, path, directory, name)
        is_link = seen is not None and stat.S_ISLNK(seen.st_mode)
        if not is_link or os.readlink(name, dir_fd=directory.fd) != target:
            directory.put_link(name, target)


def remove_path(batch: Batch, path: str, *, restores: bool = False) -> None:
    """Take a file, a link or an empty directory away, or put back what was there before us.

    Raises:
        Refused: it is something else, or a directory that is not empty.
    """
    try:
        directory, name = directory_of(batch, path)
    except Refused:
        return  # and so there is nothing of it
    with directory:
        if restores:
            restore(batch, path, directory, name)
            return
        _refuse(path, directory.stat(name), stat.S_ISREG, stat.S_ISLNK, stat.S_ISDIR)
        keep(batch, path, directory, name)
        _remove(path, directory, name)


def access_of(batch: Batch, mode: str, owner: str, group: str) -> Access:
    """Permissions as the kernel wants them.

    Raises:
        Refused: there is no such account or group here.
    """
    uid, gid = _number(batch, _ACCOUNTS, owner), _number(batch, _GROUPS, group)
    return Access(int(mode, 8), uid, gid)


def _remove(path: str, directory: Directory, name: str) -> None:
    seen = directory.stat(name)
    if seen is None:
        return
    if not stat.S_ISDIR(seen.st_mode):
        directory.remove(name)
    elif not directory.remove_directory(name):
        raise Refused(f"the directory {path} is not empty: empty it, or let it be there")


def _refuse(path: str, seen: os.stat_result | None, *may_be: object) -> None:
    if seen is None or any(test(seen.st_mode) for test in may_be if callable(test)):
        return
    what = "a directory" if stat.S_ISDIR(seen.st_mode) else "a special file"
    if stat.S_ISREG(seen.st_mode) or stat.S_ISLNK(seen.st_mode):
        what = "a file"
    raise Refused(f"{what} is in the way at {path}: move it away, or change the document")


def _holds(directory: Directory, name: str, seen: os.stat_result, data: bytes) -> bool:
    is_like = stat.S_ISREG(seen.st_mode) and seen.st_size == len(data)
    return is_like and directory.read(name) == data


def _check(
    batch: Batch, path: str, temporary: str, check: Sequence[str], *, is_secret: bool
) -> None:
    if not check:
        return
    new = batch.path(f"{path.rpartition('/')[0]}/{temporary}")
    ran = batch.run([word.replace("{}", new) for word in check], seconds=CHECK_SECONDS)
    if ran.code:
        said = shortened(f"{ran.stdout}\n{ran.stderr}".replace(new, path))
        cause = _UNTOLD if is_secret else said or f"exit code {ran.code}"
        raise Refused(
            f"{check[0]} refuses the new content of {path}, which stays as it is: {cause}"
        )


def _number(batch: Batch, listed: str, name: str) -> int:
    """The number of an account or a group, by the host's own lists and not by other machines'."""
    if name.isdigit():
        return int(name)
    for row in rows(batch.path(listed), 3):
        if row[0] == name:
            return int(row[2])
    what = "account" if listed == _ACCOUNTS else "group"
    raise Refused(f"there is no {what} {name} here: declare it, or the package that brings it")
