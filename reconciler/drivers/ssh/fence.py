"""The fence of a host: who changed it last, so that a writer who looked before that is refused.

A lease may be believed in too long: a process that was stopped for an hour goes on as if nothing
had happened, and a frozen server carries out late what it was told. So the host itself keeps a line
`{"token": 7, "holder": "…"}`. Whoever changes the host says which line it saw when it looked;
if another is there now, nothing is done until it has looked again. A new connection is no look.
"""

from __future__ import annotations

import json
import re
import threading
from dataclasses import dataclass

_LINE = re.compile(r'\A\{"token": (?P<token>\d{1,15}), "holder": "[0-9a-f]{1,64}"\}\Z')


@dataclass(frozen=True, slots=True)
class Claim:
    """What a command tells the fence: who it comes from, the line seen, and the line to put."""

    holder: str
    seen: str
    mine: str


class Fence:
    """What one writer knows of the fence of one host."""

    def __init__(self, holder: str) -> None:
        """`holder` names the writer, in hexadecimal digits, as nobody else is named."""
        self._holder = holder
        self._seen: str | None = None
        self._lock = threading.Lock()

    def saw(self, line: str) -> None:
        """The host was looked at, and this was there."""
        with self._lock:
            self._seen = line

    def met(self, line: str) -> None:
        """The host was reached, and this was there. It counts only before the first look."""
        with self._lock:
            if self._seen is None:
                self._seen = line

    def claim(self) -> Claim:
        """What the next command tells the fence.

        Raises:
            ValueError: what was seen is no line of a fence.
        """
        with self._lock:
            seen = self._seen or ""
        match = _LINE.match(seen)
        if seen and match is None:
            raise ValueError("its file `fence` is damaged; delete it")
        token = int(match["token"]) + 1 if match else 1
        return Claim(self._holder, seen, json.dumps({"token": token, "holder": self._holder}))
