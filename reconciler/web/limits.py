"""What keeps senders within bounds: remembered deliveries, and a bucket of tokens. Pure.

Both belong to one webhook, and are used from the one thread that serves.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

REMEMBERED = 1024


@dataclass(slots=True)
class Remembered:
    """The deliveries seen last, so that one that is sent again does nothing."""

    most: int = REMEMBERED
    _seen: OrderedDict[bytes, None] = field(default_factory=OrderedDict)

    def is_new(self, *keys: bytes) -> bool:
        """Whether none of the keys was seen before; from now on all of them were."""
        is_new = not any(key in self._seen for key in keys)
        for key in keys:
            self._seen[key] = None
            self._seen.move_to_end(key)
        while len(self._seen) > self.most:
            self._seen.popitem(last=False)
        return is_new

    def __len__(self) -> int:
        return len(self._seen)


@dataclass(slots=True)
class Bucket:
    """So many at once, and then so many a second; `now` is the monotonic clock."""

    burst: float
    per_second: float
    _level: float = 0.0
    _at: float | None = None

    def take(self, now: float) -> bool:
        """Take one token, if there is one."""
        if self._at is None:
            self._level = self.burst
        else:
            passed = max(now - self._at, 0.0)
            self._level = min(self.burst, self._level + passed * self.per_second)
        self._at = now
        if self._level < 1:
            return False
        self._level -= 1
        return True
