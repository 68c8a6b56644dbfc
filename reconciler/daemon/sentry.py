"""Listening to a stream of events that ends now and then: it is begun anew, after growing rests.

Events are hints. What is missed while nobody listens is found by the next look.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import timedelta

from reconciler.daemon.schedule import Timing
from reconciler.daemon.slots import Backoff
from reconciler.errors import ReconcilerError

_log = logging.getLogger(__name__)

REST = Backoff(first=timedelta(seconds=1), limit=timedelta(minutes=1))
STEADY_SECONDS = 60.0  # a stream that lasted so long did not end because something is wrong

Listen = Callable[[], AbstractContextManager[Iterator[str]]]


class Sentry:
    """One stream and the thread that listens to it. Leaving the context of a stream ends it."""

    def __init__(
        self,
        name: str,
        listen: Listen,
        heard: Callable[[str], None],
        *,
        timing: Timing,
        rest: Backoff = REST,
    ) -> None:
        """Prepare. `heard` is told each event, and once with "" each time it begins to listen."""
        self.name = name
        self._listen = listen
        self._heard = heard
        self._timing = timing
        self._rest = rest
        self._changed = threading.Condition()
        self._stopped = False
        self._stream: AbstractContextManager[Iterator[str]] | None = None
        self._complaint = ""

    def start(self) -> None:
        """Begin to listen. The thread is no obstacle to the end of the process."""
        threading.Thread(target=self._run, name=f"sentry-{self.name}", daemon=True).start()

    def stop(self) -> None:
        """Listen no more; does not wait."""
        with self._changed:
            self._stopped = True
            stream, self._stream = self._stream, None
            self._changed.notify_all()
        if stream is not None:
            stream.__exit__(None, None, None)

    def _run(self) -> None:
        failures = 0
        while not self._stopped:
            began = self._timing.clock.monotonic()
            self._attend()
            lasted = self._timing.clock.monotonic() - began
            failures = 1 if lasted >= STEADY_SECONDS else failures + 1
            self._pause(self._rest.delay(failures, self._timing.chance()).total_seconds())

    def _attend(self) -> None:
        """Listen until the stream ends, in whatever way."""
        try:
            stream = self._listen()
            events = stream.__enter__()
            with self._changed:
                if self._stopped:
                    stream.__exit__(None, None, None)
                    return
                self._stream = stream
            self._heard("")
            for event in events:
                self._complaint = ""
                self._heard(event)
            self._complain("the stream of events ended")
        except ReconcilerError as error:
            self._complain(str(error))
        except Exception as error:  # noqa: BLE001 - a broken stream must not end the watch
            self._complain(f"{type(error).__name__}: {error}")
        finally:
            self._let_go()

    def _let_go(self) -> None:
        with self._changed:
            stream, self._stream = self._stream, None
        if stream is not None:
            stream.__exit__(None, None, None)

    def _complain(self, complaint: str) -> None:
        """Say it once as long as it is the same."""
        if not self._stopped and complaint != self._complaint:
            _log.warning("%s: no events for now: %s", self.name, complaint)
        self._complaint = complaint

    def _pause(self, seconds: float) -> None:
        until = self._timing.clock.monotonic() + seconds
        with self._changed:
            while not self._stopped and self._timing.clock.monotonic() < until:
                self._timing.clock.wait_until(self._changed, until)
