"""A loop on a clock that is moved by hand, and a double of the alarms that never ring."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta

import pytest

from reconciler.daemon.clock import ManualClock
from reconciler.daemon.loop import Loop, Pace
from reconciler.daemon.schedule import Timing
from reconciler.daemon.slots import Next, Reason

PATIENCE_SECONDS = 10.0


class SilentAlarms:
    """Alarms that never ring; that one was set tells a test that a turn has been settled."""

    def __init__(self) -> None:
        self.armed: queue.Queue[tuple[str, timedelta]] = queue.Queue()
        self.ring: Callable[[str], None] = lambda _name: None
        self.stopped = False

    def start(self, ring: Callable[[str], None]) -> None:
        self.ring = ring

    def set(self, name: str, delay: timedelta) -> None:
        self.armed.put((name, delay))

    def stop(self) -> None:
        self.stopped = True


class Farm:
    """What the callables of a loop saw, and what they are to answer."""

    def __init__(self) -> None:
        self.turns: queue.Queue[tuple[str, frozenset[Reason]]] = queue.Queue()
        self.polls = 0
        self.moved: Callable[[], Iterable[str]] = tuple
        self.answer: Callable[[str, threading.Event], Next] = lambda _name, _stopping: Next()

    def turn(self, name: str, reasons: frozenset[Reason], stopping: threading.Event) -> Next:
        self.turns.put((name, reasons))
        return self.answer(name, stopping)

    def poll(self) -> Iterable[str]:
        self.polls += 1
        return self.moved()


class Bench:
    """A loop that runs in a thread of its own, with everything it was given."""

    def __init__(self, environments: tuple[str, ...], pace: Pace) -> None:
        self.clock = ManualClock()
        self.alarms = SilentAlarms()
        self.farm = Farm()
        self.alive = 0
        self.left: tuple[str, ...] | None = None
        timing = Timing(self.clock, self.alarms, lambda: 0.0)
        self.loop = Loop(environments, self.farm.turn, self.farm.poll, pace=pace, timing=timing)
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        def alive() -> None:
            self.alive += 1

        self.left = self.loop.run(alive)

    def start(self) -> None:
        self._thread.start()

    def start_and_settle(self) -> None:
        """Start; return when each environment has had its first turn."""
        self.start()
        for _ in self.loop.environments:
            self.next_turn()
        self.settled(len(self.loop.environments))

    def next_turn(self) -> tuple[str, frozenset[Reason]]:
        return self.farm.turns.get(timeout=PATIENCE_SECONDS)

    def settled(self, turns: int = 1) -> list[tuple[str, timedelta]]:
        """Wait until so many alarms were set by environments after their turns."""
        seen: list[tuple[str, timedelta]] = []
        while len(seen) < turns:
            name, delay = self.alarms.armed.get(timeout=PATIENCE_SECONDS)
            if name != "poll":
                seen.append((name, delay))
        return seen

    def poll_settled(self) -> timedelta:
        """Wait until an alarm was set for the next poll."""
        while True:
            name, delay = self.alarms.armed.get(timeout=PATIENCE_SECONDS)
            if name == "poll":
                return delay

    def join(self) -> tuple[str, ...] | None:
        self._thread.join(PATIENCE_SECONDS)
        assert not self._thread.is_alive()
        return self.left


@pytest.fixture
def bench() -> Iterator[Callable[..., Bench]]:
    made: list[Bench] = []

    def make(*environments: str, pace: Pace | None = None) -> Bench:
        made.append(Bench(environments, pace or Pace()))
        return made[-1]

    yield make
    for each in made:
        each.loop.stop()
