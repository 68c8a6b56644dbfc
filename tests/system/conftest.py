"""The lab for the tests that need real hosts, and hosts that are clean before and after a test."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.system.lab import CHECKOUT, Lab, LabHost, start, taken

HOSTS = 8
BUILT_AND_BOOTED = timedelta(minutes=15)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Each test here is a system test, and the first of them may have to build the lab."""
    here = Path(__file__).parent
    ours = [item for item in items if here in item.path.parents]
    for item in ours:
        item.add_marker("system")
    if ours and not ours[0].get_closest_marker("timeout"):
        ours[0].add_marker(pytest.mark.timeout(BUILT_AND_BOOTED.total_seconds()))


@pytest.fixture(scope="session")
def lab() -> Lab:
    """The lab, up. It stays up for the next run; `make lab-down` ends it."""
    if os.geteuid() != 0:
        pytest.fail("the lab needs root for its namespaces: run make system as root, or with sudo")
    return start(CHECKOUT / ".lab", hosts=HOSTS)


@pytest.fixture
def virthosts(lab: Lab) -> Iterator[tuple[LabHost, LabHost]]:
    """Two hosts with no guest and no volume, this test's alone; wiped again afterwards."""
    one, two = lab.hosts["virt1"], lab.hosts["virt2"]
    with taken(lab.directory, one.name), taken(lab.directory, two.name):
        wipe(lab, one, two)
        yield one, two
        wipe(lab, one, two)


@pytest.fixture
def virthost(lab: Lab) -> Iterator[LabHost]:
    """One host with no guest and no volume, this test's alone; wiped again afterwards."""
    host = lab.hosts["virt1"]
    with taken(lab.directory, host.name):
        wipe(lab, host)
        yield host
        wipe(lab, host)


def wipe(lab: Lab, *hosts: LabHost) -> None:
    """Clean the hosts; those that a test left dead are booted first."""
    try:
        for host in hosts:
            host.clean()
    except (AssertionError, subprocess.TimeoutExpired):
        lab.boot()
        for host in hosts:
            host.clean()
