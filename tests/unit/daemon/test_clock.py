"""Both clocks, and the one that is moved by hand."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

from reconciler.daemon.clock import Instant, ManualClock, SystemClock

SECOND = timedelta(seconds=1)


def test_time_that_passes_is_no_jump() -> None:
    clock = ManualClock()
    before = Instant(clock.now(), clock.monotonic())
    clock.advance(timedelta(days=3))
    assert Instant(clock.now(), clock.monotonic()).jump_since(before) == timedelta(0)


def test_a_wall_clock_that_is_set_back_is_a_negative_jump() -> None:
    clock = ManualClock()
    before = Instant(clock.now(), clock.monotonic())
    clock.advance(SECOND)
    clock.set_wall(-timedelta(hours=1))
    assert Instant(clock.now(), clock.monotonic()).jump_since(before) == -timedelta(hours=1)
    assert clock.monotonic() == 1.0


def test_the_manual_clock_does_not_wait_for_what_has_passed() -> None:
    clock = ManualClock()
    clock.advance(2 * SECOND)
    condition = threading.Condition()
    with condition:
        clock.wait_until(condition, 1.5)


def test_advancing_the_manual_clock_wakes_whoever_waits() -> None:
    clock = ManualClock()
    condition = threading.Condition()
    waiting = threading.Event()
    seen: list[float] = []

    def wait() -> None:
        with condition:
            waiting.set()
            clock.wait_until(condition, 5.0)
            seen.append(clock.monotonic())

    thread = threading.Thread(target=wait)
    thread.start()
    assert waiting.wait(5)
    with condition:  # only free once the thread waits
        pass
    clock.advance(5 * SECOND)
    thread.join(5)
    assert seen == [5.0]


def test_the_system_clock_returns_at_once_when_the_deadline_has_passed() -> None:
    clock = SystemClock()
    condition = threading.Condition()
    with condition:
        clock.wait_until(condition, clock.monotonic() - 1)
    assert clock.now().tzinfo is UTC
    assert clock.now() > datetime(2024, 1, 1, tzinfo=UTC)


def test_the_system_clock_waits_for_a_notification_without_a_deadline() -> None:
    clock = SystemClock()
    condition = threading.Condition()

    def notify() -> None:
        with condition:
            condition.notify_all()

    with condition:
        threading.Thread(target=notify).start()
        clock.wait_until(condition, float("inf"))
