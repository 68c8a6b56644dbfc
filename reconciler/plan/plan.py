"""A plan: every change of one environment for one commit, in the order of doing, with a digest."""

from __future__ import annotations

import enum
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from reconciler.kinds.protocol import Operation
from reconciler.model.address import Address
from reconciler.model.change import Action, Disruption, FieldChange
from reconciler.model.position import Position, Problem
from reconciler.model.resource import Desired, Observed
from reconciler.model.standing import Hold
from reconciler.placement.spread import Unplaced

DIGEST_LENGTH = 16


class Cause(enum.StrEnum):
    """Why a resource differs: the world moved, or git did."""

    DRIFT = "drift"
    PENDING = "pending"


@dataclass(frozen=True, slots=True)
class Change:
    """One resource that is to be changed.

    `needs` are the changes of the same plan that come first. `held` says why the change is shown
    but not applied; None means that it is applied. `is_ignored`: it is held because a document in
    git says that this drift may stay. `observed` is the spec that was seen, None when there is
    nothing yet. `formerly` is the address in its mark, if that is another.
    """

    address: Address
    action: Action
    cause: Cause
    fields: tuple[FieldChange, ...]
    operations: tuple[Operation, ...]
    needs: frozenset[Address] = frozenset()
    position: Position | None = None
    held: str | None = None
    observed: Any = None
    formerly: Address | None = None
    is_ignored: bool = False

    @property
    def disruption(self) -> Disruption:
        """What the costliest operation costs."""
        return max((step.disruption for step in self.operations), default=Disruption.LIVE)

    @property
    def machines(self) -> frozenset[str]:
        """The hosts and servers it changes."""
        return frozenset().union(*(step.machines for step in self.operations))

    def __str__(self) -> str:
        return f"{self.action} {self.address}"


@dataclass(frozen=True, slots=True)
class Remark:
    """A resource that is as it should be, but whose mark names an older spec or name."""

    address: Address
    operations: tuple[Operation, ...]


@dataclass(frozen=True, slots=True)
class Unknown:
    """A resource nobody can say anything about now, with the reason."""

    address: Address
    reason: str


@dataclass(frozen=True, slots=True)
class Obstacle:
    """A name or place that a desired resource needs and something that is not ours has.

    `is_foreign`: what has it is nobody's, so that it can be accepted.
    """

    address: Address
    claim: str
    holder: str
    position: Position | None = None
    is_foreign: bool = False

    @classmethod
    def of(cls, want: Desired[Any], claim: str, holder: Observed[Any]) -> Obstacle:
        """What stands in the way of a desired resource."""
        whose = f"environment {holder.owner.environment}" if holder.owner else "nobody we know"
        owner = f"{holder.address}, which belongs to {whose}"
        return cls(want.address, claim, owner, want.position, holder.owner is None)


@dataclass(frozen=True)
class Plan:
    """What would be done, and what was found besides.

    `changes` are in the order of doing. `remarks` only bring marks up to date and do not count as
    changes. `owned` is how many resources of each kind the environment has in the world. The author
    of the commit should know the `notes`, which stop nothing, and what waits for others. `holds`
    are what people want left alone now, `asked` names what the commit asks for.
    """

    environment: str
    revision: str
    changes: tuple[Change, ...] = ()
    remarks: tuple[Remark, ...] = ()
    unknown: tuple[Unknown, ...] = ()
    obstacles: tuple[Obstacle, ...] = ()
    unplaced: tuple[Unplaced, ...] = ()
    foreign: tuple[Address, ...] = ()
    unchanged: int = 0
    desired: int = 0
    owned: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[Problem, ...] = ()
    waiting: tuple[Problem, ...] = ()
    holds: tuple[Hold, ...] = ()
    asked: str = ""

    @property
    def approval_digest(self) -> str:
        """Names what people approve of: equal wherever and whenever the same is asked for."""
        return self.asked or self.digest

    @cached_property
    def digest(self) -> str:
        """Names what would be done: equal plans have the equal digest, whatever the commit is."""
        content = [
            [str(change), str(change.held), [str(step) for step in change.operations]]
            + [[each.path, each.before, each.after] for each in change.fields]
            for change in self.changes
        ]
        text = json.dumps([self.environment, content], sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:DIGEST_LENGTH]

    @cached_property
    def active(self) -> tuple[Change, ...]:
        """The changes that are applied."""
        return tuple(change for change in self.changes if change.held is None)

    @property
    def drifted(self) -> tuple[Change, ...]:
        """The changes that are there because the world moved."""
        return tuple(change for change in self.changes if change.cause is Cause.DRIFT)

    @property
    def hold(self) -> Hold | None:
        """Why the environment as a whole is left alone; None if it is not."""
        return next((each for each in self.holds if not each.resource), None)

    def count(self, action: Action) -> int:
        """How many changes do this."""
        return sum(change.action is action for change in self.changes)
