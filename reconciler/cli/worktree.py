"""Writing into the work tree of a person: all files or none, and nothing of theirs is ever lost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from reconciler.drivers.sharedfile import replace_file


def write_files(root: Path, files: Mapping[str, str], check: Callable[[], object]) -> None:
    """Write all the files below a directory, or none if `check` raises afterwards.

    Raises:
        OSError: a file cannot be written.
    """
    before = {path: _content(root / path) for path in files}
    try:
        for path, text in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            if before[path] is None:
                (root / path).write_bytes(text.encode())
            else:  # what people wrote must not be lost, whenever we are killed
                replace_file(root / path, text.encode())
        check()
    except BaseException:
        for path, old in before.items():
            if old is None:
                with suppress(FileNotFoundError, NotADirectoryError):
                    (root / path).unlink()
            else:
                replace_file(root / path, old)
        raise


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None
