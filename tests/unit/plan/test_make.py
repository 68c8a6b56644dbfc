"""What is desired held against what was seen."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.kinds.domain import volume_address
from reconciler.model.address import Address, Scope
from reconciler.model.change import Action, Disruption
from reconciler.model.plain import digest_of
from reconciler.model.position import Position
from reconciler.model.resource import Applied, Desired, Observed, Owner, World
from reconciler.placement.spread import Unplaced
from reconciler.plan.make import make_plan
from reconciler.plan.plan import Cause, Change, Plan
from tests.farms.specs import (
    GIB,
    a_record,
    domain_spec,
    machine,
    seen,
    unreachable,
    volume_spec,
    want,
    world_of,
    zone_spec,
)

WEB = machine()
WEB_ROOT, WEB_DOMAIN = WEB
ZONE = want(zone_spec(a_record("www")), "farm")
DESIRED = (*WEB, ZONE)


def plan(desired: tuple[Desired[Any], ...], world: World, **arguments: Any) -> Plan:
    return make_plan("production", desired, world, **arguments)


def only(made: Plan) -> Change:
    (change,) = made.changes
    return change


def in_short(made: Plan) -> list[str]:
    return [str(change) for change in made.changes]


def with_spec(desired: Desired[Any], **fields: Any) -> Desired[Any]:
    return replace(desired, spec=replace(desired.spec, **fields))


def test_a_world_that_is_as_desired_needs_nothing() -> None:
    made = plan(DESIRED, world_of(*DESIRED))
    assert (made.changes, made.remarks, made.unknown, made.foreign) == ((), (), (), ())
    assert (made.unchanged, made.desired, made.owned) == (
        3,
        3,
        {"volume": 1, "domain": 1, "zone": 1},
    )


def test_what_is_not_there_is_made_in_order_and_shows_its_fields() -> None:
    made = plan(DESIRED, World())
    assert in_short(made) == ["create volume/web-1-root", "create domain/web-1", "create zone/farm"]
    volume = made.changes[0]
    assert ("capacity_bytes", None, 8 * GIB) in [(f.path, f.before, f.after) for f in volume.fields]
    assert volume.cause is Cause.PENDING
    assert volume.observed is None
    assert made.unchanged == 0


def test_what_nobody_wants_is_deleted_in_the_other_order() -> None:
    made = plan((), world_of(*DESIRED))
    assert in_short(made) == ["delete domain/web-1", "delete volume/web-1-root", "delete zone/farm"]
    assert made.changes[1].needs == {WEB_DOMAIN.address}
    assert ("vcpus", 2, None) in [(f.path, f.before, f.after) for f in made.changes[0].fields]
    assert (made.unchanged, made.desired, made.owned["domain"]) == (0, 0, 1)


def test_a_difference_is_a_change_of_just_those_fields_with_its_place_in_the_repository() -> None:
    position = Position("vms/web-1.yaml", 4, 1)
    wanted = replace(with_spec(WEB_DOMAIN, vcpus=4), position=position)
    change = only(plan((WEB_ROOT, wanted), world_of(*WEB)))
    assert [str(field) for field in change.fields] == ["vcpus: 2 -> 4"]
    assert (change.action, change.position, change.observed) == (
        Action.UPDATE,
        position,
        replace(WEB_DOMAIN.spec),
    )


def test_another_host_is_a_move() -> None:
    wanted = (with_spec(WEB_ROOT, host="virt2"), with_spec(WEB_DOMAIN, host="virt2"))
    made = plan(wanted, world_of(*WEB))
    assert in_short(made) == ["move volume/web-1-root", "move domain/web-1"]
    assert made.changes[1].needs == {WEB_ROOT.address}


def test_a_new_spec_is_pending_and_a_moved_world_is_drift() -> None:
    moved = World((seen(WEB_ROOT), seen(WEB_DOMAIN, vcpus=1)))
    assert only(plan(WEB, moved)).cause is Cause.DRIFT
    wanted = (WEB_ROOT, with_spec(WEB_DOMAIN, vcpus=4))
    assert only(plan(wanted, moved)).cause is Cause.PENDING
    assert [str(change) for change in plan(WEB, moved).drifted] == ["update domain/web-1"]


def test_a_half_applied_spec_is_pending() -> None:
    half = seen(WEB_DOMAIN, vcpus=1)
    assert half.owner is not None
    half = replace(half, owner=half.owner.unfinished)
    assert only(plan(WEB, World((seen(WEB_ROOT), half)))).cause is Cause.PENDING


def test_what_somebody_deleted_is_drift_and_what_never_was_is_pending() -> None:
    there = {WEB_DOMAIN.address: Applied(digest_of(WEB_DOMAIN.spec), "virt1")}
    older = {WEB_DOMAIN.address: Applied("0" * 16, "virt1")}
    world = world_of(WEB_ROOT)
    assert only(plan(WEB, world, applied=there)).cause is Cause.DRIFT
    assert only(plan(WEB, world, applied=older)).cause is Cause.PENDING
    assert only(plan(WEB, world)).cause is Cause.PENDING


def test_an_old_mark_on_a_thing_that_is_right_is_only_written_anew() -> None:
    old = replace(seen(WEB_ROOT), owner=Owner("production", "web-1-root", "0" * 16))
    made = plan((WEB_ROOT,), World((old,)))
    assert made.changes == ()
    assert [str(step) for step in made.remarks[0].operations] == [
        "mark volume production-web-1-root on virt1"
    ]


def test_a_rename_changes_marks_only() -> None:
    renamed = machine("shop-1", formerly="web-1")
    made = plan(renamed, world_of(*WEB))
    assert made.changes == ()
    assert [remark.address for remark in made.remarks] == [each.address for each in renamed]
    assert made.unchanged == 2


def test_a_rename_that_is_taken_back_changes_marks_only() -> None:
    """Else the way back from a rename would be a new machine with empty disks."""
    made = plan(WEB, world_of(*machine("shop-1", formerly="web-1")))
    assert made.changes == ()
    assert len(made.remarks) == 2


def test_a_change_tells_under_which_name_the_thing_was_seen() -> None:
    renamed = machine("shop-1", formerly="web-1", vcpus=4)
    assert only(plan(renamed, world_of(*WEB))).formerly == WEB_DOMAIN.address


def test_two_machines_exchange_their_names_without_losing_a_disk() -> None:
    world = world_of(*machine("a"), *machine("b"))
    made = plan((*machine("a", formerly="b"), *machine("b", formerly="a")), world)
    assert made.changes == ()
    assert len(made.remarks) == 4


def test_a_name_that_goes_to_another_machine_does_not_hide_the_one_that_goes() -> None:
    """web-2 is deleted, and web-1 is called web-2 from now on."""
    world = world_of(*WEB, *machine("web-2"))
    made = plan(machine("web-2", formerly="web-1"), world)
    assert in_short(made) == ["delete domain@virt1/web-2", "delete volume@virt1/web-2-root"]
    assert made.changes[1].needs == {made.changes[0].address}
    assert str(made.changes[0].operations[-1]) == "undefine domain production-web-2 on virt1"


def test_a_replacement_takes_names_only_after_they_were_given_free() -> None:
    mac = WEB_DOMAIN.spec.interfaces
    successor = machine("web-2", interfaces=mac)
    made = plan(successor, world_of(*WEB))
    create = next(each for each in made.changes if str(each) == "create domain/web-2")
    assert create.needs == {WEB_DOMAIN.address, volume_address("web-2", "root")}


@pytest.mark.parametrize("memory", [{}, {WEB_DOMAIN.address: Applied("0" * 16, "virt1")}])
def test_what_should_be_on_a_host_that_cannot_be_seen_is_unknown_and_never_absent(
    memory: dict[Address, Applied],
) -> None:
    made = plan(WEB, World((), unreachable("virt1")), applied=memory)
    assert made.changes == ()
    assert [str(each.address) for each in made.unknown] == ["domain/web-1", "volume/web-1-root"]
    assert made.unknown[0].reason == "virt1 cannot be looked at: no answer"
    assert made.unchanged == 0


@pytest.mark.parametrize("name", ["web-1", "old"])
def test_what_was_last_on_a_host_that_cannot_be_seen_is_not_made_elsewhere(name: str) -> None:
    wanted = replace(with_spec(WEB_DOMAIN, host="virt2"), formerly=Address("domain", "old"))
    memory = {Address("domain", name): Applied("0" * 16, "virt1")}
    made = plan((wanted,), World((), unreachable("virt1")), applied=memory)
    assert [each.address for each in made.unknown] == [wanted.address]


def test_what_was_on_a_host_and_is_gone_may_be_on_one_that_cannot_be_seen() -> None:
    """Somebody, or a run that died, may have moved it there."""
    memory = {WEB_DOMAIN.address: Applied("0" * 16, "virt1")}
    made = plan((WEB_DOMAIN,), World((), unreachable("virt2")), applied=memory)
    assert [each.address for each in made.unknown] == [WEB_DOMAIN.address]
    assert plan((WEB_DOMAIN,), World((), unreachable("virt2"))).unknown == ()


def test_a_zone_is_on_no_host() -> None:
    memory = {ZONE.address: Applied("0" * 16, None)}
    made = plan((ZONE,), World((), unreachable("virt1")), applied=memory)
    assert in_short(made) == ["create zone/farm"]


def test_others_are_planned_although_a_host_cannot_be_seen() -> None:
    db = machine("db", host="virt2")
    made = plan((*WEB, *db, ZONE), World((), unreachable("virt1")))
    assert in_short(made) == ["create volume/db-root", "create domain/db", "create zone/farm"]


def test_a_zone_on_a_server_that_cannot_be_seen_is_unknown() -> None:
    world = World((), {Scope("zone", "farm", "ns1"): "no answer"})
    made = plan((ZONE,), world)
    assert (made.changes, [str(each.address) for each in made.unknown]) == ((), ["zone/farm"])


def test_what_is_seen_although_its_new_host_is_not_is_planned() -> None:
    wanted = (with_spec(WEB_DOMAIN, host="virt2"),)
    made = plan(wanted, World((seen(WEB_DOMAIN),), unreachable("virt2")))
    assert in_short(made) == ["move domain/web-1"]


def test_foreign_things_are_reported_and_stay() -> None:
    old = Observed(Address("domain", "old", "virt1"), domain_spec("old"))
    theirs = seen(WEB_DOMAIN, "staging")
    made = plan((), World((old, theirs)))
    assert (made.changes, made.foreign) == ((), (old.address,))


def test_a_name_that_somebody_else_has_is_an_obstacle() -> None:
    nobodys = Observed(
        Address("domain", "production-web-1", "virt1"),
        domain_spec("stray", libvirt_name="production-web-1"),
    )
    made = plan(WEB, World((nobodys, seen(WEB_ROOT))))
    (obstacle,) = made.obstacles
    assert obstacle.address == WEB_DOMAIN.address
    assert obstacle.claim == "domain virt1/production-web-1"
    assert obstacle.holder == "domain@virt1/production-web-1, which belongs to nobody we know"


def test_a_hardware_address_of_another_environment_is_an_obstacle() -> None:
    theirs = seen(want(domain_spec("x", "staging"), "x"), "staging")
    taken = replace(WEB_DOMAIN, spec=domain_spec(interfaces=theirs.spec.interfaces))
    (obstacle,) = plan((taken,), World((theirs,))).obstacles
    assert obstacle.claim.startswith("mac 52:54:00")
    assert obstacle.holder == "domain/x, which belongs to environment staging"


def test_a_copy_of_ours_is_reported_stays_and_is_an_obstacle_where_it_claims_the_same() -> None:
    copy = seen(WEB_DOMAIN, host="virt2")
    made = plan(WEB, World((*world_of(*WEB).observed, copy)))
    assert made.changes == ()
    assert made.foreign == (Address("domain", "web-1", "virt2"),)
    assert f"uuid {WEB_DOMAIN.spec.uuid}" in {each.claim for each in made.obstacles}


def test_a_machine_without_a_host_and_its_volumes_are_left_alone() -> None:
    homeless = Unplaced(WEB_DOMAIN.address, "no room", None, frozenset({WEB_ROOT.address}))
    made = plan((ZONE,), world_of(*DESIRED), unplaced=(homeless,))
    assert (made.changes, made.unplaced, made.desired) == ((), (homeless,), 3)


def test_an_unwanted_disk_of_a_machine_that_moves_is_deleted_where_it_was_taken() -> None:
    there = machine(disks=("root", "data"))
    wanted = (with_spec(WEB_ROOT, host="virt2"), with_spec(WEB_DOMAIN, host="virt2"))
    last = plan(wanted, world_of(*there)).changes[-1]
    assert str(last) == "delete volume/web-1-data"
    assert last.needs == {WEB_DOMAIN.address}
    assert [str(step) for step in last.operations] == [
        "move volume production-web-1-data in default on virt2 to the trash"
    ]


@pytest.mark.parametrize("disks", [("root", "data"), ("root",)])
def test_a_disk_that_somebody_deleted_does_not_hold_up_a_move(disks: tuple[str, ...]) -> None:
    """Wanted or not, it is taken out of the definition before the machine goes."""
    there = machine(disks=("root", "data"))
    world = World(tuple(seen(each) for each in there if each.address.name != "web-1-data"))
    wanted = [with_spec(each, host="virt2") for each in machine(disks=disks)]
    change = plan(tuple(wanted), world).changes[-1]
    assert [str(step) for step in change.operations[:2]] == [
        "take volume production-web-1-data on virt1 from the domain that uses it",
        "migrate domain production-web-1 from virt1 to virt2",
    ]
    assert "start domain production-web-1 on virt2" in map(str, change.operations)
    assert change.observed == there[-1].spec


def test_a_disk_that_somebody_deleted_is_made_anew_where_the_machine_stays() -> None:
    world = World((seen(WEB_DOMAIN),))
    assert in_short(plan(WEB, world)) == ["create volume/web-1-root"]


SMALLER = with_spec(WEB_ROOT, capacity_bytes=4 * GIB)


def test_a_machine_whose_volume_is_replaced_is_made_whole_again() -> None:
    made = plan((SMALLER, WEB_DOMAIN), world_of(*WEB))
    assert in_short(made) == ["update volume/web-1-root", "update domain/web-1"]
    volume, domain = made.changes
    assert volume.disruption is Disruption.DATA_LOSS
    assert domain.needs == {volume.address}
    assert domain.cause is Cause.PENDING
    assert [str(step) for step in domain.operations] == [
        "define domain production-web-1 on virt1",
        "start domain production-web-1 on virt1",
        "mark domain production-web-1 on virt1",
    ]
    assert domain.observed == WEB_DOMAIN.spec
    assert made.unchanged == 0


def test_a_volume_that_drifted_beyond_repair_does_not_concern_its_machine() -> None:
    grown = World((seen(WEB_ROOT, capacity_bytes=9 * GIB), seen(WEB_DOMAIN)))
    assert only(plan(WEB, grown)).cause is Cause.DRIFT


def test_other_machines_are_not_concerned_by_a_volume_that_is_replaced() -> None:
    db = machine("db")
    made = plan((SMALLER, WEB_DOMAIN, *db), world_of(*WEB, *db))
    assert "update domain/db" not in in_short(made)


def test_the_order_of_input_never_matters() -> None:
    world = world_of(*machine("old"), *machine("db", vcpus=1))
    desired = (*WEB, *machine("db"), ZONE)
    turned = World(world.observed[::-1])
    assert plan(desired[::-1], turned) == plan(desired, world)


def test_planning_changes_neither_side() -> None:
    desired, world = list(DESIRED), world_of(*machine("old"))
    before = (tuple(desired), world.observed)
    make_plan("production", desired, world)
    assert (tuple(desired), world.observed) == before


def test_volumes_of_a_machine_keep_their_own_owner() -> None:
    made = plan(WEB, World())
    assert made.changes[0].operations[0].owner == Owner(  # type: ignore[attr-defined]
        "production", "web-1-root", digest_of(volume_spec())
    )
