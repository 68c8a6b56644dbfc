"""What was done with virsh on a host is accepted: git says it, and the guest never notices."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.system.guests.test_story import Desk
from tests.system.lab import Lab, LabHost, await_guest

ADDRESS = "10.213.8.149"
FILE = "environments/production/vms/taken.yaml"
BRANCH = "accept/production/domain-taken"


@pytest.fixture
def desk(lab: Lab, virthosts: tuple[LabHost, LabHost], tmp_path: Path) -> Desk:
    return Desk(tmp_path, lab)


@pytest.mark.timeout(600)
def test_memory_that_was_set_by_virsh_is_accepted(
    desk: Desk, virthosts: tuple[LabHost, LabHost]
) -> None:
    networks = f"networks: [{{network: lan, address: {ADDRESS}}}]"
    sizes = ("memory: 192 MiB  # enough", "memory_maximum: 256 MiB")
    desk.machine("taken", "stack: tiny", "host: virt1", *sizes, networks)
    desk.sync()
    before = await_guest(ADDRESS)
    less = ("virsh", "setmem", "production-taken", "160M", "--live", "--config")
    virthosts[0].run(*less)
    assert desk.run("drift", "-e", "production").returncode == 2
    done = desk.run("accept", "domain/taken", "-e", "production")
    assert done.returncode == 0, done.stdout + done.stderr
    assert desk.origin.git("diff", "--stat=200", "production", BRANCH).count("+-") == 1
    text = desk.origin.git("show", f"{BRANCH}:{FILE}")
    assert "memory: 160 MiB  # enough" in text
    desk.origin.git("update-ref", "refs/heads/production", f"refs/heads/{BRANCH}")
    assert desk.plan() == {}
    desk.sync()
    after = await_guest(ADDRESS)
    assert (after.boot_id, after.boots) == (before.boot_id, before.boots)
