"""One slot per environment: a thousand wakes are one run. Pure; threads are in `workers`.

A wake says only that a look is due, never what will be found. While a slot runs, wakes gather and
become exactly one more run. Without wakes the slot is due again after its interval, or sooner
when the last turn asked for that.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace
from datetime import timedelta

LEAST_DELAY = timedelta(seconds=1)
_MOST_DOUBLINGS = 32


class Reason(enum.StrEnum):
    """Why a slot was woken. A hint for logs, never an input of a decision about the world."""

    POLL = "poll"
    PUSH = "push"
    TIMER = "timer"
    RETRY = "retry"
    MANUAL = "manual"
    EVENT = "event"
    SWEEP = "sweep"
    SERIAL = "serial"


@dataclass(frozen=True, slots=True)
class Next:
    """A turn's answer: when to come again at the latest; None leaves it to the interval.

    A delay below a second counts as a second, so that no answer can make the loop spin.
    """

    delay: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long a slot rests after turns that failed: doubling from `first` up to `limit`."""

    first: timedelta = timedelta(seconds=5)
    limit: timedelta = timedelta(minutes=3)

    def delay(self, failures: int, chance: float) -> timedelta:
        """The rest after so many failures in a row.

        `chance`, from 0 to 1, takes up to a quarter off, so that many slots do not march in step.
        """
        doublings = min(max(failures, 1) - 1, _MOST_DOUBLINGS)
        full_seconds = min(self.first.total_seconds() * 2.0**doublings, self.limit.total_seconds())
        return timedelta(seconds=full_seconds * (1 - chance / 4))


@dataclass(frozen=True, slots=True)
class Slot:
    """What a slot is at, as a value. Times are seconds of the monotonic clock.

    `pending` are the reasons of the wakes that wait for a run, `running` those of the run under
    way (empty: idle). `rests_until` holds wakes back after a failure, so that hints cannot make a
    failing environment spin; only a person's wake overrides it.
    """

    interval: timedelta
    due: float
    due_reason: Reason = Reason.TIMER
    pending: frozenset[Reason] = frozenset()
    running: frozenset[Reason] = frozenset()
    rests_until: float = 0.0
    failures: int = 0
    began: float | None = None
    ended: float | None = None

    def wake(self, reason: Reason) -> Slot:
        """Ask for one more look."""
        if reason in self.pending:
            return self
        return replace(self, pending=self.pending | {reason})

    def ready(self, now: float) -> bool:
        """Whether a run may begin."""
        if self.running or not self.pending:
            return False
        return Reason.MANUAL in self.pending or now >= self.rests_until

    def overdue(self, now: float, late_seconds: float = 0.0) -> bool:
        """Whether nobody woke it although its time has come (and passed by `late_seconds`)."""
        return not self.running and not self.pending and now >= self.due + late_seconds

    def begin(self, now: float) -> Slot:
        """The run takes over everything that is pending."""
        return replace(self, pending=frozenset(), running=self.pending, began=now)

    def finish(self, now: float, answer: Next) -> Slot:
        """The run is over; the turn has said when it wants to come again."""
        asked = self.interval if answer.delay is None else max(answer.delay, LEAST_DELAY)
        return replace(
            self,
            running=frozenset(),
            failures=0,
            due=now + min(asked, self.interval).total_seconds(),
            due_reason=Reason.RETRY if asked < self.interval else Reason.TIMER,
            ended=now,
        )

    def fail(self, now: float, backoff: Backoff, chance: float) -> Slot:
        """The run broke off; rest, the longer the more often in a row."""
        failures = self.failures + 1
        return replace(
            self,
            running=frozenset(),
            failures=failures,
            due=now + backoff.delay(failures, chance).total_seconds(),
            due_reason=Reason.RETRY,
            rests_until=now + backoff.delay(1, chance).total_seconds(),
            ended=now,
        )

    def at_interval(self, interval: timedelta) -> Slot:
        """The same slot with another interval, which counts from the next finished run."""
        return replace(self, interval=interval)
