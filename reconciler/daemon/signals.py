"""Signals of the operating system, turned into calls from an ordinary thread.

A handler runs between two instructions of the main thread and may hold up any lock that thread
holds; so it only puts the signal into a queue that allows this. The second request to stop ends
the process at once, in the handler itself.
"""

from __future__ import annotations

import logging
import os
import queue
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_log = logging.getLogger(__name__)

_STOP = (signal.SIGTERM, signal.SIGINT)
_EXIT_BASE = 128


@contextmanager
def on_signals(stop: Callable[[], None], reload: Callable[[], None]) -> Iterator[None]:
    """While inside: SIGTERM and SIGINT call `stop`, SIGHUP calls `reload`.

    A second SIGTERM or SIGINT ends the process at once with 128 and the signal's number; what was
    begun is found and finished by the next start. Main thread only.
    """
    arrived: queue.SimpleQueue[int | None] = queue.SimpleQueue()
    stops: list[int] = []

    def handle(number: int, _frame: FrameType | None) -> None:
        if number in _STOP:
            if stops:
                _leave_at_once(number)
            stops.append(number)
        arrived.put(number)

    before = {number: signal.signal(number, handle) for number in (*_STOP, signal.SIGHUP)}
    thread = threading.Thread(
        target=_answer, args=(arrived, stop, reload), name="signals", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        arrived.put(None)


def _answer(
    arrived: queue.SimpleQueue[int | None], stop: Callable[[], None], reload: Callable[[], None]
) -> None:
    while (number := arrived.get()) is not None:
        name = signal.Signals(number).name
        _log.info("%s received", name)
        try:
            if number == signal.SIGHUP:
                reload()
            else:
                stop()
        except Exception:  # noqa: BLE001  a signal must not end the thread that answers signals
            _log.exception("%s could not be followed", name)


def _leave_at_once(number: int) -> None:
    os.write(2, b"asked to stop a second time: leaving at once\n")
    os._exit(_EXIT_BASE + number)
