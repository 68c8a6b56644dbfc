"""F01: kill -9 at any step of a turn: the next one looks, goes on, and ends where it would have."""

from __future__ import annotations

import multiprocessing
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from reconciler.drivers.simulated import by_hand
from reconciler.drivers.simulated.farm import SimulatedFarm
from reconciler.drivers.simulated.state import FarmState
from tests.farms.virthost import timeless
from tests.faults.crash_run import KILLED, RESULT, sync_until
from tests.remotes.origin import Origin, git
from tests.scenes.scene import Clock, example_hosts

SHARES = 4
LEAST_STEPS = 30
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["tests.faults.crash_run"])
SMALL = {
    "farm.yaml": b"kind: Farm\nname: farm\ndomain: farm.internal\ncontact: a@farm.internal\n",
    "environments/production/environment.yaml": (
        b"kind: Environment\nname: production\ndomain: farm.internal\n"
    ),
    "hosts/virt1.yaml": b"",
    "networks/lan.yaml": (b"kind: Network\nname: lan\nsubnet: 192.168.1.0/24\nbridge: br-lan\n"),
    "zones/farm.yaml": (
        b"kind: Zone\nname: farm.internal\nserver: ns\nprimary: ns\nnameservers: [ns]\n"
        b"records:\n  - {name: ns, type: A, values: [192.168.1.17]}\n"
    ),
    "vms/stays.yaml": b"",
    "vms/goes.yaml": b"",
}


def host(rules: str) -> bytes:
    """A host with a pool that is there, and a service that reads a file."""
    return (
        "kind: Host\nname: virt1\nenvironment: production\naddress: 192.168.1.1\n"
        "memory: 64 GiB\n"
        "pools:\n  - {name: default, size: 1 TiB, target: /var/lib/libvirt/images}\n"
        f"files:\n  - {{path: /etc/cron.rules, content: {rules}}}\n"
        "services:\n  - {name: cron, running: true, reads: [/etc/cron.rules]}\n"
    ).encode()


def machine(name: str, address: int, memory: str) -> bytes:
    return (
        f"kind: VirtualMachine\nname: {name}\nmemory: {memory}\n"
        "disks:\n  - {name: root, size: 8 GiB}\n"
        f"networks:\n  - {{network: lan, address: 192.168.1.{address}}}\n"
    ).encode()


@dataclass(frozen=True)
class Stage:
    """A site on disk that can be copied, run, killed and run again."""

    root: Path

    def copy(self, to: Path) -> Stage:
        shutil.copytree(self.root, to, symlinks=True)
        return Stage(to)

    def run(self, step: int = 0) -> int | None:
        """Sync in a process of its own; gives its exit code."""
        process = PROCESSES.Process(target=sync_until, args=(self.root, step))
        process.start()
        process.join(60)
        return process.exitcode

    @property
    def result(self) -> str:
        return (self.root / RESULT).read_text()

    @property
    def farm(self) -> FarmState:
        return SimulatedFarm.open(self.root / "world.yaml", sleep=Clock().sleep).state

    def events(self) -> list[str]:
        log = git(self.root / "origin.git", "log", "--format=%s", "reconciler/production")
        return [line.partition("(")[0] for line in log.splitlines()]


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """Two machines converged; then one is to go, one to grow, one to come, and one has drifted."""
    root = tmp_path / "before"
    origin = Origin(root / "origin.git")
    clock = Clock()
    farm = SimulatedFarm.create(root / "world.yaml", example_hosts(), sleep=clock.sleep)
    files = {**SMALL, "vms/stays.yaml": machine("stays", 130, "2 GiB")}
    files["hosts/virt1.yaml"] = host("old")
    files["vms/goes.yaml"] = machine("goes", 131, "1 GiB")
    origin.commit("production", files)
    stage = Stage(root)
    assert stage.run() == 0
    changed = {"vms/goes.yaml": None, "vms/comes.yaml": machine("comes", 132, "1 GiB")}
    changed["vms/stays.yaml"] = machine("stays", 130, "4 GiB")
    changed["hosts/virt1.yaml"] = host("new")
    message = "Change\n\nReconciler-Allow: mass-record-change"
    origin.commit("production", changed, message=message)
    by_hand.stop_domain(farm, "virt1", "production-stays")
    return stage


@pytest.mark.timeout(600)
@pytest.mark.parametrize("share", range(SHARES))
def test_F01_a_killed_turn_ends_where_it_would_have(
    stage: Stage, tmp_path: Path, share: int
) -> None:
    whole = stage.copy(tmp_path / "whole")
    assert whole.run() == 0
    steps, _, finding = whole.result.partition(" ")
    assert finding == "None"
    assert int(steps) > LEAST_STEPS
    problems = []
    for step in range(1 + share, int(steps) + 1, SHARES):
        mine = stage.copy(tmp_path / f"at-{step}")
        problems.append(problem(mine, whole, step))
        shutil.rmtree(mine.root)
    assert [each for each in problems if each] == []


def problem(mine: Stage, whole: Stage, step: int) -> str:
    """What is wrong after a death at this step and one more turn; empty if nothing is."""
    if mine.run(step) != KILLED:
        return f"step {step}: it did not get that far"
    if mine.run() != 0 or not mine.result.endswith("None"):
        return f"step {step}: the next turn says {mine.result}"
    if _without_serials(mine.farm) != _without_serials(whole.farm):
        return f"step {step}: the farm ends as another one"
    if (
        mine.events()[0] not in {"sync", "heal", "ready"}
        or len(mine.events()) > len(whole.events()) + 1
    ):
        return f"step {step}: the journal says {mine.events()}"
    return ""


def _without_serials(farm: FarmState) -> object:
    """All of the farm but how often its zones and hosts were written."""
    zones = {
        (server, name): (zone.timers, zone.records)
        for server, each in farm.nameservers.items()
        for name, zone in each.zones.items()
    }
    hosts = {name: replace(at, base=timeless(at.base)) for name, at in farm.hosts.items()}
    return hosts, zones
