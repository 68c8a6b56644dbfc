"""Whose the volumes of a host are: libvirt keeps no marks on volumes, so the host keeps a list.

A mark is written before its volume is made, and a mark without a volume means nothing; so a crash
between the two leaves nothing that is taken for a volume, and no volume of ours without its mark.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from reconciler.drivers.libvirt_.marks import Mark, changed, decoded, encoded
from reconciler.drivers.refusal import Refused
from reconciler.drivers.sharedfile import locked, replace_file
from reconciler.errors import Conflict, NotFound

REMOTE_PATH = "/var/lib/reconciler/volumes.json"
ABSENT = "absent"
_ATTEMPTS = 5


class Manifest(Protocol):
    """The marks of one host's volumes; keys are `pool/volume`. A change is whole or not at all."""

    def read(self) -> Mapping[str, Mark]:
        """All marks.

        Raises:
            Refused: the list cannot be read.
            DriverError: the host does not give it.
        """
        ...

    def look(self) -> Mapping[str, Mark]:
        """All marks, as part of a look at the host: what is done from now on follows from it."""
        ...

    def change(self, edits: Mapping[str, Mark | None]) -> None:
        """Set these marks, or drop them for None, all at once; the others stay as they are.

        Raises:
            Refused: the list cannot be written.
            DriverError: the host does not take it.
        """
        ...

    def write(self, key: str, mark: Mark) -> None:
        """Set one mark."""
        ...

    def forget(self, key: str) -> None:
        """Drop one mark, if it is there."""
        ...


class HostFiles(Protocol):
    """The files of a host, as far as a list needs them."""

    def read_file(self, path: str) -> bytes:
        """The content.

        Raises:
            NotFound: there is no such file.
        """
        ...

    def look_at_file(self, path: str) -> bytes:
        """The content, as part of a look at the host.

        Raises:
            NotFound: there is no such file.
        """
        ...

    def write_file(
        self, path: str, content: bytes, mode: int = 0o644, *, replaces: str = ...
    ) -> None:
        """Replace the content whole, if what is there has the sum `replaces`, or is `ABSENT`.

        Raises:
            Conflict: something else is there.
        """
        ...


class MemoryManifest:
    """Marks that last as long as this process, as the volumes of `test:///` do."""

    def __init__(self) -> None:
        """No marks yet."""
        self._marks: dict[str, Mark] = {}
        self._lock = threading.Lock()

    def read(self) -> Mapping[str, Mark]:
        """All marks."""
        with self._lock:
            return dict(self._marks)

    def look(self) -> Mapping[str, Mark]:
        """All marks."""
        return self.read()

    def change(self, edits: Mapping[str, Mark | None]) -> None:
        """Set or drop marks."""
        with self._lock:
            self._marks = changed(self._marks, edits)

    def write(self, key: str, mark: Mark) -> None:
        """Set one mark."""
        self.change({key: mark})

    def forget(self, key: str) -> None:
        """Drop one mark."""
        self.change({key: None})


class FileManifest:
    """Marks in a JSON file beside a libvirtd on this machine. Processes take turns."""

    def __init__(self, path: Path, sleep: Callable[[float], None]) -> None:
        """The file need not be there yet; its directory must. `sleep` waits for the lock."""
        self._path = path
        self._sleep = sleep

    def read(self) -> Mapping[str, Mark]:
        """All marks; a file that is not there has none."""
        try:
            return decoded(self._path.read_bytes(), str(self._path))
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise Refused(f"the marks of volumes cannot be read: {error}") from None

    def look(self) -> Mapping[str, Mark]:
        """All marks."""
        return self.read()

    def change(self, edits: Mapping[str, Mark | None]) -> None:
        """Set or drop marks."""
        try:
            with locked(self._path, self._sleep):
                before = self.read()
                after = changed(before, edits)
                if after != before:
                    replace_file(self._path, encoded(after))
        except OSError as error:
            raise Refused(f"the marks of volumes cannot be written: {error}") from None

    def write(self, key: str, mark: Mark) -> None:
        """Set one mark."""
        self.change({key: mark})

    def forget(self, key: str) -> None:
        """Drop one mark."""
        self.change({key: None})


class RemoteManifest:
    """Marks in a JSON file on the host itself, so that every reconciler sees the same.

    A change is made to what was read, and goes in only if that is still what is there.
    """

    def __init__(self, files: HostFiles, path: str = REMOTE_PATH) -> None:
        """The file and its directory need not be there yet."""
        self._files = files
        self._path = path

    def read(self) -> Mapping[str, Mark]:
        """All marks; a file that is not there has none."""
        return decoded(self._content(), self._path)

    def look(self) -> Mapping[str, Mark]:
        """All marks, as part of a look at the host."""
        try:
            content = self._files.look_at_file(self._path)
        except NotFound:
            return {}
        return decoded(content, self._path)

    def change(self, edits: Mapping[str, Mark | None]) -> None:
        """Set or drop marks."""
        for attempt in range(_ATTEMPTS):
            content = self._content()
            before = decoded(content, self._path)
            after = changed(before, edits)
            if after == before:
                return
            replaces = ABSENT if content is None else sha256(content).hexdigest()
            try:
                self._files.write_file(self._path, encoded(after), 0o600, replaces=replaces)
            except Conflict:
                if attempt == _ATTEMPTS - 1:
                    raise
            else:
                return

    def write(self, key: str, mark: Mark) -> None:
        """Set one mark."""
        self.change({key: mark})

    def forget(self, key: str) -> None:
        """Drop one mark."""
        self.change({key: None})

    def _content(self) -> bytes | None:
        try:
            return self._files.read_file(self._path)
        except NotFound:
            return None


def _are_manifests(
    memory: MemoryManifest, file: FileManifest, remote: RemoteManifest
) -> tuple[Manifest, Manifest, Manifest]:
    return memory, file, remote
