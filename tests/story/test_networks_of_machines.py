"""Machines and the networks that the same documents make: who waits for whom, both ways."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.drivers.simulated.base.state import Base
from reconciler.drivers.simulated.farm import SimulatedFarm
from reconciler.drivers.simulated.faults import Fault
from reconciler.drivers.simulated.state import FarmState, Host, Pool, Server
from reconciler.engine.apply import Outcome, Result
from reconciler.errors import Conflict
from reconciler.model.address import Address
from reconciler.model.resource import Desired
from reconciler.plan.guards import check
from reconciler.plan.policy import Policy
from reconciler.ports.network_acts import RemoveInterface
from reconciler.render.render import render
from tests.farms.repository import documents
from tests.farms.rounds import Environment

GIB = 1024**3
DOMAIN = Address("domain", "web-1")
BRIDGE = Address("bridge", "br-lan", "virt1")
NAT = Address("libvirt_network", "nat0", "virt1")
KEPT = Address("libvirt_reservations", "nat0.production", "virt1")
LAN = """\
kind: Network
name: lan
subnet: 192.168.1.0/24
bridge: br-lan
gateway: 192.168.1.1
hosts: [{name: virt1, address: 192.168.1.3, ports: [eth1]}]
"""
PRIVATE = """\
kind: Network
name: lan
subnet: 192.168.1.0/24
bridge: nat0
switch: libvirt
gateway: 192.168.1.1
hosts: [{name: virt1}]
dhcp: {}
partitions: [{name: any, range: 192.168.1.200-192.168.1.220, purpose: dynamic}]
"""
WEB = """\
kind: VirtualMachine
name: web-1
image: debian-12
cpus: 2
memory: 2 GiB
host: virt1
disks: [{name: root, size: 16 GiB}]
networks: [{network: lan, address: 192.168.1.129}]
"""
NO_ZONE = {"environments/production/zone.yaml": ""}


def environment(network: str, machine: str = WEB) -> Environment:
    host = Host(64 * GIB, 16, pools={"default": Pool(1024 * GIB)}, base=Base())
    farm = SimulatedFarm(FarmState({"virt1": host}, {"ns1": Server()}))
    return Environment(farm, wishes(network, machine), policy=Policy())


def wishes(network: str, machine: str = WEB) -> tuple[Desired[Any], ...]:
    return render(documents({"networks.yaml": network, "vms/web-1.yaml": machine, **NO_ZONE}))


def done(outcomes: tuple[Outcome, ...]) -> list[Address]:
    assert {each.result for each in outcomes} <= {Result.DONE}, outcomes
    return [each.address for each in outcomes]


def is_running(world: Environment) -> bool:
    domains = world.farm.state.hosts["virt1"].domains
    return "production-web-1" in domains and domains["production-web-1"].running


def is_settled(world: Environment) -> bool:
    plan = world.look().plan
    return not (plan.changes or plan.remarks)


def test_a_bridge_is_there_before_the_machine_that_is_plugged_into_it() -> None:
    world = environment(LAN)
    order = done(world.turn())
    assert order.index(BRIDGE) < order.index(DOMAIN)
    assert is_running(world)
    assert is_settled(world)


def test_a_network_of_libvirt_and_its_reservations_come_before_the_machine() -> None:
    world = environment(PRIVATE)
    order = done(world.turn())
    assert order.index(NAT) < order.index(KEPT) < order.index(DOMAIN)
    (kept,) = world.farm.state.hosts["virt1"].networks["nat0"].reservations
    assert (kept.address, kept.hostname) == ("192.168.1.129", "production-web-1")
    assert is_settled(world)


@pytest.mark.parametrize(("network", "made"), [(LAN, BRIDGE), (PRIVATE, NAT)])
def test_a_network_goes_after_its_last_machine(network: str, made: Address) -> None:
    world = environment(network)
    world.turn()
    world.desired = wishes("", "")
    look = world.look()
    order = [change.address for change in look.plan.changes]
    assert order.index(DOMAIN) < order.index(made)
    assert KEPT not in order or order.index(DOMAIN) < order.index(KEPT) < order.index(made)
    assert done(world.apply(look)) == order
    assert is_settled(world)


def test_no_bridge_goes_from_under_a_running_machine() -> None:
    world = environment(LAN)
    world.turn()
    with pytest.raises(Conflict, match=r"guests are plugged into br-lan \(production-web-1\)"):
        world.farm.machine("virt1").do((RemoveInterface("br-lan", "bridge", ()),))
    assert "br-lan" in world.farm.state.hosts["virt1"].base.links


def test_a_machine_whose_bridge_was_not_made_is_not_begun_and_the_reason_is_told() -> None:
    world = environment(LAN)
    world.farm.add_fault(Fault("virt1", "put_interface", "fails-before", times=1))
    ended = {each.address: each for each in world.turn()}
    assert ended[BRIDGE].result is Result.FAILED
    assert ended[DOMAIN].result is Result.SKIPPED
    assert ended[DOMAIN].message == "needs bridge@virt1/br-lan, which did not end well"
    assert not world.farm.state.hosts["virt1"].domains
    world.turn()
    assert is_running(world)


def test_a_machine_can_go_from_one_sort_of_network_to_another() -> None:
    world = environment(LAN)
    world.turn()
    world.desired = wishes(PRIVATE)
    look = world.look()
    order = [change.address for change in look.plan.changes]
    assert order.index(NAT) < order.index(DOMAIN) < order.index(BRIDGE)
    assert not check(look.plan, Policy())
    done(world.apply(look))
    assert is_running(world)
    assert is_settled(world)
