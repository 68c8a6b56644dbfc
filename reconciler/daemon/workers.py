"""A thread per slot, so that a slow environment delays no other.

A worker runs its slot's turns one at a time. A turn that breaks off is complained about once with
its traceback, then in one line as long as it breaks off in the same way, and is retried with a
growing rest.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import timedelta

from reconciler.daemon.clock import NEVER
from reconciler.daemon.schedule import Timing
from reconciler.daemon.slots import Backoff, Next, Reason, Slot
from reconciler.errors import ReconcilerError

_log = logging.getLogger(__name__)

Turn = Callable[[frozenset[Reason]], Next]


class Worker:
    """One slot and the thread that runs its turns."""

    def __init__(
        self, name: str, turn: Turn, slot: Slot, *, backoff: Backoff, timing: Timing
    ) -> None:
        """Prepare; no thread runs yet. After each turn the alarm of its name is set."""
        self.name = name
        self._turn = turn
        self._slot = slot
        self._backoff = backoff
        self._timing = timing
        self._clock = timing.clock
        self._changed = threading.Condition()
        self._stopped = False
        self._ended = True
        self._complaint = ""

    @property
    def slot(self) -> Slot:
        """What the slot is at."""
        return self._slot

    def wake(self, reason: Reason) -> None:
        """Ask for one more look; cheap, and harmless however often."""
        with self._changed:
            self._slot = self._slot.wake(reason)
            self._changed.notify_all()

    def ring(self, late_seconds: float = 0.0) -> bool:
        """Wake the slot if its time has come and passed by `late_seconds`; say whether it had."""
        with self._changed:
            overdue = self._slot.overdue(self._clock.monotonic(), late_seconds)
            if overdue:
                self._slot = self._slot.wake(self._slot.due_reason)
                self._changed.notify_all()
            return overdue

    def change_interval(self, interval: timedelta) -> None:
        """Use another interval from the next finished turn on."""
        with self._changed:
            self._slot = self._slot.at_interval(interval)

    def start(self) -> None:
        """Start the thread. It is no obstacle to the end of the process."""
        self._ended = False
        threading.Thread(target=self._run, name=f"slot-{self.name}", daemon=True).start()

    def revive(self) -> bool:
        """Start a new thread if the old one died; say whether it had."""
        with self._changed:
            if self._stopped or not self._ended:
                return False
            if self._slot.running:
                self._slot = self._slot.fail(self._clock.monotonic(), self._backoff, chance=0.0)
        self.start()
        return True

    def stop(self) -> None:
        """Begin no further turn; one that runs may finish."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def finish_by(self, deadline: float) -> bool:
        """After `stop`: wait for the turn under way until the monotonic deadline.

        Returns:
            Whether no turn is under way any more.
        """
        with self._changed:
            while self._at_work() and self._clock.monotonic() < deadline:
                self._clock.wait_until(self._changed, deadline)
            return not self._at_work()

    def _at_work(self) -> bool:
        return bool(self._slot.running) and not self._ended

    def _run(self) -> None:
        try:
            while (reasons := self._next_run()) is not None:
                self._settle(self._attempt(reasons))
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def _settle(self, answer: Next | None) -> None:
        with self._changed:
            now = self._clock.monotonic()
            if answer is None:
                self._slot = self._slot.fail(now, self._backoff, self._timing.chance())
            else:
                self._slot = self._slot.finish(now, answer)
            delay = timedelta(seconds=self._slot.due - now)
        self._timing.alarms.set(self.name, delay)

    def _next_run(self) -> frozenset[Reason] | None:
        """Wait for something to do; None once stopped."""
        with self._changed:
            while not self._stopped and not self._slot.ready(self._clock.monotonic()):
                until = self._slot.rests_until if self._slot.pending else NEVER
                self._clock.wait_until(self._changed, until)
            if self._stopped:
                return None
            self._slot = self._slot.begin(self._clock.monotonic())
            return self._slot.running

    def _attempt(self, reasons: frozenset[Reason]) -> Next | None:
        """Run one turn; None if it broke off, in whatever way."""
        try:
            answer = self._turn(reasons)
        except BaseException as error:  # noqa: BLE001  one environment must not end the others
            self._complain(error)
            return None
        if self._slot.failures:
            _log.info("%s: works again after %d failures", self.name, self._slot.failures)
        self._complaint = ""
        return answer

    def _complain(self, error: BaseException) -> None:
        complaint = f"{type(error).__name__}: {error}"
        expected = isinstance(error, ReconcilerError)
        fresh = complaint != self._complaint
        self._complaint = complaint
        _log.error(
            "%s: broke off%s: %s",
            self.name,
            "" if fresh else f" again ({self._slot.failures + 1} times in a row)",
            error if expected else complaint,
            exc_info=error if fresh and not expected else None,
        )
