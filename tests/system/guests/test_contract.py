"""The contract of hypervisors on libvirt with QEMU, as far as it needs no system in the guests.

The guests of the contract have empty disks: what needs one that answers is in `test_live_changes`
and `test_moves`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from reconciler.drivers.farm import RealFarm
from reconciler.ports.hypervisor import ImageSource
from tests.contract.bench import NOT_IN_THE_LAB, POOL, Bench
from tests.contract.test_hypervisor_domains import *  # noqa: F403 - the tests of the contract
from tests.contract.test_hypervisor_networks import *  # noqa: F403 - the tests of the contract
from tests.contract.test_hypervisor_pools import *  # noqa: F403 - the tests of the contract
from tests.contract.test_hypervisor_snapshots import *  # noqa: F403 - the tests of the contract
from tests.contract.test_hypervisor_trash import *  # noqa: F403 - the tests of the contract
from tests.contract.test_hypervisor_volumes import *  # noqa: F403 - the tests of the contract
from tests.system.driven import driven
from tests.system.lab import Lab, LabHost, taken

FOREIGN = """
<domain type="qemu"><name>{name}</name><memory unit="GiB">1</memory><vcpu>1</vcpu>
  <os><type>hvm</type></os><devices/></domain>
"""


@pytest.fixture(scope="module")
def farm(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealFarm]:
    state = tmp_path_factory.mktemp("state")
    with (
        taken(lab.directory, "virt1"),
        driven(lab, state, shutdown_deadline=timedelta(seconds=1)) as farm,
    ):
        yield farm
        lab.hosts["virt1"].clean()


@pytest.fixture
def bench(request: pytest.FixtureRequest, lab: Lab, farm: RealFarm) -> Bench:
    for mark in request.node.iter_markers("needs"):
        if reason := NOT_IN_THE_LAB.get(mark.args[0]):
            pytest.skip(reason)
    host, hypervisor = lab.hosts["virt1"], farm.hypervisor("virt1")
    host.clean()
    hypervisor.volumes()  # the fence went with the directory that was cleaned away
    return Bench(
        hypervisor=hypervisor,
        add_foreign=lambda name: define(host, name),
        add_image=no_image,
        vanish=lambda name: vanish(host, name),
    )


def no_image(image: ImageSource, capacity_bytes: int) -> None:
    pytest.fail(f"{image.name} of {capacity_bytes} bytes is nowhere to be had")


def define(host: LabHost, name: str) -> None:
    text = FOREIGN.format(name=name).encode()
    host.run("virsh", "define", "/dev/stdin", stdin=text)


def vanish(host: LabHost, name: str) -> None:
    host.run("virsh", "vol-delete", name, POOL)
