"""A stream of events is listened to again and again, with rests, until it is told to stop."""

from __future__ import annotations

import logging
import queue
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta

import pytest

from reconciler.daemon.clock import ManualClock
from reconciler.daemon.schedule import NoAlarms, Timing
from reconciler.daemon.sentry import Sentry
from reconciler.errors import Unreachable

PATIENCE_SECONDS = 10.0
END = None


class Stream:
    """What a test lets a stream say; each listening takes its own queue."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.heard: queue.Queue[str] = queue.Queue()
        self.begun: queue.Queue[queue.Queue[str | None]] = queue.Queue()
        self.ended: queue.Queue[bool] = queue.Queue()
        self.refuses = False
        timing = Timing(self.clock, NoAlarms(), lambda: 0.0)
        self.sentry = Sentry("virt1", self.listen, self.heard.put, timing=timing)

    def listen(self) -> AbstractContextManager[Iterator[str]]:
        return self._listen()

    @contextmanager
    def _listen(self) -> Iterator[Iterator[str]]:
        said: queue.Queue[str | None] = queue.Queue()
        self.begun.put(said)
        if self.refuses:
            raise Unreachable("virt1", "listen", "no answer")
        try:
            yield iter(said.get, END)
        finally:
            self.ended.put(True)
            said.put(END)

    def next_heard(self) -> str:
        return self.heard.get(timeout=PATIENCE_SECONDS)

    def next_begun(self) -> queue.Queue[str | None]:
        return self.begun.get(timeout=PATIENCE_SECONDS)

    def rest(self, seconds: float) -> None:
        """Let time pass as soon as the sentry waits for it."""
        while self.begun.empty() and not self.clock._waiting:
            pass
        self.clock.advance(timedelta(seconds=seconds))


@pytest.fixture
def stream() -> Iterator[Stream]:
    made = Stream()
    yield made
    made.sentry.stop()


def test_events_are_heard_after_the_beginning_is(stream: Stream) -> None:
    stream.sentry.start()
    said = stream.next_begun()
    said.put("/etc/motd")
    assert [stream.next_heard(), stream.next_heard()] == ["", "/etc/motd"]


def test_a_stream_that_ends_is_begun_anew_after_a_rest(stream: Stream) -> None:
    stream.sentry.start()
    stream.next_begun().put(END)
    stream.rest(1)
    stream.next_begun().put("/etc/hosts")
    assert [stream.next_heard() for _ in range(3)] == ["", "", "/etc/hosts"]


def test_rests_grow_while_it_cannot_be_listened_and_are_complained_of_once(
    stream: Stream, caplog: pytest.LogCaptureFixture
) -> None:
    stream.refuses = True
    with caplog.at_level(logging.WARNING):
        stream.sentry.start()
        stream.next_begun()
        stream.rest(1)
        stream.next_begun()
        stream.rest(1)  # two seconds are due by now
        assert stream.begun.empty()
        stream.rest(1)
        stream.next_begun()
    assert [record.message for record in caplog.records] == [
        "virt1: no events for now: virt1: listen: no answer"
    ]


def test_stopping_ends_the_stream_and_begins_no_other(stream: Stream) -> None:
    stream.sentry.start()
    stream.next_begun()
    assert stream.next_heard() == ""
    stream.sentry.stop()
    assert stream.ended.get(timeout=PATIENCE_SECONDS)
    stream.clock.advance(timedelta(minutes=5))
    assert stream.begun.empty()


def _never(_: str) -> None:
    pytest.fail("nothing was to be heard")


def test_what_is_stopped_before_it_begins_listens_to_nothing(stream: Stream) -> None:
    heard: Callable[[str], None] = _never
    timing = Timing(stream.clock, NoAlarms(), lambda: 0.0)
    late = Sentry("virt1", stream.listen, heard, timing=timing)
    late.stop()
    late.start()
    assert stream.begun.empty()
