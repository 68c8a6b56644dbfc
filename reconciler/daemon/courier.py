"""Errands that may take long and must not hold up a turn: done one by one in a thread of its own.

Of what is waiting under one key only the newest is done: who is late need not tell what was.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Hashable

from reconciler.errors import ReconcilerError

_log = logging.getLogger(__name__)
MOST_WAITING = 200


class Courier:
    """Does errands. What fails is logged once, until one of its sort goes well again."""

    def __init__(self, what: str) -> None:
        """`what` names the errands in the log. The thread begins with the first errand."""
        self._what = what
        self._changed = threading.Condition()
        self._waiting: dict[tuple[str, Hashable], Callable[[], None]] = {}
        self._thread: threading.Thread | None = None
        self._is_busy = self._is_closed = False
        self._troubled: dict[str, str] = {}

    def put(self, sort: str, key: Hashable, errand: Callable[[], None]) -> None:
        """Have something done soon; never waits.

        Of the same `sort` of errand, what waits under the same key is left out.
        """
        with self._changed:
            if self._is_closed:
                return
            self._waiting.pop((sort, key), None)
            self._waiting[sort, key] = errand
            if len(self._waiting) > MOST_WAITING:
                del self._waiting[next(iter(self._waiting))]
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="courier", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def finish(self, patience_seconds: float) -> bool:
        """Wait until nothing waits, but not longer than that; whether it came to that."""
        with self._changed:
            return self._changed.wait_for(self._is_idle, patience_seconds)

    def close(self, patience_seconds: float = 0.0) -> None:
        """Finish with that patience, then leave the rest undone."""
        self.finish(patience_seconds)
        with self._changed:
            self._is_closed = True
            if self._waiting:
                _log.warning("%s: %d were left undone", self._what, len(self._waiting))
            self._waiting.clear()
            self._changed.notify_all()

    def _is_idle(self) -> bool:
        return not self._waiting and not self._is_busy

    def _run(self) -> None:
        while (following := self._next()) is not None:
            self._do(*following)
            with self._changed:
                self._is_busy = False
                self._changed.notify_all()

    def _next(self) -> tuple[str, Callable[[], None]] | None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._is_closed)
            if self._is_closed:
                return None
            self._is_busy = True
            key = next(iter(self._waiting))
            return key[0], self._waiting.pop(key)

    def _do(self, sort: str, errand: Callable[[], None]) -> None:
        try:
            errand()
        except ReconcilerError as error:
            self._say(sort, type(error).__name__, str(error))
        except Exception as error:  # noqa: BLE001 - no errand may end the thread
            self._say(sort, type(error).__name__, "it failed in an unforeseen way", unforeseen=True)
        else:
            if self._troubled.pop(sort, None):
                _log.info("%s: %s: all is well again", self._what, sort)

    def _say(self, sort: str, kind: str, trouble: str, *, unforeseen: bool = False) -> None:
        level = logging.DEBUG if self._troubled.get(sort) == kind else logging.WARNING
        self._troubled[sort] = kind
        _log.log(level, "%s: %s: %s", self._what, sort, trouble, exc_info=unforeseen)
