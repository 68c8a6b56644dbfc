"""A small file that several processes share: replaced whole, by one writer at a time."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

LOCK_DEADLINE = timedelta(seconds=10)
LOCK_PAUSE_SECONDS = 0.02


@contextmanager
def locked(
    path: Path, sleep: Callable[[float], None], deadline: timedelta = LOCK_DEADLINE
) -> Iterator[None]:
    """Keep other writers of the file away meanwhile, by a lock file beside it.

    Raises:
        OSError: the lock cannot be had, or (TimeoutError) another process does not let go of it.
    """
    lock = path.with_name(f".{path.name}.lock")
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        _wait_for(descriptor, lock, sleep, deadline)
        yield
    finally:
        os.close(descriptor)


def replace_file(path: Path, content: bytes) -> None:
    """Put new content in the file's place: readers see the old or the new, even after a power cut.

    Raises:
        OSError: it cannot be written; the file is then as it was.
    """
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        if path.exists():
            shutil.copymode(path, temporary)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    _sync_directory(path.parent)


def _wait_for(
    descriptor: int, lock: Path, sleep: Callable[[float], None], deadline: timedelta
) -> None:
    for _ in range(round(deadline.total_seconds() / LOCK_PAUSE_SECONDS)):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sleep(LOCK_PAUSE_SECONDS)
        else:
            return
    raise TimeoutError(f"another process keeps {lock} locked; stop that one")


def _sync_directory(path: Path) -> None:
    """Make a rename in it survive a loss of power."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
