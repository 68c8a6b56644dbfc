"""Images from files of this machine, below the directories that the operator names."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

from reconciler.drivers.images.rules import ImageRules
from reconciler.errors import Denied, NotFound

CHUNK_BYTES = 1024 * 1024
HERE = "this machine"


def copy_file(url: str, rules: ImageRules, operation: str, sink: Callable[[bytes], None]) -> None:
    """Give the bytes of a file to `sink`, piece by piece.

    Raises:
        Denied: it is not below an allowed directory, may not be read, or is too large.
        NotFound: there is no such file.
    """
    path = _allowed(Path(url.removeprefix("file://")), rules, operation)
    try:
        # Neither a pipe nor a link that took the place of the file holds us up or leads us off.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as stream:
            _check_still_allowed(descriptor, path, rules, operation)
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise Denied(HERE, operation, f"{path} is not a file")
            taken = 0
            while chunk := stream.read(CHUNK_BYTES):
                taken += len(chunk)
                if reason := rules.too_large(taken):
                    raise Denied(HERE, operation, reason)
                sink(chunk)
    except PermissionError:
        raise Denied(HERE, operation, f"{path} may not be read; chown or chmod it") from None


def _allowed(path: Path, rules: ImageRules, operation: str) -> Path:
    """Where the path leads, links and all."""
    try:
        real = path.resolve(strict=True)
    except (FileNotFoundError, NotADirectoryError):
        raise NotFound(HERE, operation, f"there is no file {path}") from None
    except (OSError, RuntimeError) as error:  # RuntimeError: links in a circle
        raise Denied(HERE, operation, f"{path}: {error}") from None
    if not any(real.is_relative_to(_real(each)) for each in rules.directories):
        allowed = ", ".join(map(str, rules.directories)) or "no directory"
        cause = f"{real} is not below {allowed}; put it there, or add to images.directories"
        raise Denied(HERE, operation, cause)
    return real


def _check_still_allowed(descriptor: int, path: Path, rules: ImageRules, operation: str) -> None:
    """Whether what was opened is what was judged: a directory above may have become a link."""
    opened = Path(f"/proc/self/fd/{descriptor}").readlink()
    if not any(opened.is_relative_to(_real(each)) for each in rules.directories):
        raise Denied(HERE, operation, f"{path} was put in another place while it was opened")


def _real(directory: Path) -> Path:
    return Path(os.path.realpath(directory))
