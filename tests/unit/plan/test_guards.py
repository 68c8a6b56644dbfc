"""Guards: where exactly each begins to bite, and the way out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.kinds.base.package import PackageSpec
from reconciler.kinds.base.sysctl import SysctlSpec
from reconciler.model.address import Address
from reconciler.model.change import Disruption
from reconciler.model.position import Position
from reconciler.model.resource import Desired, Observed, World
from reconciler.plan.guards import ALLOW_TRAILER, NEVER_ALLOWED, Violation, check
from reconciler.plan.make import make_plan
from reconciler.plan.plan import Plan
from reconciler.plan.policy import Policy
from tests.farms.dangers import DANGERS, Danger
from tests.farms.specs import (
    APEX,
    PRODUCTION,
    TIMERS,
    a_record,
    machine,
    seen,
    want,
    world_of,
    zone_spec,
)

ALLOWED = [danger for danger in DANGERS if danger.name not in NEVER_ALLOWED]
FORBIDDEN = [danger for danger in DANGERS if danger.name in NEVER_ALLOWED]


def names(plan: Plan, policy: Policy | None = None) -> list[str]:
    return [violation.name for violation in check(plan, policy or Policy())]


def fleet(count: int) -> list[str]:
    return [f"m{number:03}" for number in range(count)]


def deletion(gone: int, of: int) -> Plan:
    """`gone` of `of` machines are not wanted any more."""
    there = [each for name in fleet(of) for each in machine(name, disks=())]
    stays = [each for name in fleet(of)[gone:] for each in machine(name, disks=())]
    return make_plan(PRODUCTION, stays, world_of(*there))


def base_of(count: int, kind: str = "sysctl") -> list[Desired[Any]]:
    """So many things of a host; what is done about a package is nothing."""
    names = [f"net.a{number}" for number in range(count)]
    if kind == "package":
        return [Desired(Address(kind, name, "virt1"), PackageSpec("virt1", name)) for name in names]
    specs = [SysctlSpec("virt1", name, "1", "1") for name in names]
    return [Desired(Address(kind, spec.name, "virt1"), spec) for spec in specs]


def test_much_of_a_host_is_not_undone_by_a_stack_left_out() -> None:
    assert names(make_plan(PRODUCTION, base_of(2), world_of(*base_of(7)))) == []
    plan = make_plan(PRODUCTION, base_of(1), world_of(*base_of(7)))
    assert names(plan) == ["base-removal"]
    assert "6 things of the base of virt1" in check(plan, Policy())[0].message
    assert names(plan, Policy(allowed=frozenset({"base-removal"}))) == []


def test_what_is_only_forgotten_of_a_host_is_not_counted() -> None:
    there = world_of(*base_of(20, "package"))
    assert names(make_plan(PRODUCTION, base_of(1), there)) == []


@pytest.mark.parametrize("danger", ALLOWED, ids=lambda danger: danger.name)
def test_who_means_it_says_so_in_the_commit(danger: Danger) -> None:
    policy = replace(danger.policy, allowed=frozenset({danger.name}))
    assert check(danger.plan(), policy) == ()


@pytest.mark.parametrize("danger", ALLOWED, ids=lambda danger: danger.name)
def test_the_way_out_is_in_the_message(danger: Danger) -> None:
    (violation,) = check(danger.plan(), danger.policy)
    assert f"{ALLOW_TRAILER}: {danger.name}" in violation.remedy
    assert str(violation) == f"{danger.name}: {violation.message}; {violation.remedy}"


@pytest.mark.parametrize("danger", DANGERS, ids=lambda danger: danger.name)
def test_one_acknowledgement_is_for_one_danger(danger: Danger) -> None:
    others = frozenset(each.name for each in DANGERS if each is not danger)
    assert names(danger.plan(), replace(danger.policy, allowed=others)) == [danger.name]


# The operator sets no number for them.
UNMEASURED = frozenset({"apex-change", "base-removal", "empty-desire", "no-nameservers"})
FLOORED = [danger for danger in ALLOWED if danger.name not in UNMEASURED]


@pytest.mark.parametrize("danger", FLOORED, ids=lambda danger: danger.name)
def test_what_the_operator_forbids_cannot_be_acknowledged(danger: Danger) -> None:
    loose = replace(
        danger.policy,
        allowed=frozenset({danger.name}),
        max_disruption=Disruption.DATA_LOSS,
        machines_percent=100,
        records_percent=100,
    )
    (violation,) = check(danger.plan(), loose.tightened(danger.policy))
    assert violation.name == danger.name
    assert "the operator's settings forbid it" in violation.remedy


@pytest.mark.parametrize("danger", FLOORED, ids=lambda danger: danger.name)
def test_what_nobody_acknowledged_is_told_once(danger: Danger) -> None:
    policy = danger.policy.tightened(danger.policy)
    assert names(danger.plan(), policy) == [danger.name]


@pytest.mark.parametrize("danger", FLOORED, ids=lambda danger: danger.name)
def test_what_the_operator_allows_can_be_acknowledged(danger: Danger) -> None:
    floor = Policy(max_disruption=Disruption.DATA_LOSS, machines_percent=100, records_percent=100)
    policy = replace(danger.policy, allowed=frozenset({danger.name}))
    assert check(danger.plan(), policy.tightened(floor)) == ()


@pytest.mark.parametrize("danger", FORBIDDEN, ids=lambda danger: danger.name)
def test_what_cannot_be_done_cannot_be_acknowledged(danger: Danger) -> None:
    policy = replace(danger.policy, allowed=frozenset({danger.name}))
    assert names(danger.plan(), policy) == [danger.name]


def test_an_empty_desire_is_fine_where_nothing_is() -> None:
    assert names(make_plan(PRODUCTION, (), World())) == []


@pytest.mark.parametrize(
    ("gone", "of", "stopped"),
    [(1, 1, False), (1, 3, False), (2, 3, True), (2, 20, False), (3, 20, True), (2, 19, True)],
)
def test_one_machine_or_a_tenth_may_go_at_once(gone: int, of: int, stopped: bool) -> None:
    policy = Policy(allowed=frozenset({"empty-desire"}))
    assert names(deletion(gone, of), policy) == (["mass-deletion"] if stopped else [])


def test_the_message_has_the_numbers() -> None:
    (violation,) = check(deletion(2, 5), Policy(machines_percent=20))
    assert violation.message == "2 of 5 machines would be deleted, 1 are allowed at once (20 %)"
    assert [str(address) for address in violation.addresses] == ["domain/m000", "domain/m001"]


def test_what_is_held_back_is_no_danger() -> None:
    plan = deletion(5, 9)
    held = replace(plan, changes=tuple(replace(each, held="why") for each in plan.changes))
    assert names(held) == []


def zone(count: int, changed: int = 0, gone: int = 0, new: int = 0) -> Plan:
    """A zone of `count` record sets, the name server's own among them."""
    there = fleet(count - 1)
    wanted = [a_record(name, "10.0.0.1") for name in there[:changed]]
    wanted += [
        a_record(name) for name in [*there[changed + gone :], *(f"x{n}" for n in range(new))]
    ]
    before = want(zone_spec(*map(a_record, there)), "farm")
    return make_plan(PRODUCTION, [want(zone_spec(*wanted), "farm")], world_of(before))


@pytest.mark.parametrize(
    ("plan", "stopped"),
    [
        (zone(10, changed=3), False),
        (zone(10, changed=4), True),
        (zone(10, changed=2, gone=2), True),
        (zone(10, new=10), False),
        (zone(9, gone=8), False),
        (zone(20, gone=6), False),
        (zone(20, gone=7), True),
    ],
)
def test_a_third_of_a_zone_of_ten_records_is_too_much(plan: Plan, stopped: bool) -> None:
    assert names(plan) == (["mass-record-change"] if stopped else [])


@pytest.mark.parametrize("count", [1, 12])
def test_a_whole_zone_is_much_however_small_it_is(count: int) -> None:
    wanted = want(zone_spec(*map(a_record, fleet(count - 1))), "farm")
    deleted = make_plan(PRODUCTION, machine(), world_of(wanted))
    assert names(deleted) == ["mass-record-change"]
    said = check(deleted, Policy())[0].message
    assert f"zone/farm would be deleted with its {count} record sets" in said


def test_a_zone_goes_if_the_commit_says_so_and_the_operator_allows_all_records() -> None:
    deleted = make_plan(PRODUCTION, machine(), world_of(want(zone_spec(), "farm")))
    said = Policy(allowed=frozenset({"mass-record-change"}))
    assert names(deleted, said.tightened(Policy(records_percent=100))) == []
    assert names(deleted, said.tightened(Policy(records_percent=99))) == ["mass-record-change"]
    assert names(deleted, Policy(records_percent=100)) == []


def test_a_few_records_in_the_zone_of_somebody_else_may_all_go() -> None:
    guest = want(zone_spec(a_record("www"), timers=None), "farm")
    assert names(make_plan(PRODUCTION, machine(), world_of(guest))) == []


def test_healing_a_zone_that_somebody_spoiled_is_no_danger() -> None:
    wanted = want(zone_spec(*map(a_record, fleet(11))), "farm")
    spoiled = replace(a_record("x"), values=("10.9.9.9",))
    records = [replace(spoiled, name=name) for name in fleet(11)]
    plan = make_plan(PRODUCTION, [wanted], World((seen(wanted, records=tuple(records)),)))
    assert plan.drifted == plan.changes
    assert names(plan) == []


def test_a_record_set_of_which_two_fields_change_counts_once() -> None:
    there = fleet(9)
    wanted = [replace(a_record(name, "10.0.0.1"), ttl_seconds=60) for name in there[:2]]
    wanted += [a_record(name) for name in there[2:]]
    before = want(zone_spec(*map(a_record, there)), "farm")
    plan = make_plan(PRODUCTION, [want(zone_spec(*wanted), "farm")], world_of(before))
    assert names(plan) == []


def test_what_git_changes_is_measured_although_much_of_it_drifted() -> None:
    """Who spoils a zone and then gets any commit merged does not get past the guard."""
    before = want(zone_spec(*map(a_record, fleet(11))), "farm")
    after = want(zone_spec(*map(a_record, [*fleet(11), "new"])), "farm")
    spoiled = [a_record(name, "10.9.9.9") for name in fleet(11)]
    world = World((seen(before, records=(APEX, *spoiled)),))
    assert names(make_plan(PRODUCTION, [after], world)) == ["mass-record-change"]


def test_a_part_in_the_zone_of_somebody_else_is_measured_by_itself() -> None:
    theirs = seen(want(zone_spec(*map(a_record, fleet(200))), "farm"), "staging")
    part = [a_record(f"p{number:02}") for number in range(12)]
    mine = want(zone_spec(timers=None, records=tuple(part)), "farm")
    fewer = want(zone_spec(timers=None, records=tuple(part[4:])), "farm")
    plan = make_plan(PRODUCTION, [fewer], World((theirs, seen(mine))))
    (violation,) = check(plan, Policy())
    assert "4 of 12 record sets of zone/farm" in violation.message


def test_what_becomes_ours_by_marks_is_no_change_of_records() -> None:
    wanted = want(zone_spec(*map(a_record, fleet(20))), "farm")
    nobodys = Observed(Address("zone", "farm", "ns1"), wanted.spec)
    plan = make_plan(PRODUCTION, [wanted], World((nobodys,)))
    assert len(plan.changes) == 1
    assert names(plan) == []


OTHER_NS = replace(APEX, values=("ns2.example.",))
OTHER_MNAME = replace(TIMERS, primary="ns2.farm.")


@pytest.mark.parametrize(
    ("fields", "touched"),
    [
        ({"records": (OTHER_NS,)}, "the NS records of"),
        ({"records": (replace(APEX, ttl_seconds=60),)}, ""),
        ({"timers": OTHER_MNAME}, "the SOA mname of"),
        ({"records": (OTHER_NS,), "timers": OTHER_MNAME}, "the NS records and the SOA mname of"),
        ({"timers": replace(TIMERS, retry_seconds=1)}, ""),
        ({"records": (APEX, replace(OTHER_NS, name="sub"))}, ""),
    ],
)
def test_other_servers_for_a_zone_that_is_there_are_told(
    fields: dict[str, Any], touched: str
) -> None:
    known, other = want(zone_spec(), "farm"), want(zone_spec(**fields), "farm")
    found = check(make_plan(PRODUCTION, [other], world_of(known)), Policy())
    assert [each.name for each in found] == (["apex-change"] if touched else [])
    assert all(touched in each.message for each in found)
    healed = World((seen(known, **fields),))
    assert names(make_plan(PRODUCTION, [known], healed)) == []
    assert names(make_plan(PRODUCTION, [other], World())) == []


def test_the_last_name_server_of_a_zone_does_not_go() -> None:
    known, bare = want(zone_spec(a_record("www")), "farm"), zone_spec(records=(a_record("www"),))
    plan = make_plan(PRODUCTION, [want(bare, "farm")], world_of(known))
    assert names(plan) == ["no-nameservers"]
    guest = replace(bare, timers=None)
    assert names(make_plan(PRODUCTION, [want(guest, "farm")], World())) == []
    assert names(make_plan(PRODUCTION, [want(guest, "farm")], world_of(known))) == [
        "no-nameservers"
    ]


def test_the_way_out_of_what_is_nobodys_names_the_command() -> None:
    stranger = Observed(
        Address("zone", "farm", "ns1"),
        zone_spec(timers=None, records=(a_record("www", "10.9.9.9"),)),
    )
    plan = make_plan(PRODUCTION, [want(zone_spec(a_record("www")), "farm")], World((stranger,)))
    (violation,) = check(plan, Policy())
    assert "`reconciler accept zone/farm www/A`" in violation.remedy


def test_a_whole_machine_goes_without_counting_as_the_loss_of_its_disks() -> None:
    there = [each for name in fleet(3) for each in machine(name)]
    plan = make_plan(PRODUCTION, there[2:], world_of(*there))
    assert names(plan) == []


def test_a_disk_taken_from_a_machine_that_stays_is_a_loss() -> None:
    there = machine(disks=("root", "data"))
    plan = make_plan(PRODUCTION, machine(disks=("root",)), world_of(*there))
    (violation,) = check(plan, Policy())
    assert violation.name == "disruption"
    assert violation.message == (
        "volume/web-1-data: deleting it costs data-loss, the environment allows restart"
    )


@pytest.mark.parametrize("most", Disruption)
def test_a_change_may_cost_what_the_environment_allows(most: Disruption) -> None:
    plan = make_plan(PRODUCTION, machine(vcpus=4), world_of(*machine()))
    stopped = most < Disruption.RESTART
    assert names(plan, Policy(max_disruption=most)) == (["disruption"] if stopped else [])


def test_the_message_names_some_fields_and_the_place() -> None:
    position = Position("vms/web.yaml", 3)
    volume, domain = machine(vcpus=4, memory_bytes=2**33, interfaces=(), accelerator="qemu")
    plan = make_plan(PRODUCTION, [volume, replace(domain, position=position)], world_of(*machine()))
    (violation,) = check(plan, Policy(max_disruption=Disruption.LIVE))
    assert violation.position == position
    assert "changing accelerator, vcpus, memory_bytes and more costs restart" in violation.message


def test_every_danger_is_found_at_once() -> None:
    there = [each for name in fleet(5) for each in machine(name)]
    stray = replace(seen(machine("new")[1]), owner=None)
    wanted = (*machine(fleet(1)[0], vcpus=9), *machine("new"))
    plan = make_plan(PRODUCTION, wanted, World((*world_of(*there).observed, stray)))
    policy = Policy(max_disruption=Disruption.LIVE)
    assert set(names(plan, policy)) == {"mass-deletion", "foreign-owner", "disruption"}


def test_a_violation_is_a_value() -> None:
    assert Violation("a", "b", "c") == Violation("a", "b", "c")
