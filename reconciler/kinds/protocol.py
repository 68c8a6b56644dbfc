"""What every resource kind answers, and what an operation is.

A kind is a plain class without state. Its questions are pure but for `observe`, the only look at
the world; what is to be done is answered as operations, which are data until the engine runs them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol, TypeVar

from reconciler.model.address import Address, Scope
from reconciler.model.change import Disruption, FieldChange
from reconciler.model.resource import Observed, Owner
from reconciler.ports.facts import Facts, Question
from reconciler.ports.world import Ports

S = TypeVar("S")
NO_FACTS = Facts()


class Operation(Protocol):
    """One step on the world: a frozen dataclass named by what it means, shown by `str`."""

    @property
    def disruption(self) -> Disruption:
        """What it costs the people who use the thing."""
        ...

    @property
    def machines(self) -> frozenset[str]:
        """The hosts and servers that must have no other writer while it runs."""
        ...

    def run(self, ports: Ports) -> None:
        """Do it.

        Raises:
            DriverError: it was not done, or nobody knows whether it was.
        """
        ...


@dataclass(frozen=True, slots=True)
class OnHost:
    """The common part of operations that change one host."""

    host: str

    @property
    def machines(self) -> frozenset[str]:
        """The host."""
        return frozenset({self.host})


class Kind(Protocol[S]):
    """One kind of resource.

    Must: `diff` looks only at fields that `desired` manages; after the operations of `create` or
    `update` have run, `diff` of a new look is empty within `settle`; operations end with the mark,
    so that a half-applied resource still carries the digest of what it was before. `is_bound`
    tells whether the addresses name the host, because what they stand for cannot move.
    """

    @property
    def name(self) -> str:
        """The kind's name in addresses."""
        ...

    @property
    def spec(self) -> type[S]:
        """What its resources are described by."""
        ...

    @property
    def settle(self) -> timedelta:
        """How long a change may take to show."""
        ...

    @property
    def is_bound(self) -> bool:
        """Whether the addresses name the host."""
        ...

    def identity(self, spec: S) -> str:
        """What stays the same when the thing is moved, changed or renamed."""
        ...

    def needs(self, address: Address, spec: S) -> frozenset[Address]:
        """What must be there before this can be, and be gone only after it."""
        ...

    def claims(self, spec: S) -> frozenset[str]:
        """The names and places it takes for itself, so that nobody else can have them."""
        ...

    def scopes(self, specs: Iterable[S], hosts: Iterable[str]) -> frozenset[Scope]:
        """What must be looked at to see these, and what is ours but not wanted any more."""
        ...

    def questions(self, spec: S) -> frozenset[Question]:
        """What must be asked of the base of its host to see it; nothing if it is seen anyway."""
        ...

    def observe(self, scope: Scope, ports: Ports, facts: Facts = NO_FACTS) -> Iterable[Observed[S]]:
        """Everything of this kind in the scope, in bulk, whoever owns it.

        `facts` are what the machine answered, if the scope is the base of a host.

        Raises:
            DriverError: the scope cannot be looked at.
        """
        ...

    def diff(self, desired: S, observed: S) -> tuple[FieldChange, ...]:
        """What differs in the managed fields; empty when nothing is to be done."""
        ...

    def create(self, desired: S, owner: Owner) -> tuple[Operation, ...]:
        """How to make it from nothing."""
        ...

    def update(
        self, desired: S, observed: S, changed: tuple[FieldChange, ...], owner: Owner
    ) -> tuple[Operation, ...]:
        """How to make `observed` into `desired` with the least disruption."""
        ...

    def delete(self, observed: S, owner: Owner) -> tuple[Operation, ...]:
        """How to take away what carries the mark of `owner`."""
        ...

    def without(self, address: Address, observed: S, lost: frozenset[Address]) -> S:
        """What is left of it when some of what it needs has been taken from it."""
        ...

    def release(
        self, address: Address, observed: S, lost: frozenset[Address], owner: Owner
    ) -> tuple[Operation, ...]:
        """How to make it go on without some of what it needs."""
        ...

    def mark(self, observed: S, owner: Owner) -> tuple[Operation, ...]:
        """How to write the mark anew and tidy up, when the thing itself is as it should be."""
        ...

    def is_untidy(self, observed: S) -> bool:
        """Whether something of ours is left on it that `mark` takes away when all is well."""
        ...

    def host(self, spec: S) -> str | None:
        """The host it lives on, if it lives on one."""
        ...


def fields_of(changed: Iterable[FieldChange]) -> frozenset[str]:
    """The top-level field names that differ."""
    return frozenset(change.path.partition(".")[0] for change in changed)
