"""F31: ten thousand wakes in a moment are one more run, and cost nothing that grows."""

from __future__ import annotations

import queue
import threading
import tracemalloc
from collections.abc import Iterable

from reconciler.daemon.clock import ManualClock
from reconciler.daemon.loop import Loop, Pace
from reconciler.daemon.schedule import NoAlarms, Timing
from reconciler.daemon.slots import Next, Reason

PATIENCE_SECONDS = 10.0
STORM = 10_000


class Counted:
    """Something that runs when allowed and counts how often, and how often at one time."""

    def __init__(self) -> None:
        self.begun: queue.Queue[None] = queue.Queue()
        self.allowed = threading.Semaphore(0)
        self.ended: queue.Queue[None] = queue.Queue()
        self.count = 0
        self.at_once = 0
        self.most_at_once = 0

    def __call__(self) -> None:
        self.count += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self.begun.put(None)
        self.allowed.acquire(timeout=PATIENCE_SECONDS)
        self.at_once -= 1
        self.ended.put(None)


def start(loop: Loop) -> threading.Thread:
    thread = threading.Thread(target=loop.run, args=(lambda: None,), daemon=True)
    thread.start()
    return thread


def make(turns: Counted, polls: Counted) -> Loop:
    def turn(_name: str, _reasons: frozenset[Reason], _stopping: threading.Event) -> Next:
        turns()
        return Next()

    def poll() -> Iterable[str]:
        polls()
        return ()

    timing = Timing(ManualClock(), NoAlarms(), lambda: 0.0)
    return Loop(["staging"], turn, poll, pace=Pace(), timing=timing)


def stop(loop: Loop, thread: threading.Thread, *counted: Counted) -> None:
    """Let everything that is still wanted happen, then stop."""
    for each in counted:
        each.allowed.release(STORM)
    loop.stop()
    thread.join(PATIENCE_SECONDS)
    assert not thread.is_alive()


def test_a_storm_during_a_turn_is_exactly_one_more_turn() -> None:
    turns, polls = Counted(), Counted()
    loop = make(turns, polls)
    thread = start(loop)
    turns.begun.get(timeout=PATIENCE_SECONDS)
    for _ in range(STORM):
        assert loop.wake("staging", Reason.PUSH)
    turns.allowed.release()
    turns.begun.get(timeout=PATIENCE_SECONDS)
    turns.allowed.release()
    for _ in range(2):
        turns.ended.get(timeout=PATIENCE_SECONDS)
    stop(loop, thread, turns, polls)
    assert (turns.count, turns.most_at_once) == (2, 1)


def test_a_storm_from_many_threads_asks_the_repository_once_more() -> None:
    turns, polls = Counted(), Counted()
    loop = make(turns, polls)
    thread = start(loop)
    loop.poll_now(Reason.PUSH)
    polls.begun.get(timeout=PATIENCE_SECONDS)

    def storm() -> None:
        for _ in range(STORM // 8):
            loop.poll_now(Reason.PUSH)

    callers = [threading.Thread(target=storm) for _ in range(8)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(PATIENCE_SECONDS)
    polls.allowed.release(2)
    for _ in range(2):
        polls.ended.get(timeout=PATIENCE_SECONDS)
    stop(loop, thread, turns, polls)
    assert (polls.count, polls.most_at_once) == (2, 1)


def test_a_storm_leaves_no_memory_behind() -> None:
    turns, polls = Counted(), Counted()
    loop = make(turns, polls)
    thread = start(loop)
    turns.begun.get(timeout=PATIENCE_SECONDS)
    loop.wake("staging", Reason.PUSH)
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    for _ in range(STORM):
        loop.wake("staging", Reason.PUSH)
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    stop(loop, thread, turns, polls)
    assert after - before < 4096
