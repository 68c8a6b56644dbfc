"""Whoever edits a zone, and when: no record of others is lost, and ours are as git wants them."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import given, note
from hypothesis import strategies as st

from reconciler.drivers.simulated import by_hand
from reconciler.drivers.simulated.faults import CrashAfter, CrashBefore, SimulatedCrash
from reconciler.errors import Conflict
from reconciler.kinds.zone import ZoneSpec
from reconciler.kinds.zone_registry import is_mark, read_marks
from reconciler.model.resource import Desired
from reconciler.plan.guards import check
from reconciler.ports.nameserver import RecordSet
from tests.farms.effort import examples
from tests.farms.rounds import Environment
from tests.farms.specs import APEX, TIMERS, simulated_farm, want, zone_spec
from tests.farms.town import ANYTHING_GOES

OWNER, GUEST = "production", "staging"
names = st.sampled_from(["@", "a", "b", "c.a", "*", "d"])
sets = st.one_of(
    st.builds(
        RecordSet, names, st.just("A"), st.just(60), st.sampled_from([("10.0.0.1",), ("10.0.0.2",)])
    ),
    st.builds(RecordSet, names, st.just("TXT"), st.sampled_from([60, 90]), st.just(('"x"',))),
    st.builds(
        RecordSet, names.filter("@".__ne__), st.just("CNAME"), st.just(60), st.just(("a.farm.",))
    ),
)


@dataclass(frozen=True)
class Hand:
    """Somebody puts a set, or takes away what is there of that name and type."""

    record: RecordSet
    gone: bool = False


@dataclass(frozen=True)
class Wish:
    """Git wants other records of an environment, or none at all."""

    environment: str
    records: tuple[RecordSet, ...] | None


@dataclass(frozen=True)
class Turn:
    """A turn; `between` happens after its look, and it may die."""

    environment: str
    between: tuple[Hand, ...] = ()
    crash: CrashBefore | CrashAfter | None = None


def sound(records: Iterable[RecordSet]) -> tuple[RecordSet, ...]:
    """Those that can be in one zone: the first of a name decides whether it is an alias."""
    kept: dict[str, RecordSet] = {}
    for record in records:
        same = [each for each in kept.values() if each.name == record.name]
        if not any("CNAME" in {each.type, record.type} for each in same):
            kept.setdefault(record.key, record)
    return tuple(sorted(kept.values()))


environments = st.sampled_from([OWNER, GUEST])
wishes = st.builds(Wish, st.just(OWNER), st.lists(sets, max_size=6).map(sound)) | st.builds(
    Wish, st.just(GUEST), st.none() | st.lists(sets, max_size=4).map(sound)
)
hands = st.builds(Hand, sets, st.booleans())
crashes = st.integers(1, 6).flatmap(lambda n: st.sampled_from([CrashBefore(n), CrashAfter(n)]))
turns = st.builds(
    Turn, environments, st.lists(hands, max_size=2).map(tuple), st.none() | st.none() | crashes
)
Step = Hand | Wish | Turn
lives = st.lists(st.one_of(turns, turns, hands, wishes, wishes), max_size=14)


class Place:
    """A zone with two environments in it, one of which makes it, and hands."""

    def __init__(self) -> None:
        self.farm = simulated_farm()
        self.environments = {
            name: Environment(self.farm, (), name, ANYTHING_GOES, rooms=())
            for name in (OWNER, GUEST)
        }
        self.live(Wish(OWNER, ()))
        self.live(Turn(OWNER))

    def live(self, step: Step) -> None:
        if isinstance(step, Hand):
            self.by_hand(step)
        elif isinstance(step, Wish):
            self.environments[step.environment].desired = desire(step)
        else:
            self.turn(step)

    def by_hand(self, hand: Hand) -> None:
        with suppress(Conflict):
            if hand.gone:
                by_hand.remove_record(self.farm, "ns1", "farm", hand.record.key)
            else:
                by_hand.put_record(self.farm, "ns1", "farm", hand.record)

    def turn(self, turn: Turn) -> None:
        environment = self.environments[turn.environment]
        look = environment.look()
        for hand in turn.between:
            self.by_hand(hand)
        others = self.others(turn.environment)
        self.farm.revive(turn.crash)
        with suppress(SimulatedCrash):
            if not check(look.plan, environment.policy):
                environment.apply(look)
        self.farm.revive()
        environment.remember(environment.look())
        assert others <= set(self.records()), "something of others is lost"

    def records(self) -> tuple[RecordSet, ...]:
        zone = self.farm.state.nameservers["ns1"].zones.get("farm")
        return zone.records if zone else ()

    def others(self, environment: str) -> set[RecordSet]:
        """All sets, and marks, that are not of the environment."""
        mine = read_marks(self.records()).get(environment)
        keys = mine.keys if mine else frozenset()
        return {
            record
            for record in self.records()
            if record.key not in keys
            and not (is_mark(record) and f".{record.name}".endswith(f".{environment}._reconciler"))
        }

    def misfits(self) -> list[str]:
        """What is not as it should be, of all whose way is free."""
        found = []
        for name, environment in self.environments.items():
            plan = environment.look().plan
            if not plan.obstacles:
                found += [f"{name}: {change}: {change.fields}" for change in plan.changes]
                wanted = {record for each in environment.desired for record in each.spec.records}
                found += [f"{name}: {lost}" for lost in wanted - set(self.records())]
        return found


def desire(wish: Wish) -> tuple[Desired[Any], ...]:
    if wish.records is None:
        return ()
    if wish.environment == OWNER:
        return (want(zone_spec(*wish.records), "farm"),)
    return (want(ZoneSpec("ns1", "farm", None, wish.records), "farm"),)


@examples(300)
@given(lives)
def test_others_keep_what_they_have_and_ours_is_as_wanted_after_one_quiet_turn(
    life: list[Step],
) -> None:
    place = Place()
    for step in life:
        place.live(step)
    for environment in (GUEST, OWNER, GUEST):  # the guest's going may make way for the owner
        place.live(Turn(environment))
    note(str(place.records()))
    assert place.misfits() == []


def test_the_timers_are_those_of_the_owner() -> None:
    place = Place()
    assert place.farm.nameserver("ns1").zone("farm").timers == TIMERS
    assert APEX in place.records()
    assert replace(APEX, ttl_seconds=1) not in place.records()
