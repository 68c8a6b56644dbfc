"""Looking again after a change, and the way back."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from reconciler.engine.apply import Result
from reconciler.engine.verify import Look, settle, undo_plan
from reconciler.kinds import KIND_BY_NAME
from reconciler.kinds.base.command import CommandSpec
from reconciler.kinds.base.file import FileSpec
from reconciler.kinds.zone import ZoneSpec
from reconciler.model.address import Address
from reconciler.model.change import Action
from reconciler.model.plain import digest_of
from reconciler.model.resource import Desired, World
from reconciler.plan.make import make_plan
from reconciler.plan.plan import Plan
from reconciler.plan.policy import Policy
from tests.farms.rounds import Environment
from tests.farms.specs import (
    GIB,
    PRODUCTION,
    a_record,
    machine,
    seen,
    simulated_farm,
    unreachable,
    want,
    world_of,
    zone_spec,
)

WEB = machine()
ZONE = want(zone_spec(a_record("www")), "farm")


@dataclass
class Time:
    """A clock that only sleeping moves."""

    now: float = 1000.0
    naps: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.now += seconds


def looks(*plans: Plan) -> Any:
    """Looks that find these plans one after the other, and then the last for ever."""
    left = list(plans)

    def look() -> Look:
        plan = left.pop(0) if len(left) > 1 else left[0]
        return Look(frozenset(), World(), plan)

    return look


def settled(look: Any, changes: tuple[Any, ...]) -> tuple[list[str], list[float]]:
    time = Time()
    last, left = settle(look, changes, monotonic=lambda: time.now, sleep=time.sleep)
    assert isinstance(last, Look)
    return [str(change.address) for change in left], time.naps


def plan_of(desired: tuple[Desired[Any], ...], world: World) -> Plan:
    return make_plan("production", desired, world)


CALM = plan_of(WEB, world_of(*WEB))
STIRRED = plan_of(WEB, World((seen(WEB[0]), seen(WEB[1], running=False))))


def test_a_world_that_is_right_at_once_is_looked_at_once() -> None:
    assert settled(looks(CALM), STIRRED.changes) == ([], [])


def test_a_guest_gets_time_to_start() -> None:
    assert settled(looks(STIRRED, STIRRED, CALM), STIRRED.changes) == ([], [1.0, 1.0])


def test_what_still_differs_when_its_time_is_over_is_left() -> None:
    left, naps = settled(looks(STIRRED), STIRRED.changes)
    assert left == ["domain/web-1"]
    assert sum(naps) == KIND_BY_NAME["domain"].settle.total_seconds()


def test_the_slowest_kind_gives_the_time() -> None:
    changes = plan_of((*WEB, ZONE), World()).changes
    _, naps = settled(looks(STIRRED), changes)
    assert sum(naps) == max(kind.settle.total_seconds() for kind in KIND_BY_NAME.values())


def test_differences_of_what_was_not_changed_are_not_waited_for() -> None:
    other = plan_of((ZONE,), World()).changes
    assert settled(looks(STIRRED), other) == ([], [])


def test_what_is_held_is_not_waited_for() -> None:
    held = replace(
        STIRRED, changes=tuple(replace(each, held="suspended") for each in STIRRED.changes)
    )
    assert settled(looks(held), STIRRED.changes) == ([], [])


def test_after_marks_only_it_looks_once() -> None:
    assert settled(looks(STIRRED), ()) == ([], [])


FREE = Policy(allowed=frozenset({"disruption", "mass-deletion", "empty-desire"}))
SHARED = want(zone_spec(a_record("www"), a_record("api")), "farm")
BASE = (*WEB, *machine("db", disks=("root", "data"), host="virt2"), ZONE)
EDITS: dict[str, tuple[Desired[Any], ...]] = {
    "nothing": BASE,
    "more processors": (*machine(vcpus=4), *BASE[2:]),
    "less memory": (*machine(memory_bytes=GIB), *BASE[2:]),
    "off": (*machine(running=False), *BASE[2:]),
    "a move": (*machine(host="virt2"), *BASE[2:]),
    "another machine": (*BASE, *machine("new")),
    "another disk": (*machine(disks=("root", "data")), *BASE[2:]),
    "other records": (*BASE[:-1], SHARED),
    "a zone less": BASE[:-1],
    "a machine restarted by hand": (*machine(vcpus=4, pending_restart=None), *BASE[2:]),
    "a rename": (*machine("shop", formerly="web-1"), *BASE[2:]),
    "a rename with a change": (*machine("shop", formerly="web-1", vcpus=4), *BASE[2:]),
}


def what_is(environment: Environment) -> dict[Address, tuple[Any, Any]]:
    """Specs and marks by address."""
    world = environment.look().world
    return {
        address: (_without_serial(found.spec), found.owner)
        for address, found in world.of("production").items()
    }


def _without_serial(spec: Any) -> Any:
    return replace(spec, serial=0) if isinstance(spec, ZoneSpec) else spec


@pytest.mark.parametrize("name", EDITS)
def test_undo_restores_specs_and_marks(name: str) -> None:
    farm = simulated_farm()
    environment = Environment(farm, BASE, policy=FREE)
    environment.turn()
    before, restored = environment.look().world, what_is(environment)
    environment.desired = EDITS[name]
    look = environment.look()
    outcomes = environment.apply(look)
    assert {outcome.result for outcome in outcomes} <= {Result.DONE}
    back = undo_plan(look.plan, before, environment.look().world)
    environment.apply(replace(look, plan=back))
    environment.desired = BASE
    assert environment.look().plan.changes == ()
    environment.turn()
    assert what_is(environment) == restored


def test_undo_touches_only_what_the_plan_changed() -> None:
    farm = simulated_farm()
    environment = Environment(farm, BASE, policy=FREE)
    environment.turn()
    before = environment.look().world
    environment.desired = EDITS["more processors"]
    plan = environment.look().plan
    domains = [each for each in before.observed if each.address.kind == "domain"]
    meanwhile = World(tuple(replace(each, spec=replace(each.spec, vcpus=9)) for each in domains))
    back = undo_plan(plan, before, meanwhile)
    assert [str(change) for change in back.changes] == ["update domain/web-1"]
    assert back.remarks == ()


def test_what_was_made_goes_and_what_went_comes_back() -> None:
    there, new = machine("a"), machine("b")
    plan = plan_of(new, world_of(*there))
    back = undo_plan(plan, world_of(*there), world_of(*new))
    assert {(str(change), change.needs != frozenset()) for change in back.changes} == {
        ("delete domain/b", False),
        ("delete volume/b-root", True),
        ("create volume/a-root", False),
        ("create domain/a", True),
    }


def test_a_guest_that_was_never_restarted_is_not_restarted_on_the_way_back() -> None:
    volume, domain = machine(vcpus=4, pending_restart=None)
    plan = plan_of((volume, domain), world_of(*WEB))
    now = World((seen(volume), seen(domain, pending_restart=True)))
    (change,) = undo_plan(plan, world_of(*WEB), now).changes
    assert [str(step) for step in change.operations] == [
        "define domain production-web-1 on virt1",
        "mark domain production-web-1 on virt1",
    ]


def test_a_guest_that_was_restarted_is_restarted_on_the_way_back() -> None:
    wanted = machine(vcpus=4)
    (change,) = undo_plan(
        plan_of(wanted, world_of(*WEB)), world_of(*WEB), world_of(*wanted)
    ).changes
    assert "start domain production-web-1 on virt1" in map(str, change.operations)


def test_the_way_back_restores_the_mark() -> None:
    """The mark that was seen is not that of the spec: somebody had changed the machine by hand."""
    volume, domain = WEB
    old = World((seen(volume), seen(domain, vcpus=1)))
    wanted = machine(vcpus=4)
    (change,) = undo_plan(plan_of(wanted, old), old, world_of(*wanted)).changes
    owner = change.operations[-1].owner  # type: ignore[attr-defined]
    assert owner.digest == digest_of(domain.spec)


def test_what_cannot_be_seen_now_is_not_undone_now() -> None:
    plan = plan_of(machine(vcpus=4), world_of(*WEB))
    back = undo_plan(plan, world_of(*WEB), World((), unreachable("virt1")))
    assert back.changes == ()
    assert {each.address for each in back.unknown} == {each.address for each in WEB}


def test_a_volume_that_grew_stays_as_large_as_it_is() -> None:
    """To undo it would be to lose what is on it."""
    volume, domain = WEB
    larger = replace(volume, spec=replace(volume.spec, capacity_bytes=9 * GIB))
    plan = plan_of((larger, domain), world_of(*WEB))
    assert undo_plan(plan, world_of(*WEB), world_of(larger, domain)).changes == ()


def test_undoing_a_deletion_is_a_creation() -> None:
    plan = plan_of((), world_of(ZONE))
    (change,) = undo_plan(plan, world_of(ZONE), World()).changes
    assert change.action is Action.CREATE


MOTD = FileSpec("virt1", "/etc/motd", "file", mode="0644", content="new")
PUPPET = CommandSpec("virt1", "puppet", run=("puppet",), check=("true",))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (replace(MOTD, content="sha256:0123"), MOTD),
        (replace(MOTD, content="changed by hand (fingerprint 0123)"), MOTD),
        (replace(MOTD, content="secret://a/b", secrets=("a/b@1",)), MOTD),
        (replace(PUPPET, run=(), done=False), PUPPET),
    ],
)
def test_what_was_not_seen_in_full_stays_as_it_is_now(before: Any, after: Any) -> None:
    kind = "file" if isinstance(before, FileSpec) else "command"
    there, wish = (Desired(Address(kind, "it", "virt1"), spec) for spec in (before, after))
    plan = make_plan(PRODUCTION, [wish], world_of(there))
    assert plan.changes
    assert undo_plan(plan, world_of(there), world_of(wish)).changes == ()


def test_a_text_that_was_seen_comes_back() -> None:
    there = Desired(Address("file", "it", "virt1"), replace(MOTD, content="old"))
    wish = replace(there, spec=MOTD)
    plan = make_plan(PRODUCTION, [wish], world_of(there))
    (back,) = undo_plan(plan, world_of(there), world_of(wish)).changes
    assert [(field.path, field.after) for field in back.fields] == [("content", "old")]
