"""New objects and refs that survive a power failure, names included.

Git syncs the files it writes (`core.fsync=all`) but not the directories that name them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reconciler.errors import SourceUnavailable
from reconciler.gitops.store import sync_directory


@contextmanager
def durable(repository: Path, ref: str) -> Iterator[None]:
    """When this ends, what was written inside to the object database and to `ref` is on the disk.

    Raises:
        SourceUnavailable: the disk does not take it.
    """
    try:
        before = _changed(repository)
        yield
        now = _changed(repository)
        for path, time in now.items():
            if before.get(path) != time:
                sync_directory(path)
        for path in (repository / ref).parents:
            if path == repository.parent:
                break
            if path.is_dir():
                sync_directory(path)
    except OSError as error:
        raise SourceUnavailable(
            f"{error.filename or repository}: {error.strerror}; check the state directory's disk"
        ) from error


def _changed(repository: Path) -> dict[Path, int]:
    """When each directory of objects was last changed."""
    objects = repository / "objects"
    times = {objects: objects.stat().st_mtime_ns}
    with os.scandir(objects) as found:
        times |= {Path(each.path): each.stat().st_mtime_ns for each in found if each.is_dir()}
    return times
