"""A small daemon for tests of signals: its turn takes one step between two files.

Arguments: a directory, and the seconds within which it must stop. The step begins by writing
`begun` and ends, by writing `ended`, once a file `go` has appeared.
"""

from __future__ import annotations

import logging
import sys
import threading
from datetime import timedelta
from pathlib import Path

from reconciler.daemon.clock import SystemClock
from reconciler.daemon.loop import Loop, Pace
from reconciler.daemon.run import run
from reconciler.daemon.schedule import SchedulerAlarms, Timing
from reconciler.daemon.slots import Next, Reason
from reconciler.daemon.supervisor import Supervisor
from reconciler.errors import SettingsError


def main(directory: Path, stop_within: timedelta) -> int:
    """Run until told to stop; 1 if a step had to be left."""

    def turn(_name: str, reasons: frozenset[Reason], stopping: threading.Event) -> Next:
        print("turn", *sorted(reasons), flush=True)  # noqa: T201  the test reads it
        if (directory / "idle").exists():
            return Next()
        (directory / "begun").touch()
        print("begun", flush=True)  # noqa: T201
        stopping.wait()
        print("stopping", flush=True)  # noqa: T201
        tick = threading.Event()
        while not (directory / "go").exists():
            tick.wait(0.01)
        (directory / "ended").touch()
        return Next()

    def reload() -> None:
        text = (directory / "settings").read_text("utf-8")
        if text != "good":
            raise SettingsError("settings", ["it is not good"])
        print("reloaded", flush=True)  # noqa: T201

    loop = Loop(
        ["staging"],
        turn,
        tuple,
        pace=Pace(stop_within=stop_within),
        timing=Timing(SystemClock(), SchedulerAlarms(), lambda: 0.0),
    )
    return 1 if run(loop, reload=reload, supervisor=Supervisor()) else 0


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(message)s")
    sys.exit(main(Path(sys.argv[1]), timedelta(seconds=float(sys.argv[2]))))
