"""Writing into the work tree of a person: all files or none, and nothing of theirs is ever lost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from errno import ELOOP
from pathlib import Path

from reconciler.drivers.sharedfile import replace_file


def write_files(root: Path, files: Mapping[str, str], check: Callable[[], object]) -> None:
    """Write all the files below a directory, or none if `check` raises afterwards.

    Raises:
        OSError: a file cannot be written, or a link would lead out of the directory.
    """
    for path in files:
        check_place(root, path)
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


def check_place(root: Path, path: str) -> None:
    """See that what is written to a path stays below the directory.

    Raises:
        OSError: there is a link on the way, which might lead anywhere.
    """
    file = root / path
    for each in (file, *file.parents[: len(Path(path).parts) - 1]):
        if each.is_symlink():
            raise OSError(ELOOP, "a symbolic link is not written through; remove it", str(each))


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None
