"""Measure the base of hosts of the lab: 20 files, 10 packages and 5 services on each.

    python -m benchmarks.base [HOSTS ...] [--times 5] [--peer-hosts 9 9] [--peer-times 3 1]

The lab must be up with these hosts (`deploy/lab/lab up --hosts 9`). Tests that want them wait
meanwhile. pyinfra and Ansible do the same beside us. What is made there is called bench-*, and is
removed at the end, or when this is started again.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import median

from benchmarks import base_peers, declared, peer
from benchmarks.hypervisor import reach_of, seconds, taken
from benchmarks.libvirt_host import ENVIRONMENT, Reach
from benchmarks.site import site_of
from reconciler.config.documents import Host
from reconciler.drivers.farm import Means, RealFarm
from reconciler.drivers.images.rules import ImageRules
from reconciler.gitops.report import Report
from reconciler.reconcile import Site, turn

PROGRAM = Path(sys.executable).with_name("reconciler")
LAB_HOSTS = 9
STATE = "/var/lib/reconciler"
_SETTINGS = """\
repository: {{url: {work}}}
environments: [{environment}]
state_directory: {state}
hosts: {{ssh_key: {key}, known_hosts: {known_hosts}, deadline: 60s}}
"""


@dataclass(frozen=True, slots=True)
class Took:
    """How long runs of one tool took on so many hosts: all of them, in seconds."""

    what: str
    hosts: int
    quiet: tuple[float, ...]
    one_change: tuple[float, ...]

    def row(self, ours: Took | None) -> str:
        """A line of the table; beside ours, each host's share is compared."""
        quiet, change = (_cell(each) for each in (self.quiet, self.one_change))
        faster = ""
        if ours is not None and ours.quiet and self.quiet:
            share, theirs = median(ours.quiet) / ours.hosts, median(self.quiet) / self.hosts
            faster = f"{theirs / share:,.0f}"
        return f"| {self.what} | {self.hosts} | {quiet} | {change} | {faster} |"


def main() -> None:
    """Measure everything and print the table, a line as soon as it is known."""
    options = _options()
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, load {_load()}", flush=True)
    with ExitStack() as stack:
        for name in options.hosts:
            stack.enter_context(taken(options.lab, name))
        reaches = [reach_of(options.lab, name) for name in options.hosts]
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        stack.enter_context(_only(reaches))
        print("| | hosts | nothing to do | one file on each | nothing to do, beside us |")
        print("|---|---|---|---|---|", flush=True)
        warm = _ours(reaches, directory, options)
        for peer in _peers(reaches, directory, options):
            print(peer.row(warm), flush=True)
    print(f"\nload at the end {_load()}")


def _ours(reaches: Sequence[Reach], directory: Path, options: argparse.Namespace) -> Took:
    work = declared.repository(directory / "work", reaches)
    with _farm(reaches, directory / "farm") as farm:
        site = site_of(work, directory, farm)
        _turn(site)
        quiet = _often(lambda: _quiet(site), options.times)
        change = []
        for edition in range(1, options.times + 1):
            declared.edit(work, edition)
            change.append(seconds(lambda: _busy(site, len(reaches))))
    warm = Took("reconciler, the daemon's turn", len(reaches), quiet, tuple(change))
    print(warm.row(None), flush=True)
    _fresh(reaches, work, directory, options)
    return warm


def _fresh(
    reaches: Sequence[Reach], work: Path, directory: Path, options: argparse.Namespace
) -> None:
    """The program begun anew each time: nothing in memory, no connection."""
    settings = directory / "settings.yaml"
    access = reaches[0].access
    settings.write_text(
        _SETTINGS.format(
            work=work,
            environment=ENVIRONMENT,
            state=directory / "state",
            key=access.key_file.absolute(),
            known_hosts=access.known_hosts.absolute(),
        )
    )
    for action in options.actions:
        argv = [str(PROGRAM), "--config", str(settings), action, "-e", ENVIRONMENT]
        _program(argv)
        quiet = _often(partial(_program, argv), options.times)
        change = []
        for edition in range(options.times if action == "sync" else 0):
            declared.edit(work, 100 + edition)
            change.append(seconds(partial(_program, argv)))
        took = Took(f"`reconciler {action}`", len(reaches), quiet, tuple(change))
        print(took.row(None), flush=True)


def _peers(
    reaches: Sequence[Reach], directory: Path, options: argparse.Namespace
) -> Iterator[Took]:
    """The neighbours, on the first hosts of ours."""
    makers: tuple[Callable[[Path, Sequence[Reach]], base_peers.Peer], ...]
    makers = (base_peers.Pyinfra, base_peers.Ansible)
    for number in range(len(makers)):
        count, times = options.peer_hosts[number], options.peer_times[number]
        if not count:
            continue
        neighbour = makers[number](directory / f"peer-{number}", reaches[:count])
        with neighbour.ready():
            change = []
            for edition in range(times):
                neighbour.write(1000 * (number + 1) + edition)
                change.append(neighbour.run(changes=1))
            quiet = tuple(neighbour.run(changes=0) for _ in range(times))
        yield Took(neighbour.name, count, quiet, tuple(change))


def _turn(site: Site) -> Report:
    site.source.refresh()
    report = turn(ENVIRONMENT, site)
    if report.residue or report.refusal:
        raise RuntimeError(f"the turn did not do it all: {report}")
    return report


def _quiet(site: Site) -> None:
    if _turn(site).outcomes:
        raise RuntimeError("it was not a run with nothing to do")


def _busy(site: Site, changes: int) -> None:
    if len(_turn(site).outcomes) != changes:
        raise RuntimeError("it did not change one file on each host")


def _program(argv: Sequence[str]) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{argv}: exit {done.returncode}\n{done.stdout}\n{done.stderr}")


def _often(work: Callable[[], object], times: int) -> tuple[float, ...]:
    return tuple(seconds(work) for _ in range(times))


@contextmanager
def _farm(reaches: Sequence[Reach], state: Path) -> Iterator[RealFarm]:
    """These hosts, as the product drives them."""
    described = {
        reach.name: Host.model_validate(
            {
                "kind": "Host",
                "name": reach.name,
                "environment": ENVIRONMENT,
                "address": reach.address,
                "memory": "2 GiB",
                "accelerator": "qemu",
            }
        )
        for reach in reaches
    }
    means = Means(
        access=reaches[0].access,
        images=ImageRules(),
        state_directory=state,
        now=lambda: datetime.now(UTC),
        monotonic=time.monotonic,
        sleep=time.sleep,
    )
    farm = RealFarm(lambda: described, means)
    try:
        yield farm
    finally:
        farm.close()


@contextmanager
def _only(reaches: Sequence[Reach]) -> Iterator[None]:
    """Hosts without anything of ours before and after."""

    def clear() -> None:
        for reach in reaches:
            command = f"rm -rf /etc/bench-*.conf {STATE}"
            subprocess.run([*peer.ssh(reach), command], check=True)

    clear()
    try:
        yield
    finally:
        clear()


def _cell(took: Sequence[float]) -> str:
    return f"{median(took):.2f} s" if took else ""


def _load() -> str:
    return f"{os.getloadavg()[0]:.1f}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.base", description=__doc__)
    hosts = [f"virt{number}" for number in range(1, LAB_HOSTS + 1)]
    parser.add_argument("hosts", nargs="*", default=hosts)
    parser.add_argument("--lab", type=Path, default=Path(".lab"))
    parser.add_argument("--actions", nargs="*", default=["plan", "sync"])
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--peer-hosts", type=int, nargs=2, default=[LAB_HOSTS, LAB_HOSTS])
    parser.add_argument("--peer-times", type=int, nargs=2, default=[3, 1])
    return parser.parse_args()


if __name__ == "__main__":
    main()
