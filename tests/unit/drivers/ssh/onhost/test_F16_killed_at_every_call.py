"""A writer that is killed anywhere leaves the old file or the new one, and can begin again."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from reconciler.drivers.ssh.onhost.act import perform
from reconciler.drivers.ssh.onhost.state import marks
from tests.unit.drivers.ssh.onhost.ground import (
    Ground,
    forget,
    ground_in,
    put_file,
    put_mark,
    remove,
)

PATH = "/etc/a.conf"
OLD, NEW = "old\n", "new\n" * 2000
WRITE = (put_file(content=NEW), put_mark("file", PATH))
BACK = (remove(restores=True), forget("file", PATH))
MOST_CALLS = 2000
# What changes something on the disk. Killed between two of these is killed before the second.
CHANGES = {"fchmod", "fchown", "flush", "fsync", "mkdir", "rename", "rmdir"} | {
    "symlink",
    "unlink",
    "write",
}
Acts = tuple[dict[str, Any], ...]


def killed_at(call: int, work: Callable[[], object]) -> bool:
    """Do it in a process that is killed before its call of that number; False if it ended first."""
    child = os.fork()
    if child == 0:
        sys.setprofile(Countdown(call))
        work()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


class Countdown:
    """Kills its own process before it changes anything on the disk after so many times."""

    def __init__(self, left: int) -> None:
        self.left = left

    def __call__(self, frame: FrameType, event: str, called: Any) -> None:
        del frame
        if event == "c_call" and called.__name__ in CHANGES:
            self.left -= 1
            if self.left < 0:
                os.kill(os.getpid(), signal.SIGKILL)


def times_of(tmp_path: Path, prepare: Callable[[Ground], None], acts: Acts) -> list[Ground]:
    """A host for each call at which it was killed."""
    grounds: list[Ground] = []
    for call in range(MOST_CALLS):
        ground = ground_in(tmp_path / str(call))
        prepare(ground)
        if not killed_at(call, partial(work, ground, acts)):
            assert call > 10  # it did something
            return grounds
        grounds.append(ground)
    pytest.fail("it never ends")


def work(ground: Ground, acts: Acts) -> None:
    list(perform(ground.batch(), acts))


def old(ground: Ground) -> None:
    ground.path(PATH).write_text(OLD)


def ours(ground: Ground) -> None:
    old(ground)
    ground.done(*WRITE)


def names(ground: Ground) -> set[str]:
    return {path.name for path in ground.path("/etc").iterdir()}


def test_F16_a_file_is_old_or_new_and_the_next_writer_ends_it(tmp_path: Path) -> None:
    for ground in times_of(tmp_path, old, WRITE):
        assert ground.path(PATH).read_text() in {OLD, NEW}
        marks(ground.batch())
        ground.done(*WRITE)
        assert ground.path(PATH).read_text() == NEW
        assert names(ground) == {"passwd", "group", "a.conf"}
        ground.done(*BACK)
        assert ground.path(PATH).read_text() == OLD


def test_F16_what_was_there_before_comes_back_whenever_the_first_was_killed(tmp_path: Path) -> None:
    for ground in times_of(tmp_path, ours, BACK):
        assert ground.path(PATH).read_text() in {OLD, NEW}
        if ("file", PATH) in marks(ground.batch()):
            ground.done(*BACK)
        assert ground.path(PATH).read_text() == OLD
        assert marks(ground.batch()) == {}
