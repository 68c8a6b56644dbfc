"""F40: no memory, a dead thread, a scheduler that stands still: the loop goes on or says so."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from reconciler.daemon.clock import ManualClock
from reconciler.daemon.loop import Loop, Pace
from reconciler.daemon.schedule import NoAlarms, Timing
from reconciler.daemon.slots import Next, Reason

PATIENCE_SECONDS = 10.0
HANGS = "staging: its turn lasts for more than 3600 s"
Turn = Callable[[str, frozenset[Reason], threading.Event], Next]


class FailingOnce(NoAlarms):
    """Alarms that break, once, in the hands of the thread that sets one; rings never."""

    def __init__(self) -> None:
        self.broken = threading.Event()
        self.armed: queue.Queue[str] = queue.Queue()

    def set(self, name: str, delay: timedelta) -> None:  # noqa: ARG002  the port's signature
        if name == "staging" and not self.broken.is_set():
            self.broken.set()
            raise MemoryError
        self.armed.put(name)


class SeenClock(ManualClock):
    """Tells when the loop's own thread has done its heartbeat and waits for the next."""

    def __init__(self) -> None:
        super().__init__()
        self.rests: queue.Queue[float] = queue.Queue()

    def wait_until(self, condition: threading.Condition, deadline: float) -> None:
        if threading.current_thread().name == "the loop":
            self.rests.put(self.monotonic())
        super().wait_until(condition, deadline)


class Bench:
    """A loop in a thread, with what its supervisor hears."""

    def __init__(self, turn: Turn, alarms: NoAlarms, environments: tuple[str, ...]) -> None:
        self.clock = SeenClock()
        self.heard: list[float] = []
        timing = Timing(self.clock, alarms, lambda: 0.0)
        self.loop = Loop(environments, turn, tuple, pace=Pace(), timing=timing)
        self.thread = threading.Thread(target=self._run, name="the loop", daemon=True)
        self.thread.start()

    def _run(self) -> None:
        self.loop.run(lambda: self.heard.append(self.clock.monotonic()))

    def beat_after(self, pause: timedelta) -> None:
        """Let time pass and wait until the heartbeat that follows is done."""
        self.clock.advance(pause)
        while self.clock.rests.get(timeout=PATIENCE_SECONDS) < self.clock.monotonic():
            pass


@pytest.fixture
def start() -> Iterator[Callable[..., Bench]]:
    made: list[Bench] = []

    def make(turn: Turn, alarms: NoAlarms, *environments: str) -> Bench:
        made.append(Bench(turn, alarms, environments))
        return made[-1]

    yield make
    for bench in made:
        bench.loop.stop()
        bench.thread.join(PATIENCE_SECONDS)


@pytest.mark.parametrize("error", [MemoryError(), SystemExit(1), KeyboardInterrupt()])
def test_whatever_ends_a_turn_ends_neither_its_thread_nor_the_others(
    start: Callable[..., Bench], error: BaseException
) -> None:
    turns: queue.Queue[str] = queue.Queue()
    first = threading.Event()

    def turn(name: str, _reasons: frozenset[Reason], _stopping: threading.Event) -> Next:
        if name == "staging" and not first.is_set():
            first.set()
            raise error
        turns.put(name)
        return Next()

    bench = start(turn, NoAlarms(), "staging", "production")
    assert turns.get(timeout=PATIENCE_SECONDS) == "production"
    assert first.wait(PATIENCE_SECONDS)
    bench.loop.wake("staging", Reason.MANUAL)
    assert turns.get(timeout=PATIENCE_SECONDS) == "staging"


def test_a_thread_that_died_is_started_anew_by_the_heartbeat(
    start: Callable[..., Bench],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    turns: queue.Queue[frozenset[Reason]] = queue.Queue()
    died = threading.Event()
    monkeypatch.setattr(threading, "excepthook", lambda _arguments: died.set())

    def turn(_name: str, reasons: frozenset[Reason], _stopping: threading.Event) -> Next:
        turns.put(reasons)
        return Next()

    bench = start(turn, FailingOnce(), "staging")
    turns.get(timeout=PATIENCE_SECONDS)
    assert died.wait(PATIENCE_SECONDS)
    bench.loop.wake("staging", Reason.PUSH)
    bench.beat_after(timedelta(seconds=2))
    assert turns.get(timeout=PATIENCE_SECONDS) == {Reason.PUSH}
    assert "staging: its thread had died and was started anew" in caplog.text


def test_a_scheduler_that_stands_still_stops_nothing(start: Callable[..., Bench]) -> None:
    turns: queue.Queue[None] = queue.Queue()

    def turn(_name: str, _reasons: frozenset[Reason], _stopping: threading.Event) -> Next:
        turns.put(None)
        return Next()

    alarms = FailingOnce()
    alarms.broken.set()
    bench = start(turn, alarms, "staging")
    for _ in range(5):
        turns.get(timeout=PATIENCE_SECONDS)
        while alarms.armed.get(timeout=PATIENCE_SECONDS) != "staging":
            pass
        bench.clock.advance(timedelta(minutes=5, seconds=1))


def test_a_turn_that_hangs_is_told_once_and_the_supervisor_hears_no_more(
    start: Callable[..., Bench], caplog: pytest.LogCaptureFixture
) -> None:
    begun = threading.Event()
    release = threading.Event()

    def turn(_name: str, _reasons: frozenset[Reason], _stopping: threading.Event) -> Next:
        begun.set()
        release.wait(PATIENCE_SECONDS)
        return Next()

    bench = start(turn, NoAlarms(), "staging")
    assert begun.wait(PATIENCE_SECONDS)
    bench.beat_after(timedelta(minutes=60))
    bench.beat_after(timedelta(seconds=2))
    bench.heard.clear()
    for _ in range(3):
        bench.beat_after(timedelta(seconds=2))
    assert bench.heard == []
    assert caplog.messages.count("the loop stalls: " + HANGS) == 1
    assert HANGS in bench.loop.health().troubles
    release.set()


def test_a_loop_that_is_well_is_heard_at_each_beat(start: Callable[..., Bench]) -> None:
    bench = start(lambda _n, _r, _s: Next(), NoAlarms(), "staging")
    for _ in range(5):
        bench.beat_after(timedelta(seconds=2))
    assert {2.0, 4.0, 6.0, 8.0, 10.0} <= set(bench.heard)


def test_a_machine_that_was_suspended_is_not_taken_for_a_stall(
    start: Callable[..., Bench], caplog: pytest.LogCaptureFixture
) -> None:
    bench = start(lambda _n, _r, _s: Next(), NoAlarms(), "staging")
    bench.beat_after(timedelta(days=1))
    assert "the loop stalls" not in caplog.text
    assert 86400.0 in bench.heard


def test_a_loop_that_stands_still_is_seen_from_outside() -> None:
    clock = ManualClock()
    timing = Timing(clock, NoAlarms(), lambda: 0.0)
    loop = Loop([], lambda _n, _r, _s: Next(), tuple, pace=Pace(), timing=timing)
    clock.advance(timedelta(seconds=61))
    assert loop.health().troubles == ("the loop itself stands still for more than 60 s",)
