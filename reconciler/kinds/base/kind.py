"""The shape that all kinds of a host's base have, put together from a kind's own few answers.

What is on a host cannot move, is found by the name that its spec has there, and becomes ours by
being declared: who writes down what a file says means the file that is there. What is not there
is seen as such if it carries a mark, or if somebody wants just that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Generic, Protocol, TypeVar

from reconciler.kinds.protocol import NO_FACTS, OnHost, Operation, fields_of
from reconciler.model.address import Address, Scope
from reconciler.model.change import Disruption, FieldChange
from reconciler.model.diff import diff_fields
from reconciler.model.resource import Observed, Owner
from reconciler.ports.acts import Act, Forget, PutMark
from reconciler.ports.facts import ABSENT, Facts, Mark, Question
from reconciler.ports.machine import Safety
from reconciler.ports.world import Ports


class OfBase(Protocol):
    """What every spec of a base has. `after` are the resources of the host that come first."""

    @property
    def host(self) -> str:
        """The host it is on."""
        ...

    @property
    def after(self) -> tuple[Address, ...]:
        """What must be there before."""
        ...


S = TypeVar("S", bound=OfBase)
NOTHING_CHANGED: frozenset[str] = frozenset()
MADE = "made"  # the note of what was not there before us


def is_missing(seen: object) -> bool:
    """Whether nothing is there, nor a mark."""
    return seen is None


@dataclass(frozen=True, slots=True)
class ChangeBase(OnHost):
    """Some acts on a host, in one go, the last of which is the mark."""

    acts: tuple[Act, ...]
    disruption: Disruption = Disruption.LIVE
    safety: Safety | None = None

    def run(self, ports: Ports) -> None:
        """Let the machine do them. What references stand for is told to the machine only."""
        ports.machine(self.host).do(self.acts, safety=self.safety)

    @property
    def told(self) -> str:
        """What is done: all but what is done to the mark, unless there is nothing else."""
        acts = [act for act in self.acts if not isinstance(act, PutMark | Forget)] or self.acts
        return ", ".join(map(str, acts))

    def __str__(self) -> str:
        """In words."""
        guarded = ", with the way back armed" if self.safety else ""
        return f"{self.told} on {self.host}{guarded}"


@dataclass(frozen=True)
class BaseKind(Generic[S]):
    """A kind of a host's base.

    `question` is how a spec is looked for, `read` makes a spec of the answer, given the host and
    the mark if there is one; the answer None becomes the spec of what is not there. `make` gives
    what is to be done, given what is wanted, what is there, and the names of the fields that
    differ. `drop` undoes what we did to what is there, or nothing. `note` is remembered in the
    mark, given what is wanted and what is there; of what `is_new` to us it tells how we found it,
    and is written before anything else, because nobody could tell afterwards. `takes` says whose
    names several kinds share. `cost` and
    `drop_cost` are what `make` and `drop` cost, `safety` is how to find back, `differs` what
    differs in the managed fields.
    """

    name: str
    spec: type[S]
    question: Callable[[S], Question]
    read: Callable[[str, Question, Facts, Mark | None], S | None]
    make: Callable[[S, S | None, frozenset[str]], tuple[Act, ...]]
    drop: Callable[[S], tuple[Act, ...]]
    note: Callable[[S, S | None], str] = lambda _wanted, _seen: ""
    is_new: Callable[[S | None], bool] = lambda _seen: False
    cost: Callable[[S, S | None], Disruption] = lambda _wanted, _seen: Disruption.LIVE
    drop_cost: Disruption = Disruption.LIVE
    safety: Callable[[S, Owner], Safety | None] = lambda _wanted, _owner: None
    differs: Callable[[S, S], tuple[FieldChange, ...]] = diff_fields
    takes: str = ""
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
        """The thing itself."""
        sort = self.takes or self.name
        return frozenset({f"{sort} {self.question(spec).name} of host {spec.host}"})

    def scopes(self, specs: Iterable[S], hosts: Iterable[str]) -> frozenset[Scope]:
        """The bases that some spec is part of."""
        del hosts
        return frozenset(Scope("base", spec.host) for spec in specs)

    def questions(self, spec: S) -> frozenset[Question]:
        """What must be asked of the host to see it."""
        return frozenset({self.question(spec)})

    def observe(self, scope: Scope, ports: Ports, facts: Facts = NO_FACTS) -> Iterator[Observed[S]]:
        """What the host answered about this kind, whoever asked."""
        del ports
        if scope.kind != "base":
            return
        marks = marks_of(self.name, facts)
        for question in questions_about(self.name, facts):
            mark = marks.get(question.name)
            is_told = mark is not None or ABSENT in question.details
            if facts.answers[question] is None and not is_told:
                continue
            spec = self.read(scope.name, question, facts, mark)
            if spec is not None:
                yield seen_as(self.name, scope.name, question, spec, mark)

    def diff(self, desired: S, observed: S) -> tuple[FieldChange, ...]:
        """What differs in the managed fields."""
        return self.differs(desired, observed)

    def create(self, desired: S, owner: Owner) -> tuple[Operation, ...]:
        """Make it."""
        return self._change(desired, None, NOTHING_CHANGED, owner)

    def update(
        self, desired: S, observed: S, changed: tuple[FieldChange, ...], owner: Owner
    ) -> tuple[Operation, ...]:
        """Set right what differs."""
        return self._change(desired, observed, fields_of(changed), owner)

    def delete(self, observed: S, owner: Owner) -> tuple[Operation, ...]:
        """Undo what we did where that is right, and leave the rest to itself."""
        undone = self.drop(observed)
        safety = self.safety(observed, owner) if undone else None
        acts = (*undone, Forget(self.name, self.question(observed)))
        cost = self.drop_cost if undone else Disruption.LIVE
        return (ChangeBase(observed.host, acts, cost, safety),)

    def without(self, address: Address, observed: S, lost: frozenset[Address]) -> S:
        """The same: nothing of a base is part of another."""
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
        return (ChangeBase(observed.host, (self._mark(observed, observed, owner),)),)

    def is_untidy(self, observed: S) -> bool:
        """Never."""
        del observed
        return False

    def host(self, spec: S) -> str | None:
        """The host it is on."""
        return spec.host

    def _change(
        self, wanted: S, seen: S | None, changed: frozenset[str], owner: Owner
    ) -> tuple[Operation, ...]:
        claim = (self._mark(wanted, seen, owner.unfinished),) if self.is_new(seen) else ()
        acts = (*claim, *self.make(wanted, seen, changed), self._mark(wanted, seen, owner))
        safety = self._way_back(wanted, seen, owner)
        return (ChangeBase(wanted.host, acts, self.cost(wanted, seen), safety),)

    def _way_back(self, wanted: S, seen: S | None, owner: Owner) -> Safety | None:
        """That of what is wanted; in a network, files that it has now and is to lose come back."""
        safety = self.safety(wanted, owner)
        if safety is None or seen is None or not safety.network:
            return safety
        before = self.safety(seen, owner)
        files = dict.fromkeys((*safety.files, *(before.files if before else ())))
        return replace(safety, files=tuple(files))

    def _mark(self, spec: S, seen: S | None, owner: Owner) -> PutMark:
        return PutMark(Mark(self.name, owner, self.question(spec), self.note(spec, seen)))


def name_of(thing: str) -> str:
    """The name in the address of a thing of a host: `etc-ntp.conf` for `/etc/ntp.conf`.

    In a path a hyphen is doubled, and `%2d` where a name begins with it, so that no two paths have
    one name; what is no path is called as it is.
    """
    if not thing.startswith("/"):
        return thing.replace("%", "%25").replace("/", "%2f")
    parts = thing.replace("%", "%25").replace("-", "--").removeprefix("/").split("/")
    named = (f"%2d{part[2:]}" if part.startswith("--") else part for part in parts)
    return "-".join(named) or "-"


def above(host: str, path: str) -> Iterator[Address]:
    """The directories and mounts that a path lies in, the nearest first."""
    while path := path.rpartition("/")[0]:
        name = name_of(path)
        yield from (Address("file", name, host), Address("mount", name, host))


def lying_at(host: str, path: str) -> Iterator[Address]:
    """The directory at a path, and those and the mounts that it lies in."""
    yield Address("file", name_of(path), host)
    yield from above(host, path)


def marks_of(kind: str, facts: Facts) -> dict[str, Mark]:
    """The marks of a kind by the name of the thing."""
    return {mark.question.name: mark for mark in facts.marks if mark.kind == kind}


def questions_about(kind: str, facts: Facts) -> list[Question]:
    """One question per thing: that of today's document before that of an older mark.

    Of whom one of them could not be answered, nothing is said.
    """
    asked = {mark.question for mark in facts.marks}
    unseen = {question.name for question in facts.failed if question.about == kind}
    named: dict[str, Question] = {}
    for question in facts.answers:
        is_told = question.about == kind and question.name not in unseen
        if is_told and (question.name not in named or question not in asked):
            named[question.name] = question
    return sorted(named.values())


def seen_as(kind: str, host: str, question: Question, spec: S, mark: Mark | None) -> Observed[S]:
    """What was seen, under the address that its mark says, or that its name makes."""
    name = mark.owner.name if mark else name_of(question.name)
    return Observed(Address(kind, name, host), spec, mark.owner if mark else None)
