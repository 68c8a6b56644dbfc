"""What is nobody's becomes ours when a document says so, and only then."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from reconciler.model.address import Address
from reconciler.model.resource import Desired, Observed, Owner, World
from reconciler.plan.make import make_plan
from reconciler.plan.plan import Plan
from tests.farms.specs import GIB, machine, seen

ADOPTED = tuple(replace(want, adopts=True) for want in machine())


def strangers(*desired: Desired[Any], **fields: Any) -> World:
    """The machine as it is on its host, with nobody's mark."""
    found = []
    for want in desired:
        name = f"{want.spec.pool}/x" if want.address.kind == "volume" else "x"
        address = Address(want.address.kind, name, "virt1")
        changed = fields if want.address.kind == "domain" else {}
        found.append(Observed(address, seen(want, **changed).spec))
    return World(tuple(found))


def plan(desired: tuple[Desired[Any], ...], world: World) -> Plan:
    return make_plan("production", desired, world)


def test_what_is_adopted_is_marked_and_left_as_it_is() -> None:
    made = plan(ADOPTED, strangers(*ADOPTED))
    assert made.changes == ()
    assert made.obstacles == ()
    assert made.foreign == ()
    assert [str(step) for remark in made.remarks for step in remark.operations] == [
        "mark volume production-web-1-root on virt1",
        "mark domain production-web-1 on virt1",
    ]


def test_what_differs_is_changed_as_if_it_had_been_ours() -> None:
    made = plan(ADOPTED, strangers(*ADOPTED, memory_bytes=4 * GIB))
    (change,) = made.changes
    assert (str(change.address), change.formerly) == ("domain/web-1", None)
    assert [each.path for each in change.fields] == ["memory_bytes"]


def test_without_the_word_a_stranger_is_in_the_way() -> None:
    made = plan(machine(), strangers(*ADOPTED))
    assert {str(each.address) for each in made.obstacles} == {"domain/web-1", "volume/web-1-root"}


def test_what_belongs_to_another_environment_is_never_adopted() -> None:
    world = strangers(*ADOPTED)
    taken = World(tuple(replace(each, owner=Owner("staging", "x", "d")) for each in world.observed))
    made = plan(ADOPTED, taken)
    assert made.remarks == ()
    assert made.obstacles


def test_a_stranger_on_another_host_is_not_the_one_that_is_meant() -> None:
    elsewhere = tuple(replace(want, spec=replace(want.spec, host="virt2")) for want in ADOPTED)
    made = plan(ADOPTED, strangers(*elsewhere))
    assert made.remarks == ()


def test_of_two_that_could_be_meant_none_is_taken() -> None:
    world = strangers(*ADOPTED)
    twice = World((*world.observed, *world.observed))
    assert plan(ADOPTED, twice).remarks == ()


def test_what_is_ours_already_is_not_taken_again() -> None:
    ours = World(tuple(seen(want) for want in ADOPTED))
    assert plan(ADOPTED, ours).remarks == ()
