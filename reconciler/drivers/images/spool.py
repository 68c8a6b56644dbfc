"""The spool: each image once on this machine, on its way to the hosts.

A file of the spool bears the checksum it was found to have, and only whole files get such a name:
an image is written beside it, hashed meanwhile, judged, put to disk, and then renamed.
"""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO

from reconciler.drivers.images.header import FOOTER_BYTES, HEADER_BYTES, inspect
from reconciler.drivers.images.local import HERE, copy_file
from reconciler.drivers.images.rules import ImageRules
from reconciler.drivers.images.web import Web
from reconciler.drivers.refusal import Refused
from reconciler.drivers.sharedfile import locked
from reconciler.errors import Conflict, Denied, Unreachable
from reconciler.ports.hypervisor import ImageSource

PART = ".part"
LEFTOVER_AGE = timedelta(days=1)
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@dataclass(frozen=True, slots=True)
class SpooledImage:
    """A file of the spool that is what its source says: checksum, format, and no other file."""

    path: Path
    size_bytes: int
    disk_bytes: int


@dataclass(frozen=True, slots=True)
class ImageSpool:
    """The images in a directory of the reconciler's own. Threads and processes take turns."""

    directory: Path
    rules: ImageRules
    web: Web
    sleep: Callable[[float], None]

    def fetch(self, source: ImageSource) -> SpooledImage:
        """The image, from the spool if it is there.

        Raises:
            Denied: the rules forbid it, or it is not what git pins; git or a person must change.
            NotFound: it is not where its source says.
            Unreachable: it did not come in time.
            Conflict: the spool cannot take it.
        """
        operation = f"fetch image {source.name}"
        path = self.directory / name_in_spool(source)
        with self.turn(path.name, operation):
            if not _has_checksum(path, source):
                self._fill(path, source, operation)
            return self._judged(path, source, operation)

    @contextmanager
    def turn(self, what: str, operation: str) -> Iterator[None]:
        """Keep others of this machine from doing the same meanwhile.

        Raises:
            Unreachable: they do not come to an end.
            Conflict: the spool cannot be written.
        """
        try:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            with locked(self.directory / what, self.sleep, self.rules.deadline):
                yield
        except TimeoutError as error:
            raise Unreachable(HERE, operation, str(error)) from None
        except OSError as error:
            cause = "the disk is full" if error.errno in _NO_ROOM else str(error)
            raise Conflict(HERE, operation, f"the spool {self.directory}: {cause}") from None

    def sweep(self, wanted: Collection[str], now: datetime) -> tuple[str, ...]:
        """Delete images that nothing wants, and what crashes left a day ago. Returns their names.

        `wanted` are the checksums of the images that the documents of some branch name.

        Raises:
            OSError: something cannot be deleted.
        """
        gone = [path for path in self._files() if _is_waste(path, wanted, now)]
        for path in gone:
            path.unlink(missing_ok=True)
        return tuple(path.name for path in gone)

    def _files(self) -> Iterator[Path]:
        if self.directory.is_dir():
            yield from sorted(path for path in self.directory.iterdir() if path.is_file())

    def _fill(self, path: Path, source: ImageSource, operation: str) -> None:
        """Put the image at `path`, or nothing."""
        part = path.with_name(f".{path.name}{PART}")
        try:
            with _new_file(part) as stream:
                digest = hashlib.new(source.algorithm)

                def sink(chunk: bytes) -> None:
                    digest.update(chunk)
                    stream.write(chunk)

                self._transfer(source, operation, sink)
                stream.flush()
                if digest.hexdigest() != source.checksum:
                    raise _wrong_checksum(source, digest.hexdigest(), operation)
                self._judged(part, source, operation)
                os.fsync(stream.fileno())
            part.replace(path)
            _sync(path.parent)
        finally:
            part.unlink(missing_ok=True)

    def _transfer(self, source: ImageSource, operation: str, sink: Callable[[bytes], None]) -> None:
        if source.url.startswith(("/", "file://")):
            copy_file(source.url, self.rules, operation, sink)
        else:
            self.web.fetch(source.url, operation, sink)

    def _judged(self, path: Path, source: ImageSource, operation: str) -> SpooledImage:
        size_bytes = path.stat().st_size
        with path.open("rb") as stream:
            head = stream.read(HEADER_BYTES)
            stream.seek(max(0, size_bytes - FOOTER_BYTES))
            foot = stream.read(FOOTER_BYTES)
        limit = self.rules.largest_disk_bytes
        try:
            found = inspect(head, foot, size_bytes, source.format, limit)
        except Refused as refusal:
            raise Denied(source.url, operation, str(refusal)) from None
        return SpooledImage(path, size_bytes, found.disk_bytes)


def name_in_spool(source: ImageSource) -> str:
    """What the spool calls an image."""
    return f"{source.algorithm}-{source.checksum}"


def _is_waste(path: Path, wanted: Collection[str], now: datetime) -> bool:
    if path.name.endswith(PART):
        return now.timestamp() - path.stat().st_mtime > LEFTOVER_AGE.total_seconds()
    return not path.name.startswith(".") and path.name.rpartition("-")[2] not in wanted


@contextmanager
def _new_file(path: Path) -> Iterator[IO[bytes]]:
    """A file for us only; what a crash left there goes."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
    with os.fdopen(os.open(path, flags, 0o600), "wb") as stream:
        yield stream


def _has_checksum(path: Path, source: ImageSource) -> bool:
    """Whether the file is there and still what it was: disks lose bits, and people edit."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, source.algorithm).hexdigest() == source.checksum
    except FileNotFoundError:
        return False


def _wrong_checksum(source: ImageSource, found: str, operation: str) -> Denied:
    cause = (
        f"its {source.algorithm} is {found}, and the Image document says {source.checksum}; "
        "if its publisher replaced it and you trust that, change the document"
    )
    return Denied(source.url, operation, cause)


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
