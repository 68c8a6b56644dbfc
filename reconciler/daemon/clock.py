"""Time as an argument: the clock of the machine, and one that somebody else moves.

Cadence follows the monotonic clock, which no administrator and no time server sets. The wall
clock is only read to notice that it was set.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

NEVER = float("inf")


class Clock(Protocol):
    """What the loop asks of time."""

    def now(self) -> datetime:
        """The wall clock, in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds since some moment; never set, never backwards."""
        ...

    def wait_until(self, condition: threading.Condition, deadline: float) -> None:
        """Wait, with the condition held, for a notification or the monotonic deadline.

        It may also return early; the caller looks again at what it waits for.
        """
        ...


class SystemClock:
    """The clock of the machine."""

    def now(self) -> datetime:
        """The wall clock, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """The monotonic clock, in seconds."""
        return time.monotonic()

    def wait_until(self, condition: threading.Condition, deadline: float) -> None:
        """Wait for a notification or the monotonic deadline."""
        remaining_seconds = deadline - time.monotonic()
        if remaining_seconds > 0:
            condition.wait(min(remaining_seconds, threading.TIMEOUT_MAX))


class ManualClock:
    """A clock that stands still until it is moved: for drills, simulations and tests."""

    def __init__(self, wall: datetime = datetime(2030, 1, 1, tzinfo=UTC)) -> None:
        """Begin at the given wall time, with the monotonic clock at zero."""
        self._lock = threading.Lock()
        self._wall = wall
        self._monotonic = 0.0
        self._waiting: dict[threading.Condition, int] = {}

    def now(self) -> datetime:
        """The wall time that was reached or set."""
        return self._wall

    def monotonic(self) -> float:
        """Seconds by which the clock was advanced."""
        return self._monotonic

    def wait_until(self, condition: threading.Condition, deadline: float) -> None:
        """Wait for a notification, or for `advance` to move the clock."""
        with self._lock:
            if self._monotonic >= deadline:
                return
            self._waiting[condition] = self._waiting.get(condition, 0) + 1
        try:
            condition.wait()
        finally:
            with self._lock:
                self._waiting[condition] -= 1
                if not self._waiting[condition]:
                    del self._waiting[condition]

    def advance(self, by: timedelta) -> None:
        """Let time pass on both clocks and wake whoever waits for it."""
        with self._lock:
            self._monotonic += by.total_seconds()
            self._wall += by
            waiting = tuple(self._waiting)
        for condition in waiting:
            with condition:
                condition.notify_all()

    def set_wall(self, by: timedelta) -> None:
        """Set the wall clock forward or (negative) back, as an administrator or NTP does."""
        with self._lock:
            self._wall += by


@dataclass(frozen=True, slots=True)
class Instant:
    """Both clocks, read at one moment."""

    wall: datetime
    monotonic: float

    def jump_since(self, earlier: Instant) -> timedelta:
        """How far the wall clock was set since then: what it moved beyond the time that passed."""
        passed = timedelta(seconds=self.monotonic - earlier.monotonic)
        return (self.wall - earlier.wall) - passed
