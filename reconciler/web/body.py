"""Reading the body of a request within bounds: of size, of time, and of all bodies together."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

MOST_BYTES = 1024 * 1024
MOST_BYTES_OF_ALL = 32 * 1024 * 1024
WITHIN = timedelta(seconds=10)
_LINGER = timedelta(seconds=2)

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]


class NotRead(Exception):
    """A body was not read to its end."""

    status = 400
    why = "broken off"


class Gone(NotRead):
    """The sender has left."""


class TooLarge(NotRead):
    """The body is larger than any delivery we read."""

    status = 413
    why = "too large"


class TooSlow(NotRead):
    """The body did not arrive in time, or had to make room for others."""

    status = 408
    why = "too slow"


@dataclass(slots=True)
class Bodies:
    """All bodies that are being read. Where they are too many, the oldest makes room.

    A genuine sender is done within milliseconds, so the oldest is one that dawdles.
    """

    most_bytes: int = MOST_BYTES
    most_bytes_of_all: int = MOST_BYTES_OF_ALL
    within: timedelta = WITHIN
    _reading: dict[object, tuple[asyncio.Timeout, int]] = field(default_factory=dict)

    async def read(self, receive: Receive, announced_bytes: int = 0) -> bytes:
        """The whole body; what says itself that it is too large is not even begun.

        Raises:
            TooLarge: it has more than `most_bytes`.
            TooSlow: it did not arrive in time.
            Gone: the sender left before it was whole.
        """
        if announced_bytes > self.most_bytes:
            raise TooLarge
        reader = object()
        parts: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(self.within.total_seconds()) as limit:
                async for part in _parts(receive):
                    size += len(part)
                    if size > self.most_bytes:
                        raise TooLarge
                    parts.append(part)
                    self._reading[reader] = (limit, size)
                    self._make_room()
        except TimeoutError:
            raise TooSlow from None
        finally:
            self._reading.pop(reader, None)
        return b"".join(parts)

    def _make_room(self) -> None:
        over = sum(size for _, size in self._reading.values()) - self.most_bytes_of_all
        for reader, (limit, size) in list(self._reading.items()):
            if over <= 0:
                return
            if not limit.expired():
                limit.reschedule(asyncio.get_running_loop().time())
            del self._reading[reader]
            over -= size


async def linger(receive: Receive) -> None:
    """Let a refused sender finish for a moment, so that it reads the answer and not a reset."""
    left = 4 * MOST_BYTES
    try:
        async with asyncio.timeout(_LINGER.total_seconds()):
            async for part in _parts(receive):
                left -= len(part)
                if left < 0:
                    return
    except (TimeoutError, Gone):
        return


async def _parts(receive: Receive) -> Any:
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Gone
        if part := message.get("body", b""):
            yield part
        if not message.get("more_body", False):
            return
