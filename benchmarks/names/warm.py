"""The daemon's turn, in a process of its own: prints what each took as JSON.

python -m benchmarks.names.warm DIRECTORY ZONE RECORDS ADDRESS RUNS EDITION
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from benchmarks.names.named import Server
from benchmarks.names.tools import ENVIRONMENT, KIB, SERVER, Ours
from reconciler.cli.repository import open_repository
from reconciler.cli.site import site_of
from reconciler.cli.world import Surroundings, surroundings
from reconciler.config.settings_file import load_settings
from reconciler.drivers.farm import RealFarm
from reconciler.ports.world import Ports
from reconciler.reconcile import Site, turn

Figures = tuple[float, float, float]


def main() -> None:
    """Look and turn often with nothing to do, then with one in a hundred records changed."""
    directory, zone, count, address, runs, edition = sys.argv[1:]
    tool = Ours(Path(directory), zone, int(count), Server(address, ""))
    with open_repository(load_settings(tool.settings)) as repository:
        farm = surroundings(repository, ENVIRONMENT).ports
        site = site_of(repository, Surroundings(farm))
        _turn(site)
        told = {
            "look": _often(int(runs), lambda: farm.nameserver(SERVER).serials([zone])),
            "quiet": _often(int(runs), lambda: _turn(site)),
            "audit": _often(int(runs), lambda: _turn(site), before=lambda: _forget(farm)),
        }
        edits = iter(range(int(edition), int(edition) + int(runs)))
        told["busy"] = _often(
            int(runs), lambda: _turn(site, changes=1), before=lambda: tool.write(next(edits))
        )
    sys.stdout.write(json.dumps(told))


def _forget(farm: Ports) -> None:
    """The next look is at all of the zone, as every five minutes."""
    if not isinstance(farm, RealFarm):
        raise TypeError(farm)
    farm.close()


def _often(
    runs: int, work: Callable[[], object], before: Callable[[], object] = lambda: None
) -> Figures:
    """Medians of seconds and processor seconds, and the most memory up to here in MiB."""
    took = []
    for _ in range(runs):
        before()
        took.append(_took(work))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KIB
    return median(each[0] for each in took), median(each[1] for each in took), peak


def _turn(site: Site, changes: int = 0) -> None:
    site.source.refresh()
    report = turn(ENVIRONMENT, site)
    if report.residue or report.refusal or len(report.outcomes) != changes:
        message = f"the turn did not do what it should: {report.refusal or report.outcomes}"
        raise RuntimeError(message)


def _took(work: Callable[[], object]) -> tuple[float, float]:
    began, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - began, time.process_time() - cpu


if __name__ == "__main__":
    main()
