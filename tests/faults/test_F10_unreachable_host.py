"""F10: a host that cannot be reached: its things are unknown and never absent, others converge."""

from __future__ import annotations

import pytest

from reconciler.drivers.simulated.farm import SimulatedFarm
from reconciler.drivers.simulated.faults import Fault
from reconciler.model.plain import digest_of
from tests.farms import truth
from tests.farms.rounds import Environment
from tests.farms.specs import a_record, machine, simulated_farm, want, zone_spec
from tests.farms.sync import settle
from tests.farms.town import ANYTHING_GOES

ZONE = want(zone_spec(a_record("www")), "farm")
FLEET = (*machine("here", host="virt1"), *machine("there", host="virt2"), ZONE)
GONE = Fault("virt2")


def converged() -> tuple[SimulatedFarm, Environment]:
    farm = simulated_farm()
    environment = Environment(farm, FLEET, policy=ANYTHING_GOES)
    settle(environment)
    return farm, environment


def names(farm: SimulatedFarm, host: str) -> list[str]:
    return sorted(farm.state.hosts[host].domains)


def test_its_things_are_unknown_and_nothing_is_done_to_them() -> None:
    farm, environment = converged()
    farm.add_fault(GONE)
    before = farm.state
    plan = environment.look().plan
    assert plan.changes == ()
    assert {str(each.address) for each in plan.unknown} == {"domain/there", "volume/there-root"}
    assert all("virt2 cannot be looked at" in each.reason for each in plan.unknown)
    environment.turn()
    assert farm.state == before


def test_the_others_converge_at_once_and_the_rest_when_it_is_back() -> None:
    farm, environment = converged()
    farm.add_fault(GONE)
    environment.desired = (
        *machine("here", host="virt1", vcpus=4),
        *machine("new", host="virt1"),
        *machine("there", host="virt2", vcpus=4),
        want(zone_spec(a_record("www", "10.0.0.1")), "farm"),
    )
    environment.turn()
    assert names(farm, "virt1") == ["production-here", "production-new"]
    assert environment.look().plan.changes == ()
    farm.remove_faults()
    settle(environment)
    assert truth.misfits("production", environment.desired, farm.state) == []


def test_a_machine_of_a_lost_host_is_not_made_elsewhere() -> None:
    """Neither for want of a host in its document, nor because the document names another one."""
    farm, environment = converged()
    farm.add_fault(GONE)
    for wanted in (machine("there", host=None), machine("there", host="virt1")):
        environment.desired = (*FLEET[:2], *wanted, ZONE)
        environment.turn()
        environment.turn()
        assert names(farm, "virt1") == ["production-here"]


def test_a_machine_is_moved_by_nobody_but_the_reconciler_when_its_host_is_back() -> None:
    farm, environment = converged()
    farm.add_fault(GONE)
    environment.desired = (*FLEET[:2], *machine("there", host="virt1"), ZONE)
    environment.turn()
    farm.remove_faults()
    settle(environment)
    assert names(farm, "virt1") == ["production-here", "production-there"]
    assert names(farm, "virt2") == []


def test_a_machine_that_is_not_wanted_any_more_goes_when_its_host_is_back() -> None:
    farm, environment = converged()
    farm.add_fault(GONE)
    environment.desired = (*FLEET[:2], ZONE)
    environment.turn()
    assert names(farm, "virt2") == ["production-there"]
    farm.remove_faults()
    settle(environment)
    assert names(farm, "virt2") == []


@pytest.mark.parametrize("remembers", [True, False])
def test_a_machine_that_a_dead_run_may_have_made_is_not_made_twice(*, remembers: bool) -> None:
    """The run died before it could write down where it had begun to make the machine."""
    farm, environment = converged()
    spread = machine("spread", host=None, accelerator=None)
    environment.desired = (*FLEET, *spread)
    memory = dict(environment.memory)
    environment.turn()
    (home,) = [h for h in ("virt1", "virt2") if "production-spread" in names(farm, h)]
    if not remembers:
        environment.memory = memory
    farm.add_fault(Fault(home))
    environment.turn()
    everywhere = names(farm, "virt1") + names(farm, "virt2")
    assert everywhere.count("production-spread") == 1


def test_a_name_server_that_cannot_be_reached_holds_up_only_its_zones() -> None:
    farm, environment = converged()
    farm.add_fault(Fault("ns1"))
    wanted = machine("here", host="virt1", vcpus=4)
    environment.desired = (*wanted, *FLEET[2:])
    environment.turn()
    (domain,) = farm.state.hosts["virt1"].domains.values()
    assert domain.definition.vcpus == 4
    assert [str(each.address) for each in environment.look().plan.unknown] == ["zone/farm"]


def test_what_was_remembered_is_remembered_through_the_outage() -> None:
    farm, environment = converged()
    farm.add_fault(GONE)
    for _ in range(3):
        environment.turn()
    there = FLEET[3]
    assert environment.memory[there.address].host == "virt2"
    assert environment.memory[there.address].digest == digest_of(there.spec)
