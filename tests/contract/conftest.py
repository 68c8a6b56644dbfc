"""The drivers that the contracts are tried on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.drivers.libvirt_.connection import LibvirtConnection
from reconciler.drivers.libvirt_.hypervisor import LibvirtHypervisor, Patience
from reconciler.drivers.simulated import by_hand, by_hand_base
from reconciler.drivers.simulated.farm import SimulatedFarm
from reconciler.drivers.simulated.state import FarmState, Host, Pool, Server
from reconciler.errors import DriverError
from reconciler.ports.hypervisor import ImageSource
from tests.contract.bench import (
    GIB,
    LOST_IMAGE,
    NOT_ON_TEST_DRIVER,
    OWNER,
    POOL,
    Bench,
    definition,
    volume,
)
from tests.contract.machine_bench import ROOM_ITSELF, MachineBench
from tests.contract.name_bench import NameBench
from tests.unit.drivers.libvirt_.stores import SharedConnection, image_name, storage_of

NODE = """
<node>
  <cpu><mhz>2000</mhz><model>x86_64</model><active>8</active><nodes>1</nodes>
    <sockets>1</sockets><cores>8</cores><threads>1</threads></cpu>
  <memory>33554432</memory>
  <pool type="dir"><name>default</name><target><path>/pools/default</path></target></pool>
</node>
"""
FOREIGN = """
<domain type="test"><name>{name}</name><memory unit="GiB">1</memory><vcpu>1</vcpu>
  <os><type>hvm</type></os><devices/></domain>
"""


def simulated_host() -> Host:
    return Host(
        memory_bytes=32 * GIB,
        cpus=8,
        accelerators=("qemu",),
        bridges=("br-lan",),
        pools={POOL: Pool(100 * GIB)},
    )


@pytest.fixture
def farm() -> SimulatedFarm:
    return SimulatedFarm(
        FarmState(
            hosts={
                "virt1": simulated_host(),
                "virt2": simulated_host(),
                "bare": Host(memory_bytes=32 * GIB, accelerators=("qemu",)),
            },
            nameservers={"ns1": Server()},
            missing_images=(LOST_IMAGE.name,),
        )
    )


@pytest.fixture
def simulated_bench(farm: SimulatedFarm) -> Bench:
    foreign = {"disks": (), "interfaces": (), "memory_bytes": GIB, "vcpus": 1}
    return Bench(
        hypervisor=farm.hypervisor("virt1"),
        hosts={name: farm.hypervisor(name) for name in farm.state.hosts},
        add_foreign=lambda name: by_hand.add_domain(
            farm, "virt1", definition(name, **foreign), running=False
        ),
        add_image=lambda _image, _capacity_bytes: None,  # it fetches what it does not have
        vanish=lambda name: by_hand.delete_volume(farm, "virt1", POOL, name),
    )


def patient() -> Patience:
    """It waits as long as it should, in no time."""
    waited = [0.0]
    return Patience(sleep=waited.append, monotonic=lambda: sum(waited))


@pytest.fixture
def libvirt_bench(tmp_path: Path) -> Iterator[Bench]:
    node = tmp_path / "node.xml"
    node.write_text(NODE, encoding="utf-8")
    shared = SharedConnection(f"test://{node}")
    connection = LibvirtConnection("virt1", "", opener=lambda _uri: shared)
    hypervisor = LibvirtHypervisor(
        connection,
        storage_of(pool=POOL),
        patient(),
        domain_types={"qemu": "test"},
    )

    def add_foreign(name: str) -> None:
        def define(raw: Any) -> None:
            raw.defineXML(FOREIGN.format(name=name))

        connection.run("define a foreign domain", define)

    def add_image(image: ImageSource, capacity_bytes: int) -> None:
        copy = volume(image_name(image), capacity_bytes=capacity_bytes)
        hypervisor.create_volume(copy, OWNER)

    def vanish(name: str) -> None:
        def delete(raw: Any) -> None:
            raw.storagePoolLookupByName(POOL).storageVolLookupByName(name).delete(0)

        connection.run("delete a volume", delete)

    yield Bench(hypervisor, add_foreign, add_image, vanish)
    connection.close()


@pytest.fixture(
    params=["simulated_bench", pytest.param("libvirt_bench", marks=pytest.mark.libvirt)],
    ids=["simulated", "libvirt"],
)
def bench(request: pytest.FixtureRequest) -> Bench:
    if request.param == "libvirt_bench":
        for mark in request.node.iter_markers("needs"):
            if mark.args[0] in NOT_ON_TEST_DRIVER:
                expect_less_of_test_driver(request, mark.args[0])
    found: Bench = request.getfixturevalue(request.param)
    return found


def expect_less_of_test_driver(request: pytest.FixtureRequest, need: str) -> None:
    """A test that needs what is missing there must fail; when it passes, the table is old."""
    wrong = (DriverError, AssertionError, pytest.fail.Exception)
    mark = pytest.mark.xfail(reason=NOT_ON_TEST_DRIVER[need], raises=wrong, strict=True)
    request.applymarker(mark)


@pytest.fixture
def machine_bench(farm: SimulatedFarm) -> MachineBench:
    """The base of a simulated host. The rival is a process of its own with the same farm."""
    bench = MachineBench(
        machine=farm.machine("virt1"),
        rival=lambda: farm.neighbour().machine("virt1"),
        write=lambda path, content: by_hand_base.edit_file(farm, "virt1", path, content),
        remove=lambda path: by_hand_base.remove_file(farm, "virt1", path),
        set_disk=lambda disk: by_hand_base.set_disk(farm, "virt1", disk),  # type: ignore[arg-type]
        add_port=lambda name: by_hand_base.set_link(farm, "virt1", name),
        load_rules=lambda table, text: by_hand_base.load_rules(farm, "virt1", table, text),
    )
    bench.do(ROOM_ITSELF)
    return bench


@pytest.fixture(params=["simulated"])
def name_bench(farm: SimulatedFarm) -> NameBench:
    return NameBench(
        server=farm.nameserver("ns1"),
        put_by_hand=lambda zone, record: by_hand.put_record(farm, "ns1", zone, record),
        remove_by_hand=lambda zone, key: by_hand.remove_record(farm, "ns1", zone, key),
        today=farm.time.date,
    )
