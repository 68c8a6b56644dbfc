"""Whose the volumes of a host are: libvirt keeps no marks on volumes, so the host keeps a list.

A mark is written before its volume is made, and a mark without a volume means nothing; so a crash
between the two leaves nothing that is taken for a volume, and no volume of ours without its mark.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from pydantic import TypeAdapter, ValidationError

from reconciler.drivers.refusal import Refused
from reconciler.drivers.sharedfile import locked, replace_file
from reconciler.model.resource import Owner

_MARKS = TypeAdapter(dict[str, Owner])


class Manifest(Protocol):
    """The marks of one host's volumes; keys are `pool/volume`. A change is whole or not at all."""

    def read(self) -> Mapping[str, Owner]:
        """All marks.

        Raises:
            Refused: the list cannot be read.
        """
        ...

    def write(self, key: str, owner: Owner) -> None:
        """Set one mark; all others stay, whoever wrote them.

        Raises:
            Refused: the list cannot be written.
        """
        ...

    def forget(self, key: str) -> None:
        """Drop one mark, if it is there.

        Raises:
            Refused: the list cannot be written.
        """
        ...


class MemoryManifest:
    """Marks that last as long as this process, as the volumes of `test:///` do."""

    def __init__(self) -> None:
        """No marks yet."""
        self._marks: dict[str, Owner] = {}
        self._lock = threading.Lock()

    def read(self) -> Mapping[str, Owner]:
        """All marks."""
        with self._lock:
            return dict(self._marks)

    def write(self, key: str, owner: Owner) -> None:
        """Set one mark."""
        with self._lock:
            self._marks[key] = owner

    def forget(self, key: str) -> None:
        """Drop one mark."""
        with self._lock:
            self._marks.pop(key, None)


class FileManifest:
    """Marks in a JSON file beside a libvirtd on this machine. Processes take turns."""

    def __init__(self, path: Path, sleep: Callable[[float], None]) -> None:
        """The file need not be there yet; its directory must. `sleep` waits for the lock."""
        self._path = path
        self._sleep = sleep

    def read(self) -> Mapping[str, Owner]:
        """All marks; a file that is not there has none."""
        try:
            return _MARKS.validate_json(self._path.read_bytes())
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise Refused(f"the marks of volumes cannot be read: {error}") from None
        except ValidationError as error:
            reason = "; ".join(each["msg"] for each in error.errors())
            message = f"{self._path} does not hold the marks of volumes: {reason}; restore the file"
            raise Refused(message) from None

    def write(self, key: str, owner: Owner) -> None:
        """Set one mark."""
        self._change(lambda marks: {**marks, key: owner})

    def forget(self, key: str) -> None:
        """Drop one mark."""
        self._change(lambda marks: {each: mark for each, mark in marks.items() if each != key})

    def _change(self, change: Callable[[Mapping[str, Owner]], dict[str, Owner]]) -> None:
        try:
            with locked(self._path, self._sleep):
                before = self.read()
                after = change(before)
                if after != before:
                    replace_file(
                        self._path, _MARKS.dump_json(dict(sorted(after.items())), indent=1)
                    )
        except OSError as error:
            raise Refused(f"the marks of volumes cannot be written: {error}") from None


def _are_manifests(memory: MemoryManifest, file: FileManifest) -> tuple[Manifest, Manifest]:
    return memory, file
