"""The decisions of a slot, without a thread."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.daemon.slots import Backoff, Next, Reason, Slot

MINUTE = timedelta(minutes=1)
IDLE = Slot(MINUTE, due=60.0)


def test_a_new_slot_has_nothing_to_do_until_it_is_due() -> None:
    assert not IDLE.ready(0.0)
    assert not IDLE.overdue(59.9)
    assert IDLE.overdue(60.0)
    assert not IDLE.overdue(60.5, late_seconds=1.0)


def test_a_run_takes_over_the_reasons_of_all_wakes() -> None:
    slot = IDLE.wake(Reason.PUSH).wake(Reason.POLL).wake(Reason.PUSH)
    assert slot.ready(0.0)
    running = slot.begin(0.0)
    assert running.running == {Reason.PUSH, Reason.POLL}
    assert not running.ready(0.0)


def test_a_thousand_wakes_while_running_are_one_more_run() -> None:
    slot = IDLE.wake(Reason.MANUAL).begin(0.0)
    for _ in range(1000):
        slot = slot.wake(Reason.PUSH)
        assert not slot.ready(1.0)
    slot = slot.finish(2.0, Next())
    assert slot.ready(2.0)
    slot = slot.begin(2.0).finish(3.0, Next())
    assert not slot.ready(3.0)


def test_a_wake_that_is_already_pending_costs_nothing() -> None:
    slot = IDLE.wake(Reason.PUSH)
    assert slot.wake(Reason.PUSH) is slot


@given(st.lists(st.sampled_from(["wake", "end"]), max_size=60))
def test_runs_never_exceed_wakes_and_no_wake_is_lost(steps: list[str]) -> None:
    slot, runs, wakes = IDLE, 0, 0
    woken_since_begin = False
    for step in steps:
        if step == "wake":
            slot, wakes, woken_since_begin = slot.wake(Reason.PUSH), wakes + 1, True
        elif slot.running:
            slot = slot.finish(0.0, Next())
        if slot.ready(0.0):
            slot, runs, woken_since_begin = slot.begin(0.0), runs + 1, False
    assert runs <= wakes
    assert bool(slot.pending) == woken_since_begin


def test_after_a_run_the_slot_is_due_after_its_interval() -> None:
    slot = IDLE.wake(Reason.PUSH).begin(100.0).finish(130.0, Next())
    assert (slot.due, slot.due_reason, slot.ended) == (190.0, Reason.TIMER, 130.0)


def test_a_turn_can_come_again_sooner_but_not_later() -> None:
    running = IDLE.wake(Reason.PUSH).begin(0.0)
    soon = running.finish(0.0, Next(timedelta(seconds=7)))
    assert (soon.due, soon.due_reason) == (7.0, Reason.RETRY)
    late = running.finish(0.0, Next(timedelta(hours=1)))
    assert (late.due, late.due_reason) == (60.0, Reason.TIMER)


@pytest.mark.parametrize("delay", [timedelta(0), timedelta(seconds=-5)])
def test_no_answer_makes_the_loop_spin(delay: timedelta) -> None:
    assert IDLE.wake(Reason.PUSH).begin(0.0).finish(10.0, Next(delay)).due == 11.0


def test_failures_rest_longer_and_longer_up_to_a_limit() -> None:
    backoff = Backoff()
    rests = [backoff.delay(failures, chance=0.0).total_seconds() for failures in range(1, 9)]
    assert rests == [5, 10, 20, 40, 80, 160, 180, 180]
    assert backoff.delay(100_000, chance=0.0) == timedelta(minutes=3)


def test_jitter_takes_up_to_a_quarter_off() -> None:
    assert Backoff().delay(3, chance=1.0) == timedelta(seconds=15)
    assert timedelta(seconds=15) < Backoff().delay(3, chance=0.5) < timedelta(seconds=20)


def test_a_failed_slot_comes_back_by_itself_and_forgets_its_failures_after_success() -> None:
    slot = IDLE.wake(Reason.PUSH).begin(0.0).fail(0.0, Backoff(), chance=0.0)
    assert (slot.failures, slot.due, slot.due_reason) == (1, 5.0, Reason.RETRY)
    slot = slot.wake(Reason.RETRY).begin(5.0).fail(5.0, Backoff(), chance=0.0)
    assert (slot.failures, slot.due) == (2, 15.0)
    slot = slot.wake(Reason.RETRY).begin(15.0).finish(15.0, Next())
    assert (slot.failures, slot.due) == (0, 75.0)


def test_hints_cannot_make_a_failing_slot_spin_but_a_person_can_try_again() -> None:
    slot = IDLE.wake(Reason.PUSH).begin(0.0).fail(0.0, Backoff(), chance=0.0).wake(Reason.PUSH)
    assert not slot.ready(4.9)
    assert slot.ready(5.0)
    assert slot.wake(Reason.MANUAL).ready(0.1)


def test_another_interval_counts_from_the_next_run() -> None:
    slot = IDLE.at_interval(2 * MINUTE)
    assert slot.due == 60.0
    assert slot.wake(Reason.TIMER).begin(60.0).finish(60.0, Next()).due == 180.0
