"""Measure the libvirt driver on a host of the lab and on test:///, and Ansible beside it.

    python -m benchmarks.hypervisor [MACHINES ...] [--host virt2] [--peer-machines N]

The lab must be up. Tests that want the host wait meanwhile. What is made there is called bench-*,
and is removed at the end, or when this is started again.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import platform
import re
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks import defined, peer
from benchmarks.libvirt_host import (
    ENVIRONMENT,
    OWNER,
    Reach,
    Virthost,
    disk_marks,
    farm_of,
    real_host,
    test_host,
)
from benchmarks.site import site_of
from reconciler.drivers.ssh.access import Access
from reconciler.engine.verify import Look
from reconciler.gitops.report import Report
from reconciler.reconcile import Site, plan, turn

COMMAND = Path(__file__).parent.parent / "deploy" / "lab" / "lab"
ANSIBLE = Path(".cache") / "ansible"
TIMES = 5
MOST_DEFINED = 1000
Column = list[float | None]
DRIVER_ROWS = (
    "define all, their disks there already",
    "full look at the domains, on a new connection",
    "full look at the domains",
    "full look at the volumes",
    "full look at both",
)


@dataclass(frozen=True, slots=True)
class Versus:
    """The same thing done by both."""

    what: str
    ours_seconds: float
    theirs_seconds: float

    def times_faster(self, ours: int, theirs: int) -> float:
        """How much less each machine takes us, of so many, than them."""
        return (self.theirs_seconds / theirs) / (self.ours_seconds / ours)


def main() -> None:
    """Measure everything and print the tables."""
    options = _options()
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, load {_load()}\n")
    with taken(options.lab, options.host), tempfile.TemporaryDirectory() as directory:
        reach = reach_of(options.lab, options.host)
        columns = {
            f"lab host, {size:,}": _on_lab_host(reach, Path(directory), size)
            for size in options.machines
        }
        if options.peer_machines:
            found = _beside_ansible(reach, Path(directory), options)
            _print_peer(found, options.machines[0], options.peer_machines)
    columns |= {f"test:///, {size:,}": _on_test_driver(size) for size in options.machines}
    _print_driver(columns)
    print(f"\nload at the end {_load()}")


def _on_lab_host(reach: Reach, directory: Path, size: int) -> Column:
    state = directory / f"state-{size}"
    with farm_of(reach, state) as farm:
        host = real_host(farm, reach, state)
        with _only(host):
            define = _fill(host, size)

            def look_anew() -> None:
                with farm_of(reach, state) as another:
                    another.hypervisor(reach.name).domains()

            return [define, _often(look_anew), *_looks(host, size)]


def _on_test_driver(size: int) -> Column:
    host = test_host()
    with _only(host):
        return [_fill(host, size), None, *_looks(host, size)]


def _fill(host: Virthost, size: int) -> float | None:
    """Put the domains there; how long the product takes is measured up to a number."""
    host.make_volumes(disk_marks(size))
    if size > MOST_DEFINED:
        host.put_domains(range(size))
        return None
    return seconds(lambda: _define(host, size))


def _define(host: Virthost, size: int) -> None:
    for number in range(size):
        host.hypervisor.define_domain(host.definition(number), OWNER)


def _looks(host: Virthost, size: int) -> list[float]:
    """Domains, volumes, both, after it was seen that all are there."""
    seen = host.hypervisor
    if len(seen.domains()) < size or len(seen.volumes()) < size:
        raise RuntimeError("not everything was made")
    return [_often(seen.domains), _often(seen.volumes), _often(lambda: _look_at_both(host))]


def _look_at_both(host: Virthost) -> None:
    host.hypervisor.domains()
    host.hypervisor.volumes()


def _beside_ansible(
    reach: Reach, directory: Path, options: argparse.Namespace
) -> tuple[Versus, ...]:
    """Both make domains whose disks are there, and then both find nothing to do."""
    size, state = options.machines[0], directory / "state-peer"
    work = defined.repository(directory / "work", reach, size)
    with farm_of(reach, state) as farm:
        host, site = real_host(farm, reach, state), site_of(work, directory, farm)
        with _only(host):
            site.source.refresh()
            host.make_volumes(defined.wanted_disks(_planned(site)))
            made = seconds(lambda: _turn(site))
            quiet = _often(lambda: _quiet_turn(site))
        with _only(host):
            host.make_volumes(disk_marks(options.peer_machines))
            theirs = _ansible(reach, directory / "playbook", options.peer_machines)
    return (
        Versus("a run that defines the domains, their disks there", made, theirs[0].seconds),
        Versus("a run with nothing to do", quiet, theirs[1].seconds),
    )


def _planned(site: Site) -> Look:
    return plan(ENVIRONMENT, site.source.heads()[ENVIRONMENT], site)[0]


def _turn(site: Site) -> Report:
    site.source.refresh()
    return turn(ENVIRONMENT, site)


def _quiet_turn(site: Site) -> None:
    report = _turn(site)
    if report.outcomes or report.residue or report.refusal or report.before is None:
        raise RuntimeError("it was not a run with nothing to do")


def _ansible(reach: Reach, directory: Path, size: int) -> tuple[peer.Run, peer.Run]:
    program = peer.installed(ANSIBLE.absolute())
    peer.bring_libraries(reach)
    try:
        peer.write_playbook(directory, reach, size)
        first, second = peer.play(program, directory), peer.play(program, directory)
    finally:
        peer.remove_libraries(reach)
    if second.changed or not first.changed:
        raise RuntimeError("the playbook did not do what it should")
    return first, second


def seconds(work: Callable[[], object]) -> float:
    """How long it takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _often(work: Callable[[], object]) -> float:
    return median(seconds(work) for _ in range(TIMES))


@contextmanager
def _only(host: Virthost) -> Iterator[None]:
    """A host without anything of ours before and after."""
    host.clear()
    try:
        yield
    finally:
        host.clear()


@contextmanager
def taken(lab: Path, host: str) -> Iterator[None]:
    """The host is ours alone, as tests take it."""
    with (lab / f"{host}.taken").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def reach_of(lab: Path, host: str) -> Reach:
    """The way to a host of the lab, which must run."""
    said = subprocess.run(
        [COMMAND, "status", "--dir", lab, "--hosts", "9"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    found = re.search(rf"^{re.escape(host)} runs at (\S+)$", said, re.MULTILINE)
    if found is None:
        raise SystemExit(f"{host} does not run; start the lab with `make lab`")
    keys = lab / "keys"
    return Reach(host, found[1], Access(keys / "reconciler", keys / "known_hosts"))


def _print_driver(columns: dict[str, Column]) -> None:
    print("| | " + " | ".join(columns) + " |\n|---|" + "---|" * len(columns))
    for number, name in enumerate(DRIVER_ROWS):
        cells = [_cell(column[number]) for column in columns.values()]
        print(f"| {name} | " + " | ".join(cells) + " |")


def _cell(took: float | None) -> str:
    return "" if took is None else f"{took:.2f} s"


def _print_peer(found: tuple[Versus, ...], ours: int, theirs: int) -> None:
    print(f"| | reconciler, {ours:,} machines | Ansible, {theirs:,} machines | each |")
    print("|---|---|---|---|")
    for row in found:
        ratio = row.times_faster(ours, theirs)
        print(
            f"| {row.what} | {row.ours_seconds:.2f} s | {row.theirs_seconds:.2f} s "
            f"| {ratio:,.0f} times faster |"
        )
    print()


def _load() -> str:
    return f"{os.getloadavg()[0]:.1f}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hypervisor", description=__doc__)
    parser.add_argument("machines", nargs="*", type=int, default=[1000, 5000])
    parser.add_argument("--host", default="virt2")
    parser.add_argument("--lab", type=Path, default=Path(".lab"))
    parser.add_argument("--peer-machines", type=int, default=100, help="0 leaves Ansible out")
    return parser.parse_args()


if __name__ == "__main__":
    main()
