"""The loop as a whole, on a clock that is moved by hand."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from reconciler.daemon.loop import Pace
from reconciler.daemon.slots import Backoff, Next, Reason
from reconciler.errors import Unreachable

PATIENCE_SECONDS = 10.0
Make = Callable[..., Any]


def test_each_environment_has_a_turn_at_the_start(bench: Make) -> None:
    three = bench("development", "staging", "production")
    three.start()
    turns = {three.next_turn() for _ in range(3)}
    assert turns == {
        (name, frozenset({Reason.TIMER})) for name in ("development", "staging", "production")
    }


def test_the_poll_wakes_only_what_moved(bench: Make) -> None:
    two = bench("staging", "production")
    two.start_and_settle()
    two.farm.moved = lambda: ["production"]
    two.clock.advance(timedelta(seconds=61))
    assert two.next_turn() == ("production", frozenset({Reason.POLL}))
    two.settled()
    assert two.farm.polls == 1
    assert two.farm.turns.empty()


def test_an_unchanged_poll_wakes_nobody(bench: Make) -> None:
    one = bench("staging")
    one.start_and_settle()
    one.clock.advance(timedelta(seconds=61))
    assert one.poll_settled() == timedelta(seconds=60)
    assert one.farm.turns.empty()


def test_each_environment_is_looked_at_whatever_the_poll_says(bench: Make) -> None:
    one = bench("staging", pace=Pace(poll=timedelta(days=1), look=timedelta(minutes=5)))
    one.start_and_settle()
    one.clock.advance(timedelta(minutes=5, seconds=1))
    assert one.next_turn() == ("staging", frozenset({Reason.TIMER}))


def test_a_push_polls_at_once_and_its_reason_is_handed_on(bench: Make) -> None:
    one = bench("staging")
    one.start_and_settle()
    one.farm.moved = lambda: ["staging", "somewhere-else"]
    one.loop.poll_now(Reason.PUSH)
    assert one.next_turn() == ("staging", frozenset({Reason.PUSH}))


def test_a_turn_comes_again_when_it_asked_to(bench: Make) -> None:
    one = bench("staging")
    one.farm.answer = lambda _name, _stopping: Next(timedelta(seconds=20))
    one.start()
    one.next_turn()
    assert one.settled() == [("staging", timedelta(seconds=20))]
    one.clock.advance(timedelta(seconds=21))
    assert one.next_turn() == ("staging", frozenset({Reason.RETRY}))


def test_waking_what_does_not_exist_says_so(bench: Make) -> None:
    one = bench("staging")
    assert not one.loop.wake("poll", Reason.PUSH)
    assert one.loop.wake("staging", Reason.PUSH)


def test_a_slow_environment_delays_no_other(bench: Make) -> None:
    two = bench("slow", "quick")
    release = threading.Event()

    def answer(name: str, _stopping: threading.Event) -> Next:
        if name == "slow":
            release.wait(PATIENCE_SECONDS)
        return Next()

    two.farm.answer = answer
    two.start()
    assert {two.next_turn()[0] for _ in range(2)} == {"slow", "quick"}
    assert two.settled() == [("quick", timedelta(minutes=5))]
    for _ in range(3):
        two.clock.advance(timedelta(minutes=5, seconds=1))
        assert two.next_turn()[0] == "quick"
        two.settled()
    release.set()


def test_an_early_alarm_is_set_again_for_the_rest_of_the_time(bench: Make) -> None:
    one = bench("staging")
    one.start_and_settle()
    one.clock.advance(timedelta(seconds=30))
    one.alarms.ring("staging")
    assert one.settled() == [("staging", timedelta(minutes=4, seconds=30))]
    assert one.farm.turns.empty()


def test_an_alarm_in_time_is_a_turn(bench: Make) -> None:
    one = bench("staging", pace=Pace(beat=timedelta(days=1)))
    one.start_and_settle()
    one.clock.advance(timedelta(minutes=5))
    one.alarms.ring("staging")
    assert one.next_turn() == ("staging", frozenset({Reason.TIMER}))


def test_other_intervals_are_used_from_the_next_turn_on(bench: Make) -> None:
    one = bench("staging")
    one.start_and_settle()
    one.loop.change_pace(poll=timedelta(seconds=5), look=timedelta(seconds=9))
    one.loop.wake_all(Reason.MANUAL)
    assert one.next_turn() == ("staging", frozenset({Reason.MANUAL}))
    assert one.settled() == [("staging", timedelta(seconds=9))]


def test_the_health_tells_when_each_environment_last_had_its_turn(bench: Make) -> None:
    one = bench("staging")
    one.clock.advance(timedelta(seconds=7))
    one.start_and_settle()
    health = one.loop.health()
    assert health.well
    assert {slot.name: slot.last_turn_monotonic for slot in health.slots} == {
        "staging": 7.0,
        "poll": None,
    }


def test_a_failing_turn_is_complained_about_once_and_then_in_a_line(
    bench: Make, caplog: pytest.LogCaptureFixture
) -> None:
    one = bench("staging")

    def answer(_name: str, _stopping: threading.Event) -> Next:
        raise RuntimeError("a bug")

    one.farm.answer = answer
    one.start()
    assert one.settled() == [("staging", timedelta(seconds=5))]
    one.clock.advance(timedelta(seconds=6))
    assert one.settled() == [("staging", timedelta(seconds=10))]
    records = [each for each in caplog.records if each.name == "reconciler.daemon.workers"]
    assert [bool(record.exc_info) for record in records] == [True, False]
    assert records[1].getMessage() == (
        "staging: broke off again (2 times in a row): RuntimeError: a bug"
    )


def test_an_expected_error_needs_no_traceback(
    bench: Make, caplog: pytest.LogCaptureFixture
) -> None:
    one = bench("staging")

    def answer(_name: str, _stopping: threading.Event) -> Next:
        raise Unreachable("virt1", "list domains", "no answer in 10 s")

    one.farm.answer = answer
    one.start()
    one.settled()
    (record,) = [each for each in caplog.records if each.levelno == logging.ERROR]
    assert record.getMessage() == "staging: broke off: virt1: list domains: no answer in 10 s"
    assert not record.exc_info


def test_a_poll_that_fails_is_asked_again_after_a_growing_rest(bench: Make) -> None:
    one = bench("staging")

    def poll() -> list[str]:
        raise Unreachable("git.example", "ls-remote", "no answer")

    one.farm.moved = poll
    one.start_and_settle()
    one.clock.advance(timedelta(seconds=61))
    assert one.poll_settled() == timedelta(seconds=1)
    one.clock.advance(timedelta(seconds=3))
    assert one.poll_settled() == timedelta(seconds=2)


def test_stopping_lets_the_turn_under_way_finish_and_begins_no_other(bench: Make) -> None:
    one = bench("staging")
    stopping_seen = threading.Event()
    release = threading.Event()

    def answer(_name: str, stopping: threading.Event) -> Next:
        if stopping.wait(PATIENCE_SECONDS):
            stopping_seen.set()
        release.wait(PATIENCE_SECONDS)
        return Next()

    one.farm.answer = answer
    one.start()
    one.next_turn()
    one.loop.wake("staging", Reason.PUSH)
    one.loop.stop()
    assert stopping_seen.wait(PATIENCE_SECONDS)
    assert one.left is None
    release.set()
    assert one.join() == ()
    assert one.farm.turns.empty()
    assert one.alarms.stopped


def test_a_turn_that_does_not_stop_in_time_is_left_and_named(bench: Make) -> None:
    two = bench("stuck", "good", pace=Pace(stop_within=timedelta(seconds=30)))
    release = threading.Event()

    def answer(name: str, _stopping: threading.Event) -> Next:
        if name == "stuck":
            release.wait(PATIENCE_SECONDS)
        return Next()

    two.farm.answer = answer
    two.start()
    two.settled()
    two.loop.stop()
    two.clock.advance(timedelta(seconds=31))
    left = two.join()
    release.set()
    assert left == ("stuck",)


def test_what_is_posted_while_running_is_done_at_its_interval(bench: Make) -> None:
    one = bench("staging")
    one.start_and_settle()
    swept = queue.Queue[frozenset[Reason]]()

    def sweep(reasons: frozenset[Reason]) -> Next:
        swept.put(reasons)
        return Next()

    one.loop.post("sweep", sweep, timedelta(seconds=10), Backoff())
    assert swept.empty()
    one.clock.advance(timedelta(seconds=12))
    assert swept.get(timeout=PATIENCE_SECONDS) == {Reason.TIMER}
    one.loop.withdraw("sweep")
    one.settled()
    one.clock.advance(timedelta(seconds=12))
    assert swept.empty()
