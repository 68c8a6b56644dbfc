"""A sync of production that dies at its n-th step, as kill -9 would have it.

Steps are what a process does to the disk and whom it starts: each file it opens for writing,
renames or removes, and each git command. The simulated farm writes its world file at each change,
so every port call that changes something is a step too.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

from reconciler.drivers.simulated.farm import SimulatedFarm
from reconciler.reconcile import turn
from tests.scenes.scene import Clock, site

KILLED = 137
RESULT = "result.txt"
_CHANGES = frozenset(
    {"os.rename", "os.remove", "os.link", "os.mkdir", "os.rmdir", "os.truncate", "subprocess.Popen"}
)
_WRITING = os.O_WRONLY | os.O_RDWR


def dying_at(last: int) -> Callable[[], int]:
    """From now on count the steps of this process, and die at step `last`; gives how many."""
    steps = 0

    def count(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal steps
        if event in _CHANGES or (event == "open" and _writes(arguments)):
            steps += 1
            if steps == last:
                os._exit(KILLED)

    sys.addaudithook(count)
    return lambda: steps


def sync_until(root: Path, last: int) -> None:
    """Sync the site below `root`, or die at step `last`; then say how many steps it took."""
    clock = Clock()
    farm = SimulatedFarm.open(root / "world.yaml", sleep=clock.sleep)
    made = site(root, str(root / "origin.git"), farm, clock)
    steps = dying_at(last)
    made.source.refresh()
    report = turn("production", made)
    (root / RESULT).write_text(f"{steps()} {report.finding}")


def _writes(arguments: tuple[object, ...]) -> bool:
    flags = arguments[2] if len(arguments) > 2 else 0
    return isinstance(flags, int) and bool(flags & _WRITING)
