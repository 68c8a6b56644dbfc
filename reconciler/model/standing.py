"""What people and rollbacks have decided about an environment, as its journal remembers it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Hold:
    """The wish to have something left alone.

    `resource` is an address as it is written, empty for the whole environment. `since` and `until`
    are RFC 3339 times in UTC; without an end it lasts until somebody releases it. `by` is who asked
    for it.
    """

    reason: str
    since: str
    by: str = ""
    until: str | None = None
    resource: str = ""

    def is_over(self, now: str) -> bool:
        """Whether its end has come; `now` is written as `until` is."""
        return self.until is not None and self.until <= now


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A tree that was rolled back: it is never applied again by itself.

    `commit` is the one that had it, `good` the one that was gone back to.
    """

    tree: str
    commit: str
    good: str
    reason: str
    since: str
