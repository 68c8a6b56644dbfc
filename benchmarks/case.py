"""One case in a process of its own, so that what it takes is its own: prints seconds as JSON.

python -m benchmarks.case MACHINES DIRECTORY
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.farm import commit, hosts, machine, repository
from benchmarks.site import site_of
from reconciler.drivers.simulated.farm import SimulatedFarm
from reconciler.reconcile import Site, plan, turn

KIB = 1024
ENVIRONMENT = "production"


def main() -> None:
    """Measure one size of farm."""
    machines, directory = int(sys.argv[1]), Path(sys.argv[2])
    work = repository(directory / "work", machines)
    site = site_of(work, directory, SimulatedFarm(hosts(machines)))
    site.source.refresh()
    figures = {"plan, cold": _seconds(lambda: _plan(site))}
    figures["plan, nothing changed"] = _seconds(lambda: _plan(site))
    group = work / "vms/group-0.yaml"
    rest = group.read_text().partition("---\n")[2]
    group.write_text(machine(0, "1 GiB") + "---\n" + rest)
    commit(work)
    figures["commit to plan, one file changed"] = _seconds(lambda: _fetch_and_plan(site))
    figures["sync, everything made"] = _seconds(lambda: turn(ENVIRONMENT, site))
    figures["run, nothing to do"] = _seconds(lambda: turn(ENVIRONMENT, site))
    figures["run, nothing to do (CPU)"] = _seconds(
        lambda: turn(ENVIRONMENT, site), time.process_time
    )
    figures["poll, nothing changed (CPU)"] = _seconds(site.source.mirror.poll, time.process_time)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // KIB
    sys.stdout.write(json.dumps({"seconds": figures, "peak_mib": peak}))


def _plan(site: Site) -> None:
    plan(ENVIRONMENT, site.source.heads()[ENVIRONMENT], site)


def _fetch_and_plan(site: Site) -> None:
    site.source.refresh()
    _plan(site)


def _seconds(run: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    began = clock()
    run()
    return clock() - began


if __name__ == "__main__":
    main()
