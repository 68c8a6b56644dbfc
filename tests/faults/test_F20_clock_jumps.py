"""F20: the wall clock is set back an hour or forward a day, and the cadence does not change."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo

import pytest

from reconciler.daemon.clock import ManualClock, SystemClock
from reconciler.daemon.loop import Loop, Pace
from reconciler.daemon.schedule import Alarms, SchedulerAlarms, Timing
from reconciler.daemon.slots import Next, Reason
from reconciler.drivers.simulated.farm import SimulatedFarm
from reconciler.ports.nameserver import Grant, Rules
from tests.farms.rounds import Environment
from tests.farms.specs import APEX, a_record, farm_state, want, zone_spec
from tests.farms.sync import settle

PATIENCE_SECONDS = 10.0
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


class ManualAlarms:
    """Keeps what was set; rings when a test says so."""

    def __init__(self) -> None:
        self.armed: queue.Queue[tuple[str, timedelta]] = queue.Queue()
        self.ring: Callable[[str], None] = lambda _name: None

    def start(self, ring: Callable[[str], None]) -> None:
        self.ring = ring

    def set(self, name: str, delay: timedelta) -> None:
        self.armed.put((name, delay))

    def stop(self) -> None:
        pass

    def next_of(self, wanted: str) -> timedelta:
        while True:
            name, delay = self.armed.get(timeout=PATIENCE_SECONDS)
            if name == wanted:
                return delay


class WallThatIsSet(tzinfo):
    """A time zone that says UTC and is off by `jump`: how APScheduler sees a clock being set."""

    def __init__(self) -> None:
        self.jump = timedelta(0)

    def fromutc(self, dt: datetime) -> datetime:
        return dt + self.jump

    def utcoffset(self, _dt: datetime | None) -> timedelta:
        return timedelta(0)

    def dst(self, _dt: datetime | None) -> timedelta:
        return timedelta(0)

    def tzname(self, _dt: datetime | None) -> str:
        return "UTC"


@contextmanager
def running(timing: Timing, pace: Pace) -> Iterator[tuple[Loop, queue.Queue[frozenset[Reason]]]]:
    turns: queue.Queue[frozenset[Reason]] = queue.Queue()

    def turn(_name: str, reasons: frozenset[Reason], _stopping: threading.Event) -> Next:
        turns.put(reasons)
        return Next()

    loop = Loop(["staging"], turn, tuple, pace=pace, timing=timing)
    thread = threading.Thread(target=loop.run, args=(lambda: None,), daemon=True)
    thread.start()
    try:
        yield loop, turns
    finally:
        loop.stop()
        thread.join(PATIENCE_SECONDS)


@pytest.mark.parametrize("jump", [-HOUR, DAY], ids=["an hour back", "a day forward"])
def test_the_next_turn_comes_when_it_would_have_come(jump: timedelta) -> None:
    clock, alarms = ManualClock(), ManualAlarms()
    with running(Timing(clock, alarms, lambda: 0.0), Pace()) as (_loop, turns):
        turns.get(timeout=PATIENCE_SECONDS)
        assert alarms.next_of("staging") == timedelta(minutes=5)
        clock.advance(timedelta(minutes=2))
        clock.set_wall(jump)
        clock.advance(timedelta(minutes=2, seconds=59))
        assert alarms.next_of("staging") == timedelta(seconds=1)
        assert turns.empty()
        clock.advance(timedelta(seconds=2))
        assert turns.get(timeout=PATIENCE_SECONDS) == {Reason.TIMER}


def test_alarms_that_ring_a_day_early_are_no_turns() -> None:
    clock, alarms = ManualClock(), ManualAlarms()
    with running(Timing(clock, alarms, lambda: 0.0), Pace()) as (_loop, turns):
        turns.get(timeout=PATIENCE_SECONDS)
        alarms.next_of("staging")
        for _ in range(100):
            alarms.ring("staging")
            assert alarms.next_of("staging") == timedelta(minutes=5)
        assert turns.empty()


@pytest.mark.parametrize("jump", [-HOUR, DAY], ids=["an hour back", "a day forward"])
def test_the_loop_tells_that_the_clock_was_set(
    jump: timedelta, caplog: pytest.LogCaptureFixture
) -> None:
    clock, alarms = ManualClock(), ManualAlarms()
    with running(Timing(clock, alarms, lambda: 0.0), Pace()) as (_loop, turns):
        turns.get(timeout=PATIENCE_SECONDS)
        alarms.next_of("staging")
        clock.set_wall(jump)
        clock.advance(timedelta(seconds=2))
        alarms.next_of("staging")
    assert f"the wall clock was set by {jump.total_seconds():+.0f} s" in caplog.text


def test_apscheduler_itself_sleeps_through_an_hour_and_the_loop_does_not() -> None:
    wall = WallThatIsSet()
    alarms: Alarms = SchedulerAlarms(timezone=wall)
    pace = Pace(look=timedelta(milliseconds=100), beat=timedelta(milliseconds=20))
    with running(Timing(SystemClock(), alarms, lambda: 0.0), pace) as (_loop, turns):
        for _ in range(2):
            turns.get(timeout=PATIENCE_SECONDS)
        for jump in (-HOUR, -2 * HOUR, DAY):
            wall.jump = jump
            for _ in range(3):
                turns.get(timeout=PATIENCE_SECONDS)


def test_the_double_of_a_wall_clock_that_is_set_is_seen_by_apscheduler_as_one() -> None:
    wall = WallThatIsSet()
    wall.jump = -HOUR
    behind = datetime.now(UTC) - datetime.now(wall)  # noqa: TID251  this is what APScheduler does
    assert timedelta(minutes=59) < behind < timedelta(minutes=61)


def test_a_serial_by_date_never_goes_back_with_the_clock() -> None:
    now = [datetime(2026, 5, 4, 12, tzinfo=UTC)]
    farm = SimulatedFarm(farm_state(), now=lambda: now[0])
    dated = zone_spec(rules=Rules((Grant("production"),), "date"))
    environment = Environment(farm, [want(dated, "farm")])
    settle(environment)
    serials = []
    for number, jump in enumerate((DAY, -HOUR, -2 * DAY, DAY, 40 * DAY)):
        now[0] += jump
        records = (APEX, a_record("www", f"10.0.0.{number}"))
        environment.desired = [want(replace(dated, records=records), "farm")]
        settle(environment)
        serials.append(farm.nameserver("ns1").serials(["farm"])["farm"])
    first = 2026050500
    assert serials == [first, first + 1, first + 2, first + 3, 2026061300]
