"""The known_hosts file: one host's line in it, replaced, with all others as they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import paramiko

from reconciler.drivers.sharedfile import locked, replace_file

MODE = 0o644


def pin(file: Path, name: str, line: str, sleep: Callable[[float], None]) -> None:
    """Make this the only line of the file for a host. The file is made if it is not there.

    Raises:
        OSError: it cannot be written, and is as it was.
    """
    with locked(file, sleep):
        before = file.read_text(encoding="utf-8") if file.exists() else ""
        after = pinned(before, name, line)
        if after != before:
            replace_file(file, after.encode())
            file.chmod(MODE)


def pinned(text: str, name: str, line: str) -> str:
    """The text of a known_hosts file in which this is the only line for a host."""
    kept = (without for each in text.splitlines() for without in _without(each, name))
    return "".join(f"{each}\n" for each in (*kept, line))


def _without(line: str, name: str) -> Iterator[str]:
    """The line, as far as it is about others."""
    words = line.split(None, 1)
    if len(words) < 2 or words[0].startswith(("#", "@")):  # noqa: PLR2004 - the names, and the rest
        yield line
        return
    names, rest = words
    others = [each for each in names.split(",") if not _is(each, name)]
    if others:
        yield line if len(others) == len(names.split(",")) else f"{','.join(others)} {rest}"


def _is(written: str, name: str) -> bool:
    """Whether a name in the file is this one; it may be hashed."""
    if written.startswith("|1|"):
        try:
            return bool(paramiko.HostKeys.hash_host(name, written) == written)
        except ValueError:
            return False
    return written == name
