"""Whether the loop still turns."""

from __future__ import annotations

from datetime import timedelta

from reconciler.daemon.health import check_health
from reconciler.daemon.slots import Backoff, Next, Reason, Slot

HOUR = timedelta(hours=1)
SLOT = Slot(timedelta(minutes=5), due=300.0)


def test_a_loop_that_turns_is_well() -> None:
    ended = SLOT.wake(Reason.TIMER).begin(290.0).finish(295.0, Next())
    health = check_health({"staging": ended}, 299.0, 300.0, HOUR)
    assert health.well
    assert health.slots[0].last_turn_monotonic == 295.0


def test_an_environment_that_fails_does_not_make_the_loop_unwell() -> None:
    failed = SLOT.wake(Reason.TIMER).begin(0.0).fail(1.0, Backoff(), chance=0.0)
    health = check_health({"staging": failed}, 2.0, 2.0, HOUR)
    assert health.well
    assert health.slots[0].failures == 1


def test_a_turn_that_never_ends_is_trouble() -> None:
    running = SLOT.wake(Reason.TIMER).begin(0.0)
    assert check_health({"staging": running}, 3600.0, 3600.0, HOUR).well
    health = check_health({"staging": running}, 3601.0, 3601.0, HOUR)
    assert health.troubles == ("staging: its turn lasts for more than 3600 s",)


def test_a_turn_that_nobody_begins_is_trouble() -> None:
    assert check_health({"staging": SLOT}, 360.0, 360.0, HOUR).well
    assert not check_health({"staging": SLOT}, 361.0, 361.0, HOUR).well
    assert not check_health({"staging": SLOT.wake(Reason.TIMER)}, 361.0, 361.0, HOUR).well


def test_a_heartbeat_that_stands_still_is_trouble() -> None:
    health = check_health({"staging": SLOT}, 0.0, 61.0, HOUR)
    assert health.troubles == ("the loop itself stands still for more than 60 s",)


def test_slots_are_judged_as_of_the_last_heartbeat() -> None:
    health = check_health({"staging": SLOT}, 299.0, 86400.0, HOUR)
    assert [slot.trouble for slot in health.slots] == [""]
    assert health.troubles == ("the loop itself stands still for more than 60 s",)
