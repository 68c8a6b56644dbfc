"""What moves in zones between two looks wakes the environments that have them."""

from __future__ import annotations

import queue
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from reconciler.cli.lookout import Lookout
from reconciler.cli.serials import EVERY, MOST_PER_SECOND, MOST_WAKES
from reconciler.daemon.clock import ManualClock
from reconciler.daemon.schedule import NoAlarms, Timing
from reconciler.daemon.slots import Backoff, Reason
from reconciler.daemon.workers import Turn
from reconciler.drivers.simulated.by_hand import put_record
from reconciler.drivers.simulated.faults import Fault
from reconciler.engine.observe import observe
from reconciler.engine.sightings import Detector
from reconciler.engine.verify import Look
from reconciler.errors import Unreachable
from reconciler.kinds.zone import ZoneKind
from reconciler.model.address import Address, Scope
from reconciler.model.resource import owner_of
from reconciler.plan.plan import Plan
from reconciler.ports.nameserver import RecordSet
from tests.farms.specs import a_record, simulated_farm, want, zone_spec

FARM, LAB = Scope("zone", "farm", "ns1"), Scope("zone", "lab", "ns2")
TURN = "serials of ns1"
SECOND = timedelta(seconds=1)


@dataclass
class Slots:
    """What was done to the loop."""

    woken: queue.Queue[tuple[str, Reason]] = field(default_factory=queue.Queue)
    posted: dict[str, tuple[Turn, timedelta, Backoff]] = field(default_factory=dict)

    def wake(self, environment: str, reason: Reason) -> bool:
        self.woken.put((environment, reason))
        return True

    def post(self, name: str, turn: Turn, interval: timedelta, backoff: Backoff) -> None:
        assert name not in self.posted
        self.posted[name] = (turn, interval, backoff)

    def withdraw(self, name: str) -> None:
        del self.posted[name]

    def wakes(self) -> list[tuple[str, Reason]]:
        """Who was woken since this was last asked."""
        return [self.woken.get() for _ in range(self.woken.qsize())]


class Watch:
    """A lookout over two simulated name servers with a zone each."""

    def __init__(self) -> None:
        self.farm = simulated_farm(servers=("ns1", "ns2"))
        self.clock = ManualClock()
        self.slots = Slots()
        timing = Timing(self.clock, NoAlarms(), lambda: 0.0)
        self.lookout = Lookout(self.slots, self.farm, None, timing)
        self.create("ns1", "farm")
        self.create("ns2", "lab")

    def create(self, server: str, name: str) -> None:
        desired = want(zone_spec(a_record("web"), server=server, name=name))
        for operation in ZoneKind().create(desired.spec, owner_of("production", desired)):
            operation.run(self.farm)

    def look(self, environment: str = "production", *scopes: Scope) -> Look:
        chosen = frozenset(scopes or (FARM, LAB))
        return Look(chosen, observe(chosen, self.farm), Plan(environment, ""))

    def station(self, environment: str = "production", *scopes: Scope) -> None:
        self.lookout.station(environment, self.look(environment, *scopes))

    def ask(self, name: str = TURN) -> None:
        self.clock.advance(SECOND)
        self.slots.posted[name][0](frozenset({Reason.TIMER}))

    def by_hand(self, address: str = "192.168.1.66", name: str = "web") -> None:
        put_record(self.farm, "ns1", "farm", RecordSet(name, "A", 300, (address,)))

    def sightings(self, environment: str = "production") -> list[tuple[Any, ...]]:
        noticed = self.lookout.noticed(environment).sightings
        return [(each.detector, each.host, each.address, each.since) for each in noticed]


@pytest.fixture
def watch() -> Watch:
    return Watch()


def test_zones_that_are_as_they_were_wake_nobody(watch: Watch) -> None:
    watch.station()
    watch.ask()
    watch.ask("serials of ns2")
    assert watch.slots.wakes() == []


def test_every_server_is_asked_about_all_its_zones_at_once(watch: Watch) -> None:
    watch.create("ns1", "more")
    watch.station("production", FARM, Scope("zone", "more", "ns1"), LAB)
    watch.station("staging", FARM)
    assert sorted(watch.slots.posted) == [TURN, "serials of ns2"]
    before = watch.farm.calls
    watch.ask()
    assert watch.farm.calls == before + 1
    assert all(interval == EVERY for _, interval, _ in watch.slots.posted.values())


def test_a_record_changed_by_hand_wakes_all_that_have_the_zone(watch: Watch) -> None:
    watch.station("production")
    watch.station("staging", FARM)
    watch.station("development", LAB)
    watch.ask()
    watch.by_hand()
    watch.ask()
    expected = [("production", Reason.SERIAL), ("staging", Reason.SERIAL)]
    assert sorted(watch.slots.wakes()) == expected
    sighting = (Detector.SERIAL, None, Address("zone", "farm"), 1.0)  # when it was last as it was
    assert watch.sightings("production") == [sighting]
    assert watch.sightings("staging") == [sighting]
    assert watch.sightings("development") == []


def test_what_was_told_is_not_told_again(watch: Watch) -> None:
    watch.station()
    watch.by_hand()
    watch.ask()
    watch.ask()
    assert len(watch.slots.wakes()) == 1
    watch.by_hand("192.168.1.67")
    watch.ask()
    assert len(watch.slots.wakes()) == 1


def test_what_a_turn_does_itself_wakes_nobody(watch: Watch) -> None:
    watch.station()
    with watch.lookout.turn("production"):
        watch.by_hand()
        watch.ask()
        watch.station()
    watch.ask()
    assert watch.slots.wakes() == []
    assert watch.sightings() == []


def test_what_moves_during_a_turn_and_was_not_seen_by_it_wakes_after_it(watch: Watch) -> None:
    watch.station()
    with watch.lookout.turn("production"):
        look = watch.look()
        watch.by_hand()
        watch.ask()
        watch.lookout.station("production", look)
    assert watch.slots.wakes() == []
    watch.ask()
    assert watch.slots.wakes() == [("production", Reason.SERIAL)]


def test_an_answer_that_is_older_than_the_last_look_tells_nothing(watch: Watch) -> None:
    """A turn ends while the server is being asked."""
    watch.station()
    watch.by_hand()
    turning: Any = _Asked(watch)
    lookout = Lookout(watch.slots, turning, None, Timing(watch.clock, NoAlarms(), lambda: 0.0))
    watch.slots.posted.clear()
    turning.lookout = lookout
    look = watch.look()
    old = tuple(replace(each, spec=replace(each.spec, serial=1)) for each in look.world.observed)
    lookout.station("production", replace(look, world=replace(look.world, observed=old)))
    watch.ask()
    assert watch.slots.wakes() == []


def test_a_zone_that_is_gone_or_comes_wakes(watch: Watch) -> None:
    absent = Scope("zone", "new", "ns1")
    watch.station("production", FARM, absent)
    watch.create("ns1", "new")
    watch.ask()
    assert watch.sightings() == [(Detector.SERIAL, None, Address("zone", "new"), 0.0)]
    watch.station("production", FARM, absent)
    watch.farm.nameserver("ns1").delete_zone("new")
    watch.slots.wakes()
    watch.ask()
    assert watch.slots.wakes() == [("production", Reason.SERIAL)]


def test_a_server_that_does_not_answer_rests_and_wakes_nobody(watch: Watch) -> None:
    watch.station()
    watch.farm.add_fault(Fault("ns1"))
    with pytest.raises(Unreachable):
        watch.ask()
    assert watch.slots.wakes() == []
    backoff = watch.slots.posted[TURN][2]
    assert backoff.delay(1, 0.0) < backoff.delay(9, 0.0) == timedelta(minutes=1)


def test_a_server_that_is_back_wakes_those_who_could_not_look_at_it(watch: Watch) -> None:
    watch.farm.add_fault(Fault("ns1"))
    watch.station("production")
    watch.station("development", LAB)
    with pytest.raises(Unreachable):
        watch.ask()
    watch.farm.remove_faults()
    watch.ask()
    watch.ask()
    assert watch.slots.wakes() == [("production", Reason.SERIAL)]


def test_a_zone_that_changes_without_end_is_left_to_longer_pauses(watch: Watch) -> None:
    watch.station()
    for number in range(200):
        watch.by_hand(f"192.168.2.{number}")
        watch.ask()
    assert MOST_WAKES <= len(watch.slots.wakes()) <= MOST_WAKES + 20


def test_servers_with_very_many_zones_are_asked_less_often(watch: Watch) -> None:
    many = [Scope("zone", f"zone{number}", "ns1") for number in range(2000)]
    watch.station()
    watch.station("staging", *many)
    assert {interval for _, interval, _ in watch.slots.posted.values()} == {
        timedelta(seconds=2002 / MOST_PER_SECOND)
    }
    watch.station("staging", LAB)
    assert watch.slots.posted[TURN][1] == EVERY


def test_zones_that_dhcp_servers_fill_wake_nobody(watch: Watch) -> None:
    look = watch.look()
    opened = tuple(
        replace(each, spec=replace(each.spec, open=True)) for each in look.world.observed
    )
    watch.lookout.station("production", replace(look, world=replace(look.world, observed=opened)))
    watch.by_hand()
    watch.ask()
    assert watch.slots.wakes() == []


def test_servers_that_nobody_has_zones_on_are_asked_no_more(watch: Watch) -> None:
    watch.station()
    watch.station("production", LAB)
    assert list(watch.slots.posted) == ["serials of ns2"]


@dataclass
class _Asked:
    """A farm where a turn ends in the middle of each answer."""

    watch: Watch
    lookout: Any = None

    def nameserver(self, server: str) -> _Asked:
        del server
        return self

    def serials(self, names: Iterable[str]) -> Mapping[str, int]:
        self.lookout.station("production", self.watch.look())
        return dict.fromkeys(names, 5)
