"""The shape of what libvirt has on a host and the host's base knows nothing of.

Libvirt is asked for it, and the mark is kept with those of the base. While libvirt cannot be asked
it is unknown, and the rest of the base is not: that may be what brings libvirt.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Generic, TypeVar

from reconciler.errors import DriverError
from reconciler.kinds.base.kind import (
    NOTHING_CHANGED,
    ChangeBase,
    OfBase,
    marks_of,
    questions_about,
    seen_as,
)
from reconciler.kinds.protocol import NO_FACTS, Operation, fields_of
from reconciler.model.address import Address, Scope
from reconciler.model.change import FieldChange
from reconciler.model.diff import diff_fields
from reconciler.model.resource import Observed, Owner
from reconciler.ports.acts import Forget, PutMark
from reconciler.ports.facts import Facts, Mark, Question
from reconciler.ports.hypervisor import Hypervisor
from reconciler.ports.world import Ports

S = TypeVar("S", bound=OfBase)
T = TypeVar("T")


@dataclass(frozen=True)
class LibvirtKind(Generic[S, T]):
    """A kind of things that libvirt has, bound to its host.

    `look` gives all that libvirt has of the sort, by name, and `within` the name there of what a
    question is about. `read` makes a spec of it, or of None if libvirt has no such thing; None if
    there is no mark of it either. `make` gives what is to be done, given what is wanted,
    what is there and the names of the fields that differ; `drop` undoes it. `note` is remembered in
    the mark, given what is wanted and what is there. `claims_first`: a new thing is marked before
    it is made, because nobody could tell afterwards.
    """

    name: str
    spec: type[S]
    question: Callable[[S], Question]
    look: Callable[[Hypervisor], Mapping[str, T]]
    read: Callable[[str, Question, Facts, T | None, Mark | None], S | None]
    make: Callable[[S, S | None, frozenset[str]], tuple[Operation, ...]]
    drop: Callable[[S], tuple[Operation, ...]]
    within: Callable[[Question], str] = lambda question: question.name
    note: Callable[[S, S | None], str] = lambda _wanted, _seen: ""
    takes: Callable[[S], frozenset[str]] = lambda _spec: frozenset()
    differs: Callable[[S, S], tuple[FieldChange, ...]] = diff_fields
    claims_first: bool = False
    settle: timedelta = timedelta(seconds=5)
    is_bound: bool = True

    def identity(self, spec: S) -> str:
        """The thing on its host."""
        return f"{spec.host} {self.question(spec).name}"

    def needs(self, address: Address, spec: S) -> frozenset[Address]:
        """What the host's description puts before it."""
        del address
        return frozenset(spec.after)

    def claims(self, spec: S) -> frozenset[str]:
        """The thing itself, and what else it takes."""
        return self.takes(spec) | {f"{self.name} {self.question(spec).name} of host {spec.host}"}

    def scopes(self, specs: Iterable[S], hosts: Iterable[str]) -> frozenset[Scope]:
        """The base with the mark, and the host whose libvirt must answer."""
        del hosts
        places = {spec.host for spec in specs}
        return frozenset(Scope(kind, host) for host in places for kind in ("base", "host"))

    def questions(self, spec: S) -> frozenset[Question]:
        """That it is asked for, and what of the machine itself tells of it."""
        return frozenset({self.question(spec)})

    def observe(self, scope: Scope, ports: Ports, facts: Facts = NO_FACTS) -> Iterator[Observed[S]]:
        """What libvirt says of the things that are asked for; nothing while it says nothing."""
        asked = questions_about(self.name, facts) if scope.kind == "base" else []
        try:
            there = self.look(ports.hypervisor(scope.name)) if asked else {}
        except DriverError:
            return
        marks = marks_of(self.name, facts)
        for question in asked:
            mark = marks.get(question.name)
            state = there.get(self.within(question))
            spec = self.read(scope.name, question, facts, state, mark)
            if spec is not None:
                yield seen_as(self.name, scope.name, question, spec, mark)

    def diff(self, desired: S, observed: S) -> tuple[FieldChange, ...]:
        """What differs in the managed fields."""
        return self.differs(desired, observed)

    def create(self, desired: S, owner: Owner) -> tuple[Operation, ...]:
        """Make it, and mark it."""
        first = (self._mark(desired, None, owner.unfinished),) if self.claims_first else ()
        made = self.make(desired, None, NOTHING_CHANGED)
        return (*first, *made, self._mark(desired, None, owner))

    def update(
        self, desired: S, observed: S, changed: tuple[FieldChange, ...], owner: Owner
    ) -> tuple[Operation, ...]:
        """Set right what differs."""
        made = self.make(desired, observed, fields_of(changed))
        return (*made, self._mark(desired, observed, owner))

    def delete(self, observed: S, owner: Owner) -> tuple[Operation, ...]:
        """Undo what we did where that is right, and leave the rest to itself."""
        del owner
        forget = Forget(self.name, self.question(observed))
        return (*self.drop(observed), ChangeBase(observed.host, (forget,)))

    def without(self, address: Address, observed: S, lost: frozenset[Address]) -> S:
        """The same: nothing of it is part of another."""
        del address, lost
        return observed

    def release(
        self, address: Address, observed: S, lost: frozenset[Address], owner: Owner
    ) -> tuple[Operation, ...]:
        """Nothing."""
        del address, observed, lost, owner
        return ()

    def mark(self, observed: S, owner: Owner) -> tuple[Operation, ...]:
        """Write the mark anew."""
        return (self._mark(observed, observed, owner),)

    def is_untidy(self, observed: S) -> bool:
        """Never."""
        del observed
        return False

    def host(self, spec: S) -> str | None:
        """The host it is on."""
        return spec.host

    def _mark(self, wanted: S, seen: S | None, owner: Owner) -> Operation:
        mark = Mark(self.name, owner, self.question(wanted), self.note(wanted, seen))
        return ChangeBase(wanted.host, (PutMark(mark),))
