"""F26: kill -9 at any step of a rollback: it ends in git and on the farm as a whole one does."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from reconciler.drivers.simulated.farm import SimulatedFarm
from reconciler.drivers.simulated.faults import Fault
from tests.faults.crash_run import KILLED, RESULT, sync_until
from tests.faults.rollback_crash import go_back_until
from tests.faults.test_F01_killed_turns import PROCESSES, SMALL, host, machine
from tests.remotes.origin import Origin, git
from tests.scenes.scene import Clock, example_hosts

SHARES, EVERY = 2, 5
POLICY = b"kind: Environment\nname: production\ndomain: farm.internal\nrollback: automatic\n"
BRANCHES = ("production", "development")


@pytest.fixture
def failing(tmp_path: Path) -> Path:
    """A site whose production has been failing at a new commit."""
    root = tmp_path / "before"
    origin, clock = Origin(root / "origin.git"), Clock()
    farm = SimulatedFarm.create(root / "world.yaml", example_hosts(), sleep=clock.sleep)
    files = {**SMALL, "environments/production/environment.yaml": POLICY}
    files["vms/stays.yaml"] = machine("stays", 130, "2 GiB")
    files["vms/goes.yaml"] = machine("goes", 131, "1 GiB")
    files["hosts/virt1.yaml"] = host("old")
    good = origin.commit("production", files)
    run(sync_until, root)
    origin.git("branch", "development", good)
    bad = {"vms/stays.yaml": machine("stays", 130, "4 GiB")}
    origin.commit("development", bad, message="Grow")
    origin.git("update-ref", "refs/heads/production", origin.head("development") or "")
    farm.add_fault(Fault(where="virt1", operation="define_domain", mode="fails-before", times=9))
    run(sync_until, root)
    return root


def run(what: object, root: Path, step: int = 0) -> int | None:
    process = PROCESSES.Process(target=what, args=(root, step))  # type: ignore[arg-type]
    process.start()
    process.join(60)
    return process.exitcode


def ends(root: Path) -> object:
    """How it stands in git and on the farm; the journal's own history apart."""
    origin = root / "origin.git"
    heads = [git(origin, "rev-parse", branch) for branch in BRANCHES]
    memory = SimulatedFarm.open(root / "world.yaml", sleep=Clock().sleep).state
    machines = memory.hosts["virt1"].domains
    return heads, {name: each.definition for name, each in machines.items()}


@pytest.mark.timeout(900)
@pytest.mark.parametrize("share", range(SHARES))
def test_F26_a_killed_rollback_ends_as_a_whole_one(
    failing: Path, tmp_path: Path, share: int
) -> None:
    whole = tmp_path / "whole"
    shutil.copytree(failing, whole, symlinks=True)
    assert run(go_back_until, whole) == 0
    steps, _, finding = (whole / RESULT).read_text().partition(" ")
    assert finding == "None"
    assert git(whole / "origin.git", "log", "-1", "--format=%an", "development") == "reconciler"
    problems = []
    for step in range(1 + share * EVERY, int(steps) + 1, SHARES * EVERY):
        mine = tmp_path / f"at-{step}"
        shutil.copytree(failing, mine, symlinks=True)
        if run(go_back_until, mine, step) != KILLED or run(go_back_until, mine) != 0:
            problems.append(f"step {step}: it did not run as it should")
        elif ends(mine) != ends(whole):
            problems.append(f"step {step}: {ends(mine)} is not {ends(whole)}")
        shutil.rmtree(mine)
    assert problems == []
