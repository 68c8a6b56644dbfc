"""Resources as wanted and as seen: the same frozen spec, from git and from the world."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Generic, TypeVar

from reconciler.model.address import Address, Scope
from reconciler.model.plain import digest_of
from reconciler.model.position import Position

S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Owner:
    """The mark that is kept next to a thing: whose it is and which spec was last applied to it.

    `name` is the name in the resource's address, `digest` the `digest_of` the applied spec.
    """

    environment: str
    name: str
    digest: str

    @property
    def unfinished(self) -> Owner:
        """The same mark while the thing is being changed: its digest is that of no spec."""
        return replace(self, digest="")


@dataclass(frozen=True, slots=True)
class Desired(Generic[S]):
    """A resource as git wants it, with the place in the repository that says so.

    `formerly` is the address the resource had before a rename. `digest` is the one to mark it with
    where that is not the spec's own, because the spec is what was seen of an earlier one. `adopts`:
    if just this thing is there and nobody's, it becomes ours. `locate` finds where a field of the
    spec, by its dotted path, was decided.
    """

    address: Address
    spec: S
    position: Position | None = None
    formerly: Address | None = None
    digest: str | None = None
    adopts: bool = False
    locate: Callable[[str], Position] | None = field(default=None, compare=False, repr=False)

    def position_of(self, path: str) -> Position | None:
        """Where a field was decided, else where the resource is described."""
        return self.locate(path) if self.locate else self.position


@dataclass(frozen=True, slots=True)
class Observed(Generic[S]):
    """A resource as it was seen. `owner` None means foreign: nobody's that we know.

    Foreign things are addressed by where they were seen (`domain@virt1/old-web`).
    """

    address: Address
    spec: S
    owner: Owner | None = None


@dataclass(frozen=True)
class World:
    """All that one look saw, and the scopes that could not be looked at, with the reason.

    Who is not in `unknown` and not in `observed` is absent; what an unknown scope holds is
    unknown and never absent. Of an unknown scope that is in `unseen` only that is unknown: things
    by what they are and by their names; all else of it was seen. `undone` are resources whose last
    change cut their host off and was taken back there, with the digest of the spec that is not to
    be tried again.
    """

    observed: tuple[Observed[Any], ...] = ()
    unknown: Mapping[Scope, str] = field(default_factory=dict)
    undone: Mapping[Address, str] = field(default_factory=dict)
    unseen: Mapping[Scope, frozenset[tuple[str, str]]] = field(default_factory=dict)

    def of(self, environment: str) -> dict[Address, Observed[Any]]:
        """What is marked as this environment's, by address."""
        return {
            seen.address: seen for seen in self.observed if _environment_of(seen) == environment
        }

    def others(self, environment: str) -> tuple[Observed[Any], ...]:
        """What belongs to other environments or to nobody."""
        return tuple(seen for seen in self.observed if _environment_of(seen) != environment)

    @cached_property
    def unknown_hosts(self) -> frozenset[str]:
        """The hosts that could not be looked at."""
        return frozenset(scope.name for scope in self.unknown if scope.kind == "host")


@dataclass(frozen=True, slots=True)
class Applied:
    """What the journal remembers of a resource: the digest last applied and where it then was."""

    digest: str
    host: str | None = None


def owner_of(environment: str, desired: Desired[Any]) -> Owner:
    """The mark that a resource gets when its desired spec has been applied."""
    digest = digest_of(desired.spec) if desired.digest is None else desired.digest
    return Owner(environment, desired.address.name, digest)


def _environment_of(seen: Observed[Any]) -> str | None:
    return seen.owner.environment if seen.owner else None
