"""What people and rollbacks have decided about an environment, as its journal remembers it."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

from reconciler.model.address import Address
from reconciler.model.position import Position


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

    def __str__(self) -> str:
        who = f" by {self.by}" if self.by else ""
        end = f"until {self.until}" if self.until else "until it is released"
        return f"held{who} {end}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Drifted:
    """Since when a resource has been seen to drift (RFC 3339, UTC), and how that was found."""

    since: str
    by: str = ""


@dataclass(frozen=True, slots=True)
class Ignored:
    """Drift that a document says is to be left as it is, up to `until` (RFC 3339, in UTC).

    `resource` is an address in whose name a star stands for anything; `fields` are those of the
    spec, and none stands for all of them.
    """

    name: str
    resource: str
    until: str
    reason: str
    fields: tuple[str, ...] = ()
    position: Position | None = None

    def is_about(self, address: Address) -> bool:
        """Whether it is about this resource."""
        kind, _, name = self.resource.partition("/")
        mine, _, called = str(address).partition("/")
        pattern = name.replace("[", "[[]").replace("?", "[?]")  # only the star is special
        return kind == mine and fnmatchcase(called, pattern)

    def covers(self, path: str) -> bool:
        """Whether it is about the field at a dotted path."""
        return not self.fields or any(f"{path}.".startswith(f"{each}.") for each in self.fields)

    def __str__(self) -> str:
        return f"ignored until {self.until} by Ignore {self.name}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Failing:
    """Since when (RFC 3339) a commit that was never Ready has been failing."""

    commit: str
    since: str


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A tree that was rolled back: it is never applied again by itself.

    `commit` is the one that had it, `good` the one that was gone back to. `allows` are the guards
    that whoever decided it has acknowledged for the way back.
    """

    tree: str
    commit: str
    good: str
    reason: str
    since: str
    allows: tuple[str, ...] = ()
