"""When a forge is left alone: after it said that we ask too much, or failed again and again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime

FIRST_SECONDS, LONGEST_SECONDS = 5.0, 600.0
UNTOLD_SECONDS = 60.0  # what GitHub asks for where it does not say how long
MOST_SECONDS = 3600.0


class Weary:
    """Counts failures on a monotonic clock. The first one is free: the next call may be well."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        """Begin rested."""
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._until = 0.0
        self._failures = 0

    def left_seconds(self) -> float:
        """How long the forge is to be left alone still; 0 if it may be asked."""
        with self._lock:
            return max(0.0, self._until - self._monotonic())

    def failed(self) -> None:
        """A call failed in a way that the next one may fail in, too."""
        with self._lock:
            self._failures += 1
            if self._failures > 1:
                pause = min(FIRST_SECONDS * 2.0 ** min(self._failures - 2, 16), LONGEST_SECONDS)
                self._until = max(self._until, self._monotonic() + pause)

    def told_to_wait(self, seconds: float) -> None:
        """The forge said that we ask too much."""
        with self._lock:
            self._until = max(self._until, self._monotonic() + seconds)

    def well(self) -> None:
        """A call was answered."""
        with self._lock:
            self._failures = 0


def asked_too_much(status: int, headers: Mapping[str, str]) -> bool:
    """Whether an answer says that we ask too much, rather than that we may not."""
    if status == 429:  # noqa: PLR2004 - Too Many Requests
        return True
    spent = headers.get("X-RateLimit-Remaining") == "0"
    return status == 403 and (spent or "Retry-After" in headers)  # noqa: PLR2004 - GitHub's way


def pause_seconds(headers: Mapping[str, str]) -> float:
    """How long to wait, as the answer says: in seconds, or until a time by the forge's clock."""
    after = headers.get("Retry-After", "")
    if _is_number(after):
        return _within(float(after))
    reset = headers.get("X-RateLimit-Reset") or headers.get("RateLimit-Reset") or ""
    try:
        now = parsedate_to_datetime(headers.get("Date", "")).timestamp()
        until = float(reset) if _is_number(reset) else parsedate_to_datetime(after).timestamp()
    except ValueError:
        return UNTOLD_SECONDS
    return _within(until - now)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 12  # noqa: PLR2004 - of any time


def _within(seconds: float) -> float:
    return min(max(seconds, 1.0), MOST_SECONDS)
