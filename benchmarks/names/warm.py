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
from benchmarks.names.tools import ENVIRONMENT, KIB, Ours
from reconciler.cli.repository import open_repository
from reconciler.cli.site import site_of
from reconciler.cli.world import surroundings
from reconciler.config.settings import load_settings
from reconciler.reconcile import Site, turn


def main() -> None:
    """Turn often with nothing to do, then with one in a hundred records changed."""
    directory, zone, count, address, runs, edition = sys.argv[1:]
    tool = Ours(Path(directory), zone, int(count), Server(address, ""))
    with open_repository(load_settings(tool.settings)) as repository:
        site = site_of(repository, surroundings(repository, ENVIRONMENT))
        _turn(site)
        quiet = [_took(lambda: _turn(site)) for _ in range(int(runs))]
        busy = []
        for number in range(int(runs)):
            tool.write(int(edition) + number)
            busy.append(_took(lambda: _turn(site, changes=1)))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KIB
    told = {"quiet": _median(quiet), "busy": _median(busy), "peak_mib": peak}
    sys.stdout.write(json.dumps(told))


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


def _median(took: list[tuple[float, float]]) -> tuple[float, float]:
    return median(each[0] for each in took), median(each[1] for each in took)


if __name__ == "__main__":
    main()
