"""F31: ten thousand signed deliveries are one fetch that runs, and one more after it."""

from __future__ import annotations

import queue
import threading
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from reconciler.daemon.clock import ManualClock
from reconciler.daemon.loop import Loop, Pace
from reconciler.daemon.schedule import NoAlarms, Timing
from reconciler.daemon.slots import Next
from reconciler.web.app import Standing, Web
from reconciler.web.hooks import hooks_of
from reconciler.web.limits import REMEMBERED
from reconciler.web.server import serving
from tests.webhooks.lines import answer, connect, delivery, status_of
from tests.webhooks.receiver import settings_of
from tests.webhooks.senders import Sample, signed

PATIENCE_SECONDS = 10.0
STORM = 10_000
SENDERS = 4


class Fetch:
    """The question to the repository, which takes until it is let through."""

    def __init__(self) -> None:
        self.begun: queue.Queue[None] = queue.Queue()
        self.allowed = threading.Semaphore(0)
        self.count = 0

    def __call__(self) -> Iterable[str]:
        self.count += 1
        self.begun.put(None)
        self.allowed.acquire(timeout=PATIENCE_SECONDS * 3)
        return ()


def push(number: int) -> bytes:
    sample = Sample("github", "push", {"ref": "refs/heads/production", "after": f"{number:040}"})
    return delivery(signed(sample, f"d-{number}"), "github")


def send(where: str, numbers: range) -> Counter[int]:
    with connect(where) as line:
        seen: Counter[int] = Counter()
        for number in numbers:
            line.sendall(push(number))
            seen[status_of(answer(line))] += 1
        return seen


def storm(where: str) -> Counter[int]:
    """All deliveries, from several senders at once."""
    results: list[Counter[int]] = []
    share = STORM // SENDERS
    senders = [
        threading.Thread(
            target=lambda each=each: results.append(
                send(where, range(each * share, (each + 1) * share))
            )
        )
        for each in range(SENDERS)
    ]
    for each in senders:
        each.start()
    for each in senders:
        each.join()
    return sum(results, Counter())


def test_a_storm_of_deliveries_is_one_fetch_and_one_more(tmp_path: Path) -> None:
    fetch, clock = Fetch(), ManualClock()
    timing = Timing(clock, NoAlarms(), lambda: 0.0)
    loop = Loop([], lambda *_: Next(), fetch, pace=Pace(), timing=timing)
    thread = threading.Thread(target=loop.run, args=(lambda: None,), daemon=True)
    thread.start()
    standing = Standing(lambda: True, lambda: True)
    web = Web(hooks_of(settings_of(tmp_path)), lambda _: loop.poll_now(), standing, clock)
    with serving("127.0.0.1:0", web.app()) as where:
        assert send(where, range(STORM, STORM + 1)) == {202: 1}
        fetch.begun.get(timeout=PATIENCE_SECONDS)
        seen = storm(where)
        assert fetch.count == 1
        fetch.allowed.release(2)
        fetch.begun.get(timeout=PATIENCE_SECONDS)
        assert set(seen) == {202, 429}
        assert seen.total() == STORM
    loop.stop()
    thread.join(PATIENCE_SECONDS)
    assert fetch.count == 2
    assert len(web.hooks["github"].remembered) <= REMEMBERED
