"""APScheduler as an alarm clock that only rings."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from datetime import timedelta

import pytest

from reconciler.daemon.schedule import SchedulerAlarms

PATIENCE_SECONDS = 10.0


@pytest.fixture
def alarms() -> Iterator[SchedulerAlarms]:
    made = SchedulerAlarms()
    yield made
    made.stop()


def test_an_alarm_rings_once_by_its_name(alarms: SchedulerAlarms) -> None:
    rung: queue.Queue[str] = queue.Queue()
    alarms.start(rung.put)
    alarms.set("staging", timedelta(milliseconds=5))
    assert rung.get(timeout=PATIENCE_SECONDS) == "staging"
    assert rung.empty()


def test_a_new_alarm_takes_the_place_of_the_old(alarms: SchedulerAlarms) -> None:
    rung: queue.Queue[str] = queue.Queue()
    alarms.start(rung.put)
    alarms.set("staging", timedelta(hours=1))
    alarms.set("staging", timedelta(milliseconds=5))
    alarms.set("last", timedelta(milliseconds=50))
    assert rung.get(timeout=PATIENCE_SECONDS) == "staging"
    assert rung.get(timeout=PATIENCE_SECONDS) == "last"


def test_an_alarm_may_be_set_while_it_rings(alarms: SchedulerAlarms) -> None:
    rung: queue.Queue[str] = queue.Queue()

    def ring(name: str) -> None:
        rung.put(name)
        alarms.set(name, timedelta(milliseconds=50))

    alarms.start(ring)
    alarms.set("staging", timedelta(milliseconds=5))
    assert [rung.get(timeout=PATIENCE_SECONDS) for _ in range(3)] == ["staging"] * 3


def test_after_the_stop_alarms_are_accepted_and_never_ring(alarms: SchedulerAlarms) -> None:
    rung: queue.Queue[str] = queue.Queue()
    alarms.start(rung.put)
    alarms.stop()
    alarms.set("staging", timedelta(0))
    alarms.stop()
    assert rung.empty()


def test_stopping_while_alarms_ring_is_quiet() -> None:
    for _ in range(20):
        alarms = SchedulerAlarms()
        rung: queue.Queue[str] = queue.Queue()
        alarms.start(rung.put)
        for number in range(20):
            alarms.set(f"alarm-{number}", timedelta(milliseconds=number / 4))
        rung.get(timeout=PATIENCE_SECONDS)
        alarms.stop()


def test_an_alarm_whose_time_has_long_passed_rings_still(alarms: SchedulerAlarms) -> None:
    rung: queue.Queue[str] = queue.Queue()
    alarms.start(rung.put)
    alarms.set("staging", -timedelta(hours=1))
    assert rung.get(timeout=PATIENCE_SECONDS) == "staging"
