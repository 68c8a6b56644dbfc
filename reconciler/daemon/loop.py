"""The loop: a slot per environment, one slot that polls for all, and the heartbeat beside them.

The poll asks the repository once for all environments and wakes those whose head moved. Each
environment is also woken at its own interval for a full look, whatever the poll says. Everything
else (a push seen on disk, a webhook, a person) only wakes.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from reconciler.daemon.clock import NEVER, Instant
from reconciler.daemon.health import Health, check_health
from reconciler.daemon.schedule import Timing
from reconciler.daemon.slots import Backoff, Next, Reason, Slot
from reconciler.daemon.workers import Turn, Worker

_log = logging.getLogger(__name__)

POLL = "poll"
POLL_BACKOFF = Backoff(first=timedelta(seconds=1), limit=timedelta(minutes=5))
NOTABLE_JUMP = timedelta(seconds=5)

EnvironmentTurn = Callable[[str, frozenset[Reason], threading.Event], Next]
"""One look at an environment, and what follows. Given: its name, why, and an event that is set
when the process wants to stop, upon which it finishes the step it is in and returns."""

Poll = Callable[[], Iterable[str]]
"""One question to the repository for all environments; answers those whose head moved."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How often, and how long at most."""

    poll: timedelta = timedelta(seconds=60)
    look: timedelta = timedelta(minutes=5)
    beat: timedelta = timedelta(seconds=1)
    longest_turn: timedelta = timedelta(hours=1)
    stop_within: timedelta = timedelta(seconds=30)


class Loop:
    """The running whole. Must: `run` is called once; everything else from any thread."""

    def __init__(
        self,
        environments: Iterable[str],
        turn: EnvironmentTurn,
        poll: Poll,
        *,
        pace: Pace,
        timing: Timing,
    ) -> None:
        """Prepare the slots; each environment is due at once, the first poll after its interval."""
        self.stopping = threading.Event()
        self._pace = pace
        self._clock = timing.clock
        self._alarms = timing.alarms
        self._poll = poll
        self._changed = threading.Condition()
        self._seen = Instant(timing.clock.now(), timing.clock.monotonic())
        self._troubles: tuple[str, ...] = ()
        self._stop_by = NEVER
        now = self._seen.monotonic
        self._timing = timing
        self._is_running = False
        worker = partial(Worker, timing=timing)
        self._looks = {
            name: worker(
                name,
                partial(self._look, turn, name),
                Slot(pace.look, due=now).wake(Reason.TIMER),
                backoff=Backoff(),
            )
            for name in environments
        }
        first_poll = Slot(pace.poll, due=now + pace.poll.total_seconds())
        self._poller = worker(POLL, self._ask, first_poll, backoff=POLL_BACKOFF)
        self._workers: dict[str, Worker] = {**self._looks, POLL: self._poller}

    @property
    def environments(self) -> tuple[str, ...]:
        """The environments that have a slot."""
        return tuple(self._looks)

    def wake(self, environment: str, reason: Reason) -> bool:
        """Ask for a look at one environment; False if there is no such environment."""
        worker = self._looks.get(environment)
        if worker is None:
            return False
        worker.wake(reason)
        return True

    def wake_all(self, reason: Reason) -> None:
        """Ask for a look at every environment."""
        for worker in self._looks.values():
            worker.wake(reason)

    def post(self, name: str, turn: Turn, interval: timedelta, backoff: Backoff) -> None:
        """Let something else be done at an interval, from now on, in a thread of its own."""
        slot = Slot(interval, due=self._clock.monotonic() + interval.total_seconds())
        worker = Worker(name, turn, slot, backoff=backoff, timing=self._timing)
        with self._changed:
            self._workers = {**self._workers, name: worker}
            is_running = self._is_running and not self.stopping.is_set()
        if is_running:
            self._rearm_one(worker)
            worker.start()

    def withdraw(self, name: str) -> None:
        """Do no more what was posted under the name; a turn under way may finish."""
        with self._changed:
            workers = dict(self._workers)
            worker = workers.pop(name, None)
            self._workers = workers
        if worker is not None:
            worker.stop()

    def poll_now(self, reason: Reason = Reason.PUSH) -> None:
        """Ask the repository now; environments whose head moved are woken with the reason."""
        self._poller.wake(reason)

    def change_pace(self, *, poll: timedelta, look: timedelta) -> None:
        """Use other intervals, each from its next finished turn on."""
        self._poller.change_interval(poll)
        for worker in self._looks.values():
            worker.change_interval(look)

    def health(self) -> Health:
        """Whether the loop still turns."""
        return self._health(self._clock.monotonic())

    def _health(self, now: float) -> Health:
        slots = {name: worker.slot for name, worker in self._workers.items()}
        return check_health(slots, self._seen.monotonic, now, self._pace.longest_turn)

    def stop(self) -> None:
        """Take no more work; `run` returns when the turns under way have finished."""
        # No turn may begin between the event, upon which turns return, and the end of its worker.
        for worker in self._workers.values():
            worker.stop()
        with self._changed:
            if not self.stopping.is_set():
                self._stop_by = self._clock.monotonic() + self._pace.stop_within.total_seconds()
            self.stopping.set()
            self._changed.notify_all()

    def run(self, alive: Callable[[], None]) -> tuple[str, ...]:
        """Turn until stopped. `alive` is called at each beat while the loop is well.

        Returns:
            The environments whose turn did not finish in time after the stop; none, normally.
        """
        self._alarms.start(self._ring)
        self._rearm()
        with self._changed:
            self._is_running = True
            workers = tuple(self._workers.values())
        for worker in workers:
            worker.start()
        try:
            while not self.stopping.is_set():
                self._beat(alive)
                self._pause()
        finally:
            self.stop()
            self._alarms.stop()
            left = self._drain()
        return left

    def _look(self, turn: EnvironmentTurn, environment: str, reasons: frozenset[Reason]) -> Next:
        return turn(environment, reasons, self.stopping)

    def _ask(self, reasons: frozenset[Reason]) -> Next:
        reason = Reason.PUSH if Reason.PUSH in reasons else Reason.POLL
        for environment in self._poll():
            self.wake(environment, reason)
        return Next()

    def _ring(self, name: str) -> None:
        """An alarm rang: by a wall clock that was set forward, perhaps too early."""
        worker = self._workers.get(name)
        if worker is not None and not worker.ring():
            self._rearm_one(worker)

    def _rearm(self) -> None:
        for worker in self._workers.values():
            self._rearm_one(worker)

    def _rearm_one(self, worker: Worker) -> None:
        slot = worker.slot
        remaining_seconds = slot.due - self._clock.monotonic()
        if not slot.running and not slot.pending and remaining_seconds > 0:
            self._alarms.set(worker.name, timedelta(seconds=remaining_seconds))

    def _pause(self) -> None:
        deadline = self._seen.monotonic + self._pace.beat.total_seconds()
        with self._changed:
            if not self.stopping.is_set():
                self._clock.wait_until(self._changed, deadline)

    def _beat(self, alive: Callable[[], None]) -> None:
        """The second opinion beside the alarms: by the monotonic clock, and about the threads."""
        health = self._health(self._seen.monotonic)
        self._notice_jump()
        for worker in self._workers.values():
            if worker.revive():
                _log.error("%s: its thread had died and was started anew", worker.name)
            if worker.ring(late_seconds=self._pace.beat.total_seconds()):
                _log.debug("%s: woken by the heartbeat, no alarm rang", worker.name)
        if health.well:
            alive()
        self._tell(health)

    def _notice_jump(self) -> None:
        now = Instant(self._clock.now(), self._clock.monotonic())
        jump = now.jump_since(self._seen)
        self._seen = now
        if abs(jump) >= NOTABLE_JUMP:
            seconds = jump.total_seconds()
            _log.warning("the wall clock was set by %+.0f s; the cadence is kept", seconds)
            self._rearm()

    def _tell(self, health: Health) -> None:
        """Complain about each trouble once, as long as it lasts."""
        for trouble in health.troubles:
            if trouble not in self._troubles:
                _log.error("the loop stalls: %s", trouble)
        self._troubles = health.troubles

    def _drain(self) -> tuple[str, ...]:
        """Let turns under way finish. The poll changes nothing and is not waited for."""
        looks = self._looks.items()
        left = tuple(name for name, worker in looks if not worker.finish_by(self._stop_by))
        for name in left:
            _log.error("%s: its turn did not finish in time and is left", name)
        return left
