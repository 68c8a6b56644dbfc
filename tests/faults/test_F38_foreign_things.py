"""F38: what is there but not ours is reported and never touched, whatever it is called."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.drivers.simulated import by_hand
from reconciler.drivers.simulated.farm import SimulatedFarm
from reconciler.drivers.simulated.state import Volume
from reconciler.model.resource import Desired, Owner
from reconciler.plan.guards import check
from reconciler.ports.hypervisor import Disk, DomainDefinition, Interface
from reconciler.ports.nameserver import NewZone, RecordSet, Timers
from tests.farms import truth
from tests.farms.rounds import Environment
from tests.farms.specs import (
    APEX,
    GIB,
    TIMERS,
    a_record,
    mac_of,
    machine,
    simulated_farm,
    uuid_of,
    want,
    zone_spec,
)
from tests.farms.sync import settle
from tests.farms.town import ANYTHING_GOES

ZONE = want(zone_spec(a_record("www")), "farm")
WEB = machine()
STRAY = DomainDefinition("stray", uuid_of("", "stray"), "kvm", 1, GIB)


def farm_with_strays() -> SimulatedFarm:
    farm = simulated_farm()
    disk = Disk("root", "default", "stray-root")
    by_hand.add_domain(farm, "virt1", replace(STRAY, disks=(disk,)))
    by_hand.add_volume(farm, "virt2", "fast", "stray", Volume("raw", GIB))
    settle(Environment(farm, [ZONE]))
    by_hand.put_record(farm, "ns1", "farm", RecordSet("stray", "TXT", 60, ('"x"',)))
    return farm


def test_strays_are_reported_by_where_they_are() -> None:
    plan = Environment(farm_with_strays(), (*WEB, ZONE)).look().plan
    assert [str(address) for address in plan.foreign] == [
        "domain@virt1/stray",
        "volume@virt1/default/stray-root",
        "volume@virt2/fast/stray",
        "zone@ns1/farm/stray/TXT",
    ]


def test_no_life_of_an_environment_touches_a_stray() -> None:
    farm = farm_with_strays()
    strays = truth.not_of("production", farm.state)
    environment = Environment(farm, (*WEB, ZONE), policy=ANYTHING_GOES)
    lives = [
        (*WEB, ZONE),
        (*machine(vcpus=4, host="virt2"), ZONE),
        (want(zone_spec(), "farm"),),
        (*machine("web-2"), want(zone_spec(a_record("a"), a_record("b")), "farm")),
    ]
    for life in lives:
        environment.desired = life
        settle(environment)
        assert truth.not_of("production", farm.state) == strays


def blocked(farm: SimulatedFarm, desired: tuple[Desired[Any], ...]) -> str:
    """What the plan is refused for, after turns that changed nothing."""
    environment = Environment(farm, desired)
    before = farm.state
    for _ in range(2):
        environment.turn()
    assert farm.state == before
    violations = check(environment.look().plan, environment.policy)
    assert {violation.name for violation in violations} == {"foreign-owner"}
    return violations[0].message


def test_a_machine_whose_name_is_taken_is_not_made() -> None:
    farm = simulated_farm()
    by_hand.add_domain(farm, "virt1", replace(STRAY, name="production-web-1"))
    assert blocked(farm, WEB) == (
        "domain/web-1 needs domain virt1/production-web-1, but that is "
        "domain@virt1/production-web-1, which belongs to nobody we know"
    )


def test_a_machine_whose_hardware_address_is_taken_is_not_made() -> None:
    farm = simulated_farm()
    interface = Interface(mac_of("production", "web-1"), "br-lan")
    by_hand.add_domain(farm, "virt2", replace(STRAY, interfaces=(interface,)))
    assert "domain/web-1 needs mac 52:54:00" in blocked(farm, WEB)


def test_a_volume_whose_name_is_taken_is_not_made() -> None:
    farm = simulated_farm()
    by_hand.add_volume(farm, "virt1", "default", "production-web-1-root", Volume("raw", GIB))
    assert "volume/web-1-root needs volume virt1/default" in blocked(farm, WEB)


def zone_of_nobody(timers: Timers, *records: RecordSet) -> tuple[SimulatedFarm, Environment]:
    farm = simulated_farm()
    farm.nameserver("ns1").create_zone(NewZone("farm", timers, 1, (APEX, *records), "nobody"))
    return farm, Environment(farm, [ZONE])


@pytest.mark.parametrize(
    ("timers", "record", "claims"),
    [
        (replace(TIMERS, retry_seconds=1), a_record("www"), ["zone farm"]),
        (TIMERS, a_record("www", "10.9.9.9"), ["record farm www/A"]),
        (TIMERS, replace(a_record("www"), ttl_seconds=1), ["record farm www/A"]),
        (TIMERS, RecordSet("www", "CNAME", 300, ("a.farm.",)), ["record farm www/A"]),
    ],
)
def test_a_zone_that_was_there_before_and_differs_is_not_taken_over(
    timers: Timers, record: RecordSet, claims: list[str]
) -> None:
    farm, environment = zone_of_nobody(timers, record)
    before = farm.state
    environment.turn()
    assert farm.state == before
    plan = environment.look().plan
    assert [obstacle.claim for obstacle in plan.obstacles] == claims
    assert {v.name for v in check(plan, environment.policy)} == {"foreign-owner"}


def test_a_zone_that_is_just_as_wanted_becomes_ours_and_what_else_is_in_it_stays() -> None:
    old = a_record("old")
    farm, environment = zone_of_nobody(TIMERS, old)
    plan = environment.look().plan
    ((change,), (adopted, *_)) = plan.changes, plan.changes[0].fields[::-1]
    assert (adopted.path, adopted.after) == ("adopt", ["@/SOA", "@/NS"])
    assert [str(step) for step in change.operations] == [
        "update zone farm on ns1: put 1, remove 0 record sets"
    ]
    settle(environment)
    assert [str(each) for each in environment.look().plan.foreign] == ["zone@ns1/farm/old/A"]
    environment.desired = [want(zone_spec(a_record("db")), "farm")]
    settle(environment)
    assert old in farm.nameserver("ns1").zone("farm").records


def test_a_record_that_is_just_as_wanted_becomes_ours_by_marks_alone() -> None:
    farm = simulated_farm()
    environment = Environment(farm, [want(zone_spec(), "farm")])
    settle(environment)
    by_hand.put_record(farm, "ns1", "farm", a_record("www"))
    environment.desired = [ZONE]
    look = environment.look()
    (change,) = look.plan.changes
    assert [str(field) for field in change.fields] == ["adopt: (none) -> ['www/A']"]
    assert [str(step) for step in change.operations] == ["mark records of zone farm on ns1"]
    settle(environment)
    assert environment.look().plan.foreign == ()
    environment.desired = [want(zone_spec(), "farm")]
    settle(environment)
    assert a_record("www") not in farm.nameserver("ns1").zone("farm").records


def test_what_changes_while_it_is_adopted_is_not_adopted() -> None:
    farm = simulated_farm()
    environment = Environment(farm, [want(zone_spec(), "farm")])
    settle(environment)
    by_hand.put_record(farm, "ns1", "farm", a_record("www"))
    environment.desired = [ZONE]
    look = environment.look()
    theirs = a_record("www", "10.9.9.9")
    by_hand.put_record(farm, "ns1", "farm", theirs)
    before = farm.state
    environment.apply(look)
    assert farm.state == before
    environment.turn()
    assert theirs in farm.nameserver("ns1").zone("farm").records
    (violation,) = check(environment.look().plan, environment.policy)
    assert "`reconciler accept zone/farm www/A`" in violation.remedy


def test_a_machine_that_lost_its_mark_is_nobodys_until_somebody_adopts_it() -> None:
    farm = simulated_farm()
    settle(Environment(farm, WEB))
    by_hand.strip_mark(farm, "virt1", "production-web-1")
    assert "which belongs to nobody we know" in blocked(farm, WEB)


def test_a_copy_that_kept_the_mark_is_reported_and_stays() -> None:
    """As `virt-clone` makes one: another name, UUID and hardware address, the same metadata."""
    farm = simulated_farm()
    settle(Environment(farm, WEB))
    copy = replace(STRAY, name="production-web-1-clone")
    by_hand.add_domain(farm, "virt2", copy)
    owner = Owner("production", "web-1", "0" * 16)
    farm.hypervisor("virt2").mark_domain("production-web-1-clone", owner)
    environment = Environment(farm, WEB)
    before = farm.state
    assert [str(each) for each in environment.look().plan.foreign] == ["domain@virt2/web-1"]
    environment.turn()
    assert farm.state == before


def test_a_machine_that_is_there_twice_needs_a_person() -> None:
    farm = simulated_farm()
    settle(Environment(farm, WEB))
    twin = farm.state.hosts["virt1"].domains["production-web-1"]
    by_hand.add_domain(farm, "virt2", replace(twin.definition, disks=()), running=False)
    assert twin.owner is not None
    farm.hypervisor("virt2").mark_domain("production-web-1", twin.owner)
    environment = Environment(farm, WEB)
    before = farm.state
    environment.turn()
    assert farm.state == before
    names = {violation.name for violation in check(environment.look().plan, environment.policy)}
    assert names == {"foreign-owner"}


@pytest.mark.parametrize("mode", ["present", "absent"])
def test_environments_on_one_farm_leave_each_other_alone(mode: str) -> None:
    farm = simulated_farm()
    guest_zone = want(replace(zone_spec(timers=None), records=(a_record("shop.staging"),)), "farm")
    host = Environment(farm, (*WEB, ZONE), policy=ANYTHING_GOES)
    guest = Environment(
        farm, (*machine("web-1", "staging"), guest_zone), "staging", policy=ANYTHING_GOES
    )
    settle(host)
    settle(guest)
    theirs = truth.not_of("production", farm.state)
    host.desired = (*machine(vcpus=4), ZONE) if mode == "present" else (ZONE,)
    settle(host)
    assert truth.not_of("production", farm.state) == theirs
    ours = truth.not_of("staging", farm.state)
    guest.desired = machine("web-2", "staging")
    settle(guest)
    assert truth.not_of("staging", farm.state) == ours
