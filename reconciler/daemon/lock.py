"""One process per state directory, by a lock that the kernel gives back however we end."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reconciler.errors import Conflict, Denied

_PID_DIGITS = 20


@contextmanager
def state_lock(directory: Path) -> Iterator[None]:
    """Hold the state directory for this process; it is made, for its owner only, if absent.

    Raises:
        Conflict: another process holds it.
        Denied: others may read or write it, or it is not a directory of ours to lock.
    """
    path = directory / "lock"
    _make_private(directory)
    try:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(path, flags, 0o600)
    except OSError as error:
        raise Denied(str(path), "lock the state directory", error.strerror or "") from error
    try:
        _lock(descriptor, path)
        yield
    finally:
        os.close(descriptor)


def _make_private(directory: Path) -> None:
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = directory.stat()
    except OSError as error:
        what = f"{error.strerror}; create it, or choose another state_directory"
        raise Denied(str(directory), "use as the state directory", what) from error
    if status.st_mode & 0o077:
        what = f"others may use it (mode {status.st_mode & 0o777:04o}); chmod 700 {directory}"
        raise Denied(str(directory), "use as the state directory", what)
    if status.st_uid not in (os.geteuid(), 0):
        what = f"it belongs to user {status.st_uid}; chown it, or choose another state_directory"
        raise Denied(str(directory), "use as the state directory", what)


def _lock(descriptor: int, path: Path) -> None:
    """Take the lock and leave our process id in the file, for whoever comes second."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.pread(descriptor, _PID_DIGITS, 0).decode("ascii", "replace").strip()
        what = (
            f"process {holder or '(unknown)'} holds it; stop that process, or wait until it is done"
        )
        raise Conflict(str(path), "lock the state directory", what) from error
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
