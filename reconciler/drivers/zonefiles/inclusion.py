"""What a zone file may include: files in its own directory, and nothing that leads out of it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from reconciler.drivers.zonefiles.reading import Include

LARGEST_BYTES = 64 * 1024**2


def zone_file(path: Path) -> tuple[str, Include]:
    """The text of a zone file, and how what it includes is read.

    Names are those of BIND: relative to the directory of the file that was named first.

    Raises:
        ValueError: it cannot be read.
    """
    directory = path.parent.resolve()

    def include(file: str, name: str) -> tuple[str, str]:
        del file
        wanted = (directory / name).resolve()
        if directory not in wanted.parents:
            raise ValueError(f"{name[:80]!r} is not in {directory}: only what is can be included")
        return str(path.parent / name), _text(wanted, name)

    return _text(path, str(path)), include


def _text(path: Path, name: str) -> str:
    """The text; each byte is a letter, since a zone file is ASCII and all else an error."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # which no pipe lets wait
        with os.fdopen(fd, "rb") as file:
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                raise ValueError(f"{name[:80]!r} is no file")
            content = file.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise ValueError(f"{name[:80]!r} cannot be read: {error.strerror or error}") from None
    if len(content) > LARGEST_BYTES:
        raise ValueError(f"{name[:80]!r} is larger than {LARGEST_BYTES} bytes")
    return content.decode("latin-1")
