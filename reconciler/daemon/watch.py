"""Seeing pushes to local repositories as they happen. A hint only: the poll is the truth.

git renames a lock file over the ref that it moves, so one push is one rename below `refs`, or one
of `packed-refs`. Our own refs (the journal, the notes) move too and are left out.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from watchdog.events import FileMovedEvent, FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer

_log = logging.getLogger(__name__)

OWN_REFS = ("refs/heads/reconciler/", "refs/notes/")
_FLAT = frozenset({"packed-refs", "HEAD"})
_JOIN_SECONDS = 5.0


def local_git_directory(url: str) -> Path | None:
    """The git directory behind a repository's URL; None if it is not on this machine."""
    if "://" in url and not url.startswith("file://"):
        return None
    root = Path(url.removeprefix("file://"))
    return next((path for path in (root / ".git", root) if (path / "refs").is_dir()), None)


@contextmanager
def watching(
    git_directories: Iterable[Path], wake: Callable[[], None], own: tuple[str, ...] = OWN_REFS
) -> Iterator[None]:
    """While inside, `wake` is called when a ref of one of the repositories moves.

    What cannot be watched is left to the poll: a directory that is not there or vanishes, a
    kernel that is out of inotify watches.
    """
    # watchdog warns of its own race when folders of refs appear in quick succession. Where warnings
    # are errors that would end its thread.
    warnings.filterwarnings("ignore", "Callback with id", RuntimeWarning)
    observer = Observer()
    observer.start()
    for directory in git_directories:
        handler = _RefMoves(directory, wake, own)
        try:
            for path, deep in ((directory / "refs", True), (directory, False)):
                observer.schedule(handler, path, recursive=deep, event_filter=[FileMovedEvent])
        except OSError as error:
            _log.warning("%s cannot be watched and is only polled: %s", directory, error)
    try:
        yield
    finally:
        observer.stop()
        observer.join(_JOIN_SECONDS)


class _RefMoves(FileSystemEventHandler):
    """Calls `wake` for moves of refs that are not our own."""

    def __init__(self, directory: Path, wake: Callable[[], None], own: tuple[str, ...]) -> None:
        self._directory = directory
        self._wake = wake
        self._own = own

    def on_moved(self, event: FileSystemEvent) -> None:
        path = Path(str(event.dest_path))
        if not path.is_relative_to(self._directory):
            return
        ref = path.relative_to(self._directory).as_posix()
        if ref in _FLAT or (ref.startswith("refs/") and not ref.startswith(self._own)):
            self._wake()
