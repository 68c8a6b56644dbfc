"""The directory that holds the mirror, and how it survives kills, broken objects and company.

    DIRECTORY/
        lock                 shared by every process, and child of one, that uses the mirror
        settings             what another git on this machine has to know
        repository.git       a link to the generation in use
        generation-1.git/    a bare repository; a new one is made aside and the link then replaced

Whoever gets the lock for itself alone knows that every lock file of git is left over from a
process that was killed, and takes it away.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reconciler.errors import SourceUnavailable

_LINK = "repository.git"
_GENERATION = re.compile(r"\Ageneration-(\d{1,9})\.git\Z")
_REF_CONTENT = re.compile(rb"\A(?:[0-9a-f]{40}|ref: refs/\S+)\n\Z")
_HALF_WRITTEN = ("tmp_", ".tmp-", "fast_import_crash_")
_PATIENCE_SECONDS = 10.0
_LOOK_AGAIN_SECONDS = 0.05
_PROBE_BYTES = 2**20


class Store:
    """One state directory of a mirror, open until `close`."""

    def __init__(self, directory: Path) -> None:
        """Open or make the directory, and clean it if nobody else uses it.

        Raises:
            SourceUnavailable: it cannot be made, read or written.
        """
        self.directory = directory.absolute()
        self._guard = threading.Lock()
        with self._understandable():
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.lock = os.open(
                self.directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
            )
        try:
            self.sweep()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the directory."""
        with self._guard:
            if self.lock >= 0:
                os.close(self.lock)
            self.lock = -1

    @property
    def current(self) -> Path | None:
        """The repository in use, or None before the first fetch succeeded."""
        link = self.directory / _LINK
        try:
            path = self.directory / os.readlink(link)  # noqa: PTH115 - the name, not the place
        except OSError:
            return None
        return path if path.is_dir() else None

    def fresh(self) -> Path:
        """A new directory for a repository that is not in use yet."""
        with self._understandable(), self._guard:
            number = max((number for number, _ in self._generations()), default=0) + 1
            path = self.directory / f"generation-{number}.git"
            path.mkdir(mode=0o700)
        return path

    def publish(self, path: Path) -> None:
        """Put a finished repository in use, in one step that a kill cannot tear."""
        with self._understandable():
            link = self.directory / ".tmp-link"
            link.unlink(missing_ok=True)
            link.symlink_to(path.name)
            sync_directory(path)
            link.replace(self.directory / _LINK)
            sync_directory(self.directory)

    def discard(self, path: Path) -> None:
        """Take away a repository that is not in use."""
        shutil.rmtree(path, ignore_errors=True)

    def put_aside(self, path: Path) -> Path:
        """Keep a repository that holds something worth a look, under a name nobody uses."""
        with self._understandable():
            aside = path.with_suffix(".broken")
            path.replace(aside)
        return aside

    def write_settings(self, text: str) -> Path:
        """Keep settings in a file that git processes read; gives its path."""
        path = self.directory / "settings"
        with self._understandable():
            if not path.exists() or path.read_text("utf-8") != text:
                part = self.directory / ".tmp-settings"
                part.write_text(text, "utf-8")
                part.replace(path)
        return path

    def check_writable(self) -> None:
        """See that there is room for a few records.

        Raises:
            SourceUnavailable: the disk is full or cannot be written.
        """
        path = self.directory / f".tmp-probe-{os.getpid()}-{threading.get_ident()}"
        with self._understandable():
            try:
                with path.open("wb") as file:
                    os.posix_fallocate(file.fileno(), 0, _PROBE_BYTES)
            finally:
                path.unlink(missing_ok=True)

    def sweep(self) -> bool:
        """Take away what killed processes left behind; False if others are at work here."""
        with self._understandable(), self.alone() as alone:
            if alone:
                self._sweep()
        return alone

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """Hold the lock alone, if nobody else has it; shared again afterwards in any case."""
        with self._guard:
            try:
                fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self._share()
                yield False
                return
            try:
                yield True
            finally:
                self._share()

    def _share(self) -> None:
        """Hold the lock together with others. Who has it alone has it for a moment only."""
        for _ in range(int(_PATIENCE_SECONDS / _LOOK_AGAIN_SECONDS)):
            try:
                fcntl.flock(self.lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                threading.Event().wait(_LOOK_AGAIN_SECONDS)
            else:
                return
        raise SourceUnavailable(
            f"{self.directory}: another process does not let go of it; end that process"
        )

    def _sweep(self) -> None:
        current = self.current
        for path in self.directory.glob(".tmp-*"):
            path.unlink(missing_ok=True)
        for _, path in list(self._generations()):
            if path != current:
                shutil.rmtree(path, ignore_errors=True)
        if current is not None:
            _take_away_left_overs(current)

    def _generations(self) -> Iterator[tuple[int, Path]]:
        for path in self.directory.iterdir():
            if (match := _GENERATION.match(path.name)) is not None:
                yield int(match[1]), path

    @contextmanager
    def _understandable(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise SourceUnavailable(
                f"{error.filename or self.directory}: {error.strerror}; give the state directory "
                "room and let this user read and write it"
            ) from error


def sync_directory(path: Path) -> None:
    """Make the names in a directory survive a power failure."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _take_away_left_overs(repository: Path) -> None:
    """Lock files, half written objects, and refs that a power failure emptied."""
    for folder, _, names in os.walk(repository):
        here = Path(folder)
        in_refs = "refs" in here.relative_to(repository).parts[:1]
        for name in names:
            path = here / name
            half_written = name.startswith(_HALF_WRITTEN) and not in_refs
            if name.endswith(".lock") or half_written or (in_refs and _is_torn(path)):
                path.unlink(missing_ok=True)


def _is_torn(ref: Path) -> bool:
    return _REF_CONTENT.match(ref.read_bytes()) is None
