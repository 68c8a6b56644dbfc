"""A plan is pure, may be done in any order that it allows, and can be undone."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

from hypothesis import event, given
from hypothesis import strategies as st

from reconciler.drivers.simulated.base.state import Base
from reconciler.drivers.simulated.definitions import filled
from reconciler.drivers.simulated.farm import SimulatedFarm
from reconciler.drivers.simulated.state import FarmState, Host, Pool
from reconciler.engine.apply import Result
from reconciler.engine.verify import undo_plan
from reconciler.errors import DriverError
from reconciler.model.change import Action
from reconciler.model.plain import from_plain, to_plain
from reconciler.plan.guards import check
from reconciler.plan.plan import Change, Plan
from reconciler.plan.policy import Policy
from tests.farms import truth
from tests.farms.effort import examples
from tests.farms.town import HANDS, Hand, Town, deleted, may_delete
from tests.farms.wishes import Wish, some_wishes, wishes

hands = st.lists(st.builds(Hand, st.sampled_from(sorted(HANDS)), st.integers(0, 7)), max_size=4)
production = wishes("production")


def settled(*begin: Wish) -> Town:
    town = Town(begin)
    town.calm_down()
    return town


def without_trash(state: FarmState) -> FarmState:
    """All but what is in the trash, and but what every change counts up: serials and ticks."""

    def pool(each: Pool) -> Pool:
        return replace(each, trash={})

    def host(each: Host) -> Host:
        pools = {n: pool(p) for n, p in each.pools.items()}
        return replace(each, images={}, pools=pools, base=timeless(each.base))

    servers = {
        name: replace(each, zones={n: replace(z, serial=0) for n, z in each.zones.items()})
        for name, each in state.nameservers.items()
    }
    return replace(state, hosts={n: host(h) for n, h in state.hosts.items()}, nameservers=servers)


def timeless(base: Base) -> Base:
    """The same whenever its files were written and its services read them."""
    files = {path: replace(each, changed=0) for path, each in base.files.items()}
    services = {unit: replace(each, read=0) for unit, each in base.services.items()}
    return replace(base, tick=0, files=files, services=services)


def trash(state: FarmState) -> list[str]:
    pools = [pool for host in state.hosts.values() for pool in host.pools.values()]
    return sorted(each.name for pool in pools for each in pool.trash.values())


@examples(60)
@given(production, production, hands)
def test_planning_twice_gives_the_same_plan_and_changes_nothing(
    begin: Wish, then: Wish, by_hand: list[Hand]
) -> None:
    town = settled(begin)
    for hand in by_hand:
        town.live(hand)
    environment = town.environments["production"]
    environment.desired = then.resources()
    before = town.farm.state
    first, second = environment.look().plan, environment.look().plan
    assert first == second
    assert repr(first.changes) == repr(second.changes)
    assert first.digest == second.digest
    assert town.farm.state is before


def run_in_order(plan: Plan, farm: SimulatedFarm, random: Random) -> None:
    """Make the changes one by one, in some order that their needs allow."""
    waiting = list(plan.active)
    done: set[Any] = set()
    while waiting:
        ready = [change for change in waiting if change.needs <= done]
        change = ready[random.randrange(len(ready))]
        for operation in change.operations:
            operation.run(farm)
        waiting.remove(change)
        done.add(change.address)


@examples(80)
@given(production, production, st.randoms(use_true_random=False))
def test_every_order_that_a_plan_allows_leads_to_the_same_farm(
    begin: Wish, then: Wish, random: Random
) -> None:
    town = settled(begin)
    environment = town.environments["production"]
    environment.desired = then.resources()
    plan, start = environment.look().plan, town.farm.state
    ends = []
    for _ in range(3):
        farm = SimulatedFarm(start)
        try:
            run_in_order(plan, farm, random)
        except DriverError as error:
            event(f"refused: {type(error).__name__}")
            return
        ends.append((without_trash(farm.state), trash(farm.state)))
    assert ends[0] == ends[1] == ends[2]


@examples(80)
@given(production, production)
def test_undo_restores_everything_but_the_content_of_disks(begin: Wish, then: Wish) -> None:
    begin, then = of_one_size(begin), of_one_size(then)
    town = settled(begin)
    environment = town.environments["production"]
    good, before = town.farm.state, environment.look().world
    environment.desired = then.resources()
    look = environment.look()
    outcomes = environment.apply(look)
    back = undo_plan(look.plan, before, environment.look().world)
    undone = environment.apply(replace(look, plan=back))
    if {each.result for each in (*outcomes, *undone)} > {Result.DONE}:
        event("refused")
        return
    environment.desired = begin.resources()
    assert [each for each in environment.look().plan.changes if not is_forgotten(each)] == []
    environment.turn()
    assert specs(town.farm.state) == specs(good)


def is_forgotten(change: Change) -> bool:
    """Whether only the mark goes, of what was wanted absent and is."""
    before = {field.path: field.before for field in change.fields}
    return change.action is Action.DELETE and "absent" in before.values()


def of_one_size(wish: Wish) -> Wish:
    """No volume grows, because that cannot be undone without a loss."""
    return replace(
        wish,
        machines=tuple(
            replace(each, disks=tuple(replace(disk, gib=1) for disk in each.disks))
            for each in wish.machines
        ),
    )


def specs(state: FarmState) -> dict[Any, Any]:
    """What is there; what a definition says or leaves to be as usual is all one.

    But for the image of a disk: one that moved before it was trashed comes back empty.
    """
    domains = {
        place: replace(domain, definition=filled(domain.definition))
        for place, domain in truth.domains(state).items()
    }
    volumes = {place: replace(volume, image=None) for place, volume in truth.volumes(state).items()}
    return {**domains, **volumes, **truth.records(state)}


STRICT = Policy(machines_percent=40)


@examples(80)
@given(some_wishes(), production, hands)
def test_nothing_is_deleted_but_what_the_plan_says_and_the_budget_allows(
    begin: tuple[Wish, ...], then: Wish, by_hand: list[Hand]
) -> None:
    town = settled(*begin)
    for hand in by_hand:
        town.live(hand)
    environment = town.environments["production"]
    environment.policy = STRICT
    environment.desired = then.resources()
    before, others = town.farm.state, truth.not_of("production", town.farm.state)
    look = environment.look()
    refused = check(look.plan, STRICT)
    environment.turn()
    gone = deleted("production", before, town.farm.state)
    assert gone <= may_delete(look.plan)
    assert truth.not_of("production", town.farm.state) == others
    if refused:
        event("refused")
        assert town.farm.state == before
    machines = {d.definition.uuid for d in truth.domains(before).values()}
    owned = sum(
        d.owner is not None and d.owner.environment == "production"
        for d in truth.domains(before).values()
    )
    assert len(gone & machines) <= max(1, owned * STRICT.machines_percent // 100)


@examples(60)
@given(production, hands)
def test_what_is_only_reported_stays_as_it_is(begin: Wish, by_hand: list[Hand]) -> None:
    town = settled(begin)
    environment = town.environments["production"]
    environment.policy = replace(environment.policy, drift="report")
    for hand in by_hand:
        town.live(hand)
    before = town.farm.state
    plan = town.turn("production")
    assert plan.drifted == plan.changes
    assert unmarked(town.farm.state) == unmarked(before)


def unmarked(state: FarmState) -> FarmState:
    """All but our notes on the hosts' bases, which are renewed whatever the policy is."""
    hosts = {
        name: replace(host, base=replace(host.base, tick=0, marks={}, originals={}, fence=0))
        for name, host in state.hosts.items()
    }
    return replace(state, hosts=hosts)


@examples(60)
@given(production)
def test_specs_read_back_from_what_is_written_down(wish: Wish) -> None:
    for desired in wish.resources():
        assert from_plain(type(desired.spec), to_plain(desired.spec)) == desired.spec


@examples(60)
@given(some_wishes(), hands)
def test_a_farm_that_is_as_wanted_stays_so(begin: tuple[Wish, ...], by_hand: list[Hand]) -> None:
    """Strays that somebody adds are no business of ours."""
    town = settled(*begin)
    for hand in by_hand:
        if hand.what.startswith("add"):
            town.live(hand)
    before = town.farm.state
    for name in town.environments:
        town.turn(name)
    assert town.farm.state == before
