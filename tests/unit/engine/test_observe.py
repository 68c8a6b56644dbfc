"""One look at everything; what cannot be looked at is unknown."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from reconciler.drivers.simulated.farm import SimulatedFarm
from reconciler.drivers.simulated.faults import Fault
from reconciler.engine.observe import described, observe, scopes_of
from reconciler.kinds import KIND_BY_NAME
from reconciler.model.address import Scope
from reconciler.model.resource import owner_of
from reconciler.ports.hypervisor import Hypervisor
from reconciler.ports.machine import Machine
from reconciler.ports.nameserver import Nameserver
from tests.farms.specs import machine, simulated_farm, want, zone_spec

VIRT1, VIRT2 = Scope("host", "virt1"), Scope("host", "virt2")
ZONE = Scope("zone", "farm", "ns1")
DESIRED = (*machine(), want(zone_spec(), "farm"))


def converged() -> SimulatedFarm:
    farm = simulated_farm()
    for each in DESIRED:
        kind = KIND_BY_NAME[each.address.kind]
        for step in kind.create(each.spec, owner_of("production", each)):
            step.run(farm)
    return farm


def test_all_hosts_all_wanted_zones_and_what_is_remembered_are_looked_at() -> None:
    old = Scope("zone", "old", "ns1")
    assert scopes_of(DESIRED, ["virt1", "virt2"], [old]) == {VIRT1, VIRT2, ZONE, old}
    assert scopes_of((), []) == frozenset()


def test_a_look_sees_everything_in_its_scopes() -> None:
    world = observe([VIRT1, VIRT2, ZONE], converged())
    assert {str(seen.address) for seen in world.observed} == {
        "volume/web-1-root",
        "domain/web-1",
        "zone/farm",
    }
    assert world.unknown == {}


def test_a_look_at_one_scope_or_at_none() -> None:
    farm = converged()
    assert [str(seen.address) for seen in observe([ZONE], farm).observed] == ["zone/farm"]
    assert observe([], farm).observed == ()


def test_what_does_not_answer_is_unknown_with_the_reason_and_holds_up_nobody() -> None:
    farm = converged()
    farm.add_fault(Fault("virt1"))
    world = observe([VIRT1, VIRT2, ZONE], farm)
    assert world.unknown == {VIRT1: "virt1: volumes: it cannot be reached"}
    assert [str(seen.address) for seen in world.observed] == ["zone/farm"]


def test_half_a_look_at_a_host_is_no_look() -> None:
    farm = converged()
    farm.add_fault(Fault("virt1", "domains"))
    world = observe([VIRT1], farm)
    assert world.observed == ()
    assert set(world.unknown) == {VIRT1}


def test_a_host_that_does_not_exist_is_unknown() -> None:
    assert (
        "there is no such host"
        in observe([Scope("host", "virt9")], converged()).unknown[Scope("host", "virt9")]
    )


@dataclass
class Meeting:
    """Ports that answer only when as many ask as are expected."""

    farm: SimulatedFarm
    barrier: threading.Barrier

    def hypervisor(self, host: str) -> Hypervisor:
        self.barrier.wait()
        return self.farm.hypervisor(host)

    def nameserver(self, server: str) -> Nameserver:
        return self.farm.nameserver(server)

    def machine(self, host: str) -> Machine:
        return self.farm.machine(host)


def test_scopes_are_looked_at_side_by_side() -> None:
    ports = Meeting(converged(), threading.Barrier(2, timeout=30))
    assert observe([VIRT1, VIRT2], ports).unknown == {}


def test_zones_of_servers_that_nobody_describes_any_more_are_forgotten() -> None:
    farm = simulated_farm(servers=("ns1",))
    kept = {Scope("zone", "farm", "ns1"), Scope("host", "virt9"), Scope("base", "virt9")}
    gone = {Scope("zone", "farm", "ns2"), Scope("zone", "farm", "ns1/outside")}
    assert described(kept | gone, farm) == kept
