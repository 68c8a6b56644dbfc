"""An editor on a text that is on no disk, and of which nothing is left afterwards."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Never

import click

from reconciler.cli.terminal import remark

MEMORY = Path("/dev/shm")  # noqa: S108 (in it only directories that nobody else may enter)
PREFIX = "reconciler-secret-"


@contextmanager
def private_file(name: str, memory: Path = MEMORY) -> Iterator[Path]:
    """A place for a file in a directory of its own, which is taken away however this ends.

    What a command that was killed has left there is taken away too.
    """
    place = memory if os.access(memory, os.W_OK) else Path(tempfile.gettempdir())
    if place != memory:
        remark(f"{memory} is not there: the values are in {place} while the editor runs")
    _sweep(place)
    directory = Path(tempfile.mkdtemp(prefix=PREFIX, dir=place))
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        with _ended_by_exceptions():
            yield directory / name
    finally:
        shutil.rmtree(directory, ignore_errors=True)
        os.close(descriptor)


def edited(path: Path, text: str) -> str:
    """What a person makes of a text with the editor of their choice.

    Raises:
        click.ClickException: the editor failed.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as stream:
        stream.write(text)
    click.edit(filename=str(path))
    return path.read_bytes().decode()


def _sweep(place: Path) -> None:
    """Take away directories of ours that no living command holds."""
    for each in place.glob(f"{PREFIX}*"):
        with suppress(OSError):
            if each.is_symlink() or each.stat().st_uid != os.getuid():
                continue
            descriptor = os.open(each, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(each, ignore_errors=True)
            finally:
                os.close(descriptor)


@contextmanager
def _ended_by_exceptions() -> Iterator[None]:
    """Let a termination run what cleans up, which it does not by itself."""

    def end(number: int, _: FrameType | None) -> Never:
        sys.exit(128 + number)

    ended = (signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(each, end) for each in ended]
    try:
        yield
    finally:
        for each, handler in zip(ended, before, strict=True):
            signal.signal(each, handler)
