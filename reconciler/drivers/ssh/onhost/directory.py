"""A directory of a host in which something is changed: wholly, durably, and in it alone.

It is entered once, step by step, and everything after happens in what was entered, wherever its
path may lead by then.
"""

from __future__ import annotations

import os
import stat

from reconciler.drivers.ssh.onhost.host import Refused
from reconciler.drivers.ssh.onhost.paths import open_file, open_parent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from reconciler.drivers.ssh.onhost.host import Batch

TEMPORARY = ".reconciler-new-"
_ENTER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_SEE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_NAME_LENGTH = 200


class Access:
    """Who may do what with a file: its permissions, and the numbers of its owner and its group."""

    __slots__ = ("gid", "mode", "uid")

    def __init__(self, mode: int, uid: int, gid: int) -> None:
        self.mode = mode
        self.uid = uid
        self.gid = gid

    @classmethod
    def of(cls, seen: os.stat_result) -> Access:
        """That of a thing that is there."""
        return cls(stat.S_IMODE(seen.st_mode), seen.st_uid, seen.st_gid)

    def is_of(self, seen: os.stat_result) -> bool:
        """Whether a thing has it."""
        there = Access.of(seen)
        return (there.mode, there.uid, there.gid) == (self.mode, self.uid, self.gid)


class Directory:
    """A directory that was entered."""

    __slots__ = ("fd", "path")

    def __init__(self, fd: int, path: str) -> None:
        """`fd` is closed at the end of the `with`; `path` is what people are told."""
        self.fd = fd
        self.path = path.rstrip("/")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self.fd)

    def stat(self, name: str) -> os.stat_result | None:
        """What is there of that name: itself, not what it links to."""
        try:
            return os.stat(name, dir_fd=self.fd, follow_symlinks=False)
        except FileNotFoundError:
            return None

    def read(self, name: str) -> bytes:
        """The content of a regular file.

        Raises:
            Untrusted: it is something else.
        """
        with os.fdopen(open_file(self.fd, name), "rb") as stream:
            return stream.read()

    def begin(self, name: str, content: bytes, access: Access) -> Begun:
        """Write a new content beside a file, to be looked at before it is put in place."""
        begun = self._begun(name)
        try:
            fd = os.open(begun.temporary, _CREATE, 0o600, dir_fd=self.fd)
            with os.fdopen(fd, "wb") as stream:
                stream.write(content)
                stream.flush()
                # In this order: a change of owner takes some permissions away.
                os.fchown(fd, access.uid, access.gid)
                os.fchmod(fd, access.mode)
                os.fsync(fd)
        except BaseException:
            begun.drop()
            raise
        return begun

    def put(self, name: str, content: bytes, access: Access) -> None:
        """Make this the content of a file: it has the old one or the new one, and never half."""
        with self.begin(name, content, access) as begun:
            begun.finish()

    def put_link(self, name: str, target: str) -> None:
        """Make a symbolic link, in place of what is there."""
        with self._begun(name) as begun:
            os.symlink(target, begun.temporary, dir_fd=self.fd)
            begun.finish()

    def make(self, name: str, access: Access) -> None:
        """Make a directory, not open to others before it has the right owner."""
        os.mkdir(name, 0o700, dir_fd=self.fd)
        self.set_access(name, access)
        os.fsync(self.fd)

    def rename(self, name: str, new: str) -> None:
        """Give a file that is safe on the disk another name, in place of what has that."""
        os.rename(name, new, src_dir_fd=self.fd, dst_dir_fd=self.fd)
        os.fsync(self.fd)

    def remove(self, name: str) -> None:
        """Take a file or a link away, if it is there."""
        try:
            os.unlink(name, dir_fd=self.fd)
        except FileNotFoundError:
            return
        os.fsync(self.fd)

    def remove_directory(self, name: str) -> bool:
        """Take an empty directory away; False if it is not empty."""
        import errno

        try:
            os.rmdir(name, dir_fd=self.fd)
        except OSError as error:
            if error.errno in {errno.ENOTEMPTY, errno.EEXIST, errno.EBUSY}:
                return False
            raise
        os.fsync(self.fd)
        return True

    def set_access(self, name: str, access: Access) -> None:
        """Set the permissions of a file or a directory right."""
        fd = os.open(name, _SEE, dir_fd=self.fd)
        try:
            os.fchown(fd, access.uid, access.gid)
            os.fchmod(fd, access.mode)
        finally:
            os.close(fd)

    def enter(self, name: str) -> Directory:
        """A directory in this one.

        Raises:
            Refused: it is none.
        """
        try:
            fd = os.open(name, _ENTER, dir_fd=self.fd)
        except (NotADirectoryError, FileNotFoundError):
            raise Refused(f"{self.path}/{name} is not a directory") from None
        return Directory(fd, f"{self.path}/{name}")

    def _begun(self, name: str) -> Begun:
        self._sweep()
        # The end of the name stays: some programs go by it.
        return Begun(self.fd, f"{TEMPORARY}{os.urandom(4).hex()}-{name[-_NAME_LENGTH:]}", name)

    def _sweep(self) -> None:
        """Take away what a writer left that was killed: there is one writer at a time."""
        for name in os.listdir(self.fd):  # noqa: PTH208 (of a descriptor)
            seen = self.stat(name) if name.startswith(TEMPORARY) else None
            if seen is not None and not stat.S_ISDIR(seen.st_mode):  # we leave no directories
                os.unlink(name, dir_fd=self.fd)


class Begun:
    """Something new that lies beside what it is to replace, and is gone unless it is finished."""

    __slots__ = ("_fd", "_name", "temporary")

    def __init__(self, fd: int, temporary: str, name: str) -> None:
        """`temporary` is its name until then, in the directory `fd`."""
        self._fd = fd
        self._name = name
        self.temporary = temporary

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None:
            self.drop()

    def finish(self) -> None:
        """Put it in place."""
        os.rename(self.temporary, self._name, src_dir_fd=self._fd, dst_dir_fd=self._fd)
        os.fsync(self._fd)

    def drop(self) -> None:
        """Leave nothing of it."""
        try:
            os.unlink(self.temporary, dir_fd=self._fd)
        except FileNotFoundError:
            return


def directory_of(batch: Batch, path: str) -> tuple[Directory, str]:
    """The directory that a path of the host is in, and its name there.

    Raises:
        Refused: the directory is not there.
        Untrusted: a link on the way is not root's.
    """
    above = path.rpartition("/")[0] or "/"
    try:
        fd, name = open_parent(path, batch.root)
    except (FileNotFoundError, NotADirectoryError):
        message = f"the directory {above} of {path} is not there: declare it, or what brings it"
        raise Refused(message) from None
    return Directory(fd, above), name


def put_own(batch: Batch, path: str, lines: list[str]) -> None:
    """Make these the lines of a file that is wholly ours; without any, there is no file.

    The directory is made if a package has not made it yet.
    """
    os.makedirs(batch.path(path.rpartition("/")[0]), exist_ok=True)  # noqa: PTH103 (slow to import)
    directory, name = directory_of(batch, path)
    with directory:
        if lines:
            header = "# Written by reconciler; what is changed here by hand is lost.\n"
            content = header + "".join(f"{line}\n" for line in lines)
            directory.put(name, content.encode(), owned_by_us(0o644))
        else:
            directory.remove(name)


def owned_by_us(mode: int) -> Access:
    """What belongs to the account that these modules run as, which on a host is root."""
    return Access(mode, os.geteuid(), os.getegid())
