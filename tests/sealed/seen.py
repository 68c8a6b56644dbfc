"""What other users of a machine can see of a process and its children: arguments, environments."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_PAUSE_SECONDS = 0.004
_LOGIN = re.compile(rb"\AGIT_CONFIG_VALUE_[0-9]+=Authorization: Basic ")
SHIM = """#!/bin/sh
{{ printf 'argv\\0'; printf '%s\\0' "$0" "$@"; printf 'environ\\0'; env -0; }} >> '{log}'
exec {program} "$@"
"""


class Seen:
    """What was seen, except the one place where a login may be: git's own settings for this run."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self.arguments: set[bytes] = set()
        self.environments: set[bytes] = set()

    def content(self) -> bytes:
        """All of it, with what the git in front of git has written down."""
        told = self.log.read_bytes().split(b"\0") if self.log.exists() else []
        environments = (part for each in self.environments for part in each.split(b"\0"))
        parts = (part for part in (*told, *environments) if not _LOGIN.match(part))
        return b"\n".join((*self.arguments, *parts))


@contextmanager
def watched(pid: int, seen: Seen) -> Iterator[None]:
    """Look at a process and all below it again and again, for as long as the block."""
    over = threading.Event()

    def look() -> None:
        while not over.wait(_PAUSE_SECONDS):
            for each in _family(pid):
                with suppress(OSError):
                    seen.arguments.add((each / "cmdline").read_bytes())
                with suppress(OSError):
                    seen.environments.add((each / "environ").read_bytes())

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def put_before(directory: Path, name: str, log: Path) -> None:
    """A program that writes down how it is called, and then is the real one."""
    directory.mkdir(exist_ok=True)
    path = directory / name
    path.write_text(SHIM.format(log=log, program=f"/usr/bin/{name}"), "utf-8")
    path.chmod(0o755)


def _family(pid: int) -> Iterator[Path]:
    process = Path(f"/proc/{pid}")
    yield process
    with suppress(OSError):
        for task in (process / "task").iterdir():
            for child in (task / "children").read_text().split():
                yield from _family(int(child))
