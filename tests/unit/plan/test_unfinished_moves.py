"""A move that was cut off: it is finished, taken back, or waits for a host to answer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from reconciler.kinds.domain_operations import MigrateDomain
from reconciler.model.resource import World
from reconciler.plan.make import make_plan
from reconciler.plan.plan import Plan
from tests.farms.specs import machine, seen, unreachable

WEB = machine()
ROOT, DOMAIN = WEB
THERE = machine(host="virt2")


def plan(world: World, *, host: str = "virt2") -> Plan:
    return make_plan("production", machine(host=host), world)


def leaving(**fields: Any) -> World:
    """On virt1, claimed by a move to virt2."""
    return World((seen(ROOT), seen(DOMAIN, moving_to="virt2", **fields)))


def test_a_move_that_has_not_arrived_goes_on() -> None:
    (change,) = [each for each in plan(leaving()).changes if each.address.kind == "domain"]
    assert MigrateDomain("virt1", "production-web-1", "virt2") in change.operations


def test_what_is_left_where_it_came_from_is_cleared_away_by_finishing_the_move() -> None:
    arrived = tuple(seen(want) for want in THERE)
    world = World((*arrived, seen(DOMAIN, moving_to="virt2", running=False)))
    made = plan(world)
    assert made.changes == ()
    assert made.obstacles == ()
    assert [remark.operations for remark in made.remarks] == [
        (MigrateDomain("virt1", "production-web-1", "virt2"),)
    ]


def test_a_second_copy_that_no_move_explains_is_in_the_way() -> None:
    arrived = tuple(seen(want) for want in THERE)
    assert plan(World((*arrived, seen(DOMAIN, running=False)))).obstacles


def test_nobody_knows_where_it_is_while_the_host_it_went_to_is_silent() -> None:
    world = replace(leaving(running=False), unknown=unreachable("virt2"))
    for host in ("virt1", "virt2"):
        made = plan(world, host=host)
        assert "domain/web-1" in {str(each.address) for each in made.unknown}
        assert "domain/web-1" not in {str(each.address) for each in made.changes}
        assert made.remarks == ()


def test_a_move_that_was_given_up_is_forgotten() -> None:
    made = plan(leaving(), host="virt1")
    assert made.changes == ()
    assert [str(step) for remark in made.remarks for step in remark.operations] == [
        "mark domain production-web-1 on virt1"
    ]


def test_a_guest_that_a_move_left_paused_goes_on() -> None:
    (change,) = plan(leaving(running=False), host="virt1").changes
    assert "start domain production-web-1 on virt1" in [str(step) for step in change.operations]
