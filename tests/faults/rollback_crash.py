"""A turn that takes a bad release back and dies at its n-th step, as kill -9 would have it."""

from __future__ import annotations

from pathlib import Path

from reconciler.drivers.simulated.farm import SimulatedFarm
from reconciler.reconcile import turn
from tests.faults.crash_run import RESULT, dying_at
from tests.scenes.scene import Clock, site

LATER_SECONDS = 660.0


def go_back_until(root: Path, last: int) -> None:
    """The turn in which a failing commit is taken back; it dies at step `last`."""
    clock = Clock()
    clock.sleep(LATER_SECONDS)
    farm = SimulatedFarm.open(root / "world.yaml", sleep=clock.sleep)
    made = site(root, str(root / "origin.git"), farm, clock)
    steps = dying_at(last)
    made.source.refresh()
    report = turn("production", made)
    (root / RESULT).write_text(f"{steps()} {report.finding}")
