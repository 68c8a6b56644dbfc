"""What a machine is plugged into belongs to its host: it comes first, goes last, never moves."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from reconciler.kinds.network.libvirt_network import RemoveNetwork
from reconciler.kinds.network.link import LinkSpec
from reconciler.model.address import Address
from reconciler.model.change import Disruption
from reconciler.model.resource import Desired, World
from reconciler.plan.guards import check
from reconciler.plan.make import make_plan
from reconciler.plan.plan import Plan
from reconciler.plan.policy import Policy
from tests.farms.specs import machine, seen, world_of

WEB = machine()
DOMAIN = WEB[-1].address


def bridge(host: str = "virt1") -> Desired[Any]:
    address = Address("bridge", "br-lan", host)
    return Desired(address, LinkSpec(host, "br-lan", "bridge", is_made=True), adopts=True)


def plan(desired: tuple[Desired[Any], ...], world: World) -> Plan:
    return make_plan("production", desired, world)


def order(made: Plan) -> list[str]:
    return [str(change.address) for change in made.changes]


def test_what_a_machine_is_plugged_into_comes_before_it() -> None:
    made = plan((*WEB, bridge()), World())
    assert order(made) == ["bridge@virt1/br-lan", "volume/web-1-root", "domain/web-1"]


def test_a_bridge_goes_after_the_last_machine_that_was_plugged_into_it() -> None:
    made = plan((), world_of(*WEB, bridge()))
    assert order(made) == ["domain/web-1", "bridge@virt1/br-lan", "volume/web-1-root"]


def test_a_machine_that_moves_takes_no_bridge_along() -> None:
    """The bridge that it leaves goes after it, where it is; the other is there before."""
    moved = machine(host="virt2")
    made = plan((*moved, bridge("virt2")), world_of(*WEB, bridge("virt1")))
    told = order(made)
    assert told.index("bridge@virt2/br-lan") < told.index("domain/web-1")
    assert told.index("domain/web-1") < told.index("bridge@virt1/br-lan")
    (gone,) = (change for change in made.changes if change.address == bridge("virt1").address)
    assert {machine for step in gone.operations for machine in step.machines} == {"virt1"}


def test_a_machine_that_moves_lets_go_of_no_bridge_that_nobody_makes() -> None:
    made = plan(machine(host="virt2"), world_of(*WEB))
    (move,) = (change for change in made.changes if change.address == DOMAIN)
    assert not [step for step in move.operations if "br-lan" in str(step)]
    assert str(move.operations[0]).startswith("migrate domain")


def test_a_bridge_that_changes_comes_before_a_machine_that_changes() -> None:
    bigger = (*WEB[:-1], replace(WEB[-1], spec=replace(WEB[-1].spec, vcpus=3)))
    jumbo = replace(bridge(), spec=replace(bridge().spec, mtu=9000))
    world = World(tuple(seen(each) for each in (*WEB, bridge())))
    made = plan((*bigger, jumbo), world)
    assert order(made) == ["bridge@virt1/br-lan", "domain/web-1"]
    assert made.changes[1].needs == {bridge().address}


def test_a_bridge_that_a_machine_has_left_is_not_measured_as_a_part_of_it() -> None:
    plugs = tuple(replace(each, bridge="br-dmz") for each in WEB[-1].spec.interfaces)
    left = (*WEB[:-1], replace(WEB[-1], spec=replace(WEB[-1].spec, interfaces=plugs)))
    made = plan(left, world_of(*WEB, bridge()))
    assert order(made) == ["domain/web-1", "bridge@virt1/br-lan"]
    *rest, gone = made.changes
    costly = RemoveNetwork("virt1", "br-lan", Disruption.RESTART)
    costs = replace(made, changes=(*rest, replace(gone, operations=(costly,))))
    assert not check(costs, Policy(max_disruption=Disruption.LIVE))


def test_a_machine_without_a_host_waits_for_no_bridge() -> None:
    homeless = replace(WEB[-1], spec=replace(WEB[-1].spec, host=None))
    world = World(tuple(seen(each) for each in WEB))
    assert plan((*WEB[:-1], homeless, bridge()), world).changes
