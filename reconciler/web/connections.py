"""Connections that are not held for ever: deadlines for headers and answers, and a limit of all.

uvicorn bounds the size of headers and idle connections, but not how slowly a request may come.
"""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

_ages = itertools.count()


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many connections there may be, and how long each may take for what."""

    most_connections: int = 256
    headers_within: timedelta = timedelta(seconds=10)
    answer_within: timedelta = timedelta(seconds=15)  # longer than a body, so that it is answered


USUAL = Bounds()


class BoundedProtocol(H11Protocol):
    """HTTP/1.1 with an alarm. Where connections are too many, the oldest makes room."""

    def __init__(self, *given: Any, bounds: Bounds, **named: Any) -> None:
        super().__init__(*given, **named)
        self._bounds = bounds
        self._age = 0
        self._alarm: asyncio.TimerHandle | None = None
        self._seen: Any = None

    def connection_made(  # type: ignore[override]  # as in uvicorn
        self, transport: asyncio.Transport
    ) -> None:
        """Start to wait for headers."""
        super().connection_made(transport)
        self._age = next(_ages)
        self._set_alarm(self._bounds.headers_within)
        self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        self._cancel_alarm()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Wait for the rest of the headers, or, once they are there, for the answer."""
        if self._alarm is None:
            self._set_alarm(self._bounds.headers_within)
        super().data_received(data)
        self._notice_request()

    def on_response_complete(self) -> None:
        """Leave the connection to uvicorn's limit for idle ones, unless more has come already."""
        self._cancel_alarm()
        self._age = next(_ages)  # who was answered does not dawdle
        super().on_response_complete()
        self._notice_request()

    def send_400_response(self, msg: str) -> None:
        """Hang up on what is no HTTP, be it in the middle of a request that is being answered."""
        cycle: Any = self.cycle  # None before the first request, whatever uvicorn's types say
        if cycle is not None and not cycle.response_complete:
            cycle.disconnected = True
            cycle.message_event.set()
        try:
            super().send_400_response(msg)
        except h11.LocalProtocolError:  # an answer was begun already
            self.transport.close()

    def _make_room(self) -> None:
        most = self._bounds.most_connections
        if len(self.connections) <= most:
            return
        # Those that were cut a moment ago are still in the set.
        live = [each for each in self.connections if not each.transport.is_closing()]
        for oldest in sorted(live, key=_age_of)[: max(len(live) - most, 0)]:
            oldest.transport.abort()

    def _notice_request(self) -> None:
        if self.cycle is not self._seen and not self.cycle.response_complete:
            self._seen = self.cycle
            self._set_alarm(self._bounds.answer_within)

    def _set_alarm(self, within: timedelta) -> None:
        self._cancel_alarm()
        later = asyncio.get_running_loop().call_later
        self._alarm = later(within.total_seconds(), self._give_up)

    def _cancel_alarm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def _give_up(self) -> None:
        self._alarm = None
        self.transport.abort()


def _age_of(protocol: Any) -> int:
    age: int = protocol._age  # noqa: SLF001 - one of our own kind
    return age
