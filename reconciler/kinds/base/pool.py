"""Kind `pool`: a storage pool of libvirt on what the host has: a directory, a group, a dataset.

Libvirt is asked for it, and the mark is kept with those of the base. While libvirt cannot be asked
its pools are unknown, and the rest of the base is not: it may be what brings libvirt.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

from reconciler.errors import DriverError
from reconciler.kinds.base.kind import (
    MADE,
    ChangeBase,
    lying_at,
    marks_of,
    name_of,
    questions_about,
    seen_as,
)
from reconciler.kinds.protocol import NO_FACTS, OnHost, Operation
from reconciler.model.address import Address, Scope
from reconciler.model.change import Disruption, FieldChange
from reconciler.model.diff import diff_fields
from reconciler.model.resource import Observed, Owner
from reconciler.ports.acts import Forget, PutMark
from reconciler.ports.facts import About, Facts, Mark, Question
from reconciler.ports.hypervisor import PoolState, PoolType
from reconciler.ports.world import Ports

TYPES: Mapping[str, PoolType] = {"directory": "dir", "lvm": "logical", "zfs": "zfs"}
_WORDS: Mapping[str, str] = {libvirts: ours for ours, libvirts in TYPES.items()}
_BEHIND: Mapping[str, About] = {"lvm": "volume_group", "zfs": "zpool"}


@dataclass(frozen=True, slots=True)
class PoolSpec:
    """A pool. `type` is `directory`, `lvm` or `zfs`, `target` the path, group or dataset behind it.

    `backed`: that is really there. Libvirt starts a pool without it. `is_made`: it was not there
    before us, as the mark remembers.
    """

    host: str
    name: str
    type: str
    target: str
    running: bool = True
    autostart: bool = True
    backed: bool = True
    is_made: bool = field(default=False, compare=False)
    after: tuple[Address, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class DefinePool(OnHost):
    """Make a pool of what is there, and start it."""

    name: str
    type: PoolType
    target: str
    disruption: Disruption = Disruption.LIVE

    def run(self, ports: Ports) -> None:
        """Let libvirt do it."""
        ports.hypervisor(self.host).define_pool(self.name, self.type, self.target)

    def __str__(self) -> str:
        """In words."""
        return f"make pool {self.name} of {self.target} on {self.host}"


@dataclass(frozen=True, slots=True)
class RemovePool(OnHost):
    """Stop a pool and forget it. Its data stay."""

    name: str
    disruption: Disruption = Disruption.LIVE

    def run(self, ports: Ports) -> None:
        """Let libvirt do it."""
        ports.hypervisor(self.host).remove_pool(self.name)

    def __str__(self) -> str:
        """In words."""
        return f"stop pool {self.name} on {self.host} and keep its data"


class PoolKind:
    """The kind `pool`."""

    name = "pool"
    spec = PoolSpec
    settle = timedelta(seconds=5)
    is_bound = True

    def identity(self, spec: PoolSpec) -> str:
        """The pool on its host."""
        return f"{spec.host} {spec.name}"

    def needs(self, address: Address, spec: PoolSpec) -> frozenset[Address]:
        """What the host's description puts before it."""
        del address
        return frozenset(spec.after)

    def claims(self, spec: PoolSpec) -> frozenset[str]:
        """The pool itself."""
        return frozenset({f"pool {spec.name} of host {spec.host}"})

    def scopes(self, specs: Iterable[PoolSpec], hosts: Iterable[str]) -> frozenset[Scope]:
        """The base with the mark, and the host whose libvirt must answer."""
        del hosts
        places = {spec.host for spec in specs}
        return frozenset(Scope(kind, host) for host in places for kind in ("base", "host"))

    def questions(self, spec: PoolSpec) -> frozenset[Question]:
        """Whether what it lies on is there."""
        return frozenset({_question(spec)})

    def observe(
        self, scope: Scope, ports: Ports, facts: Facts = NO_FACTS
    ) -> Iterator[Observed[PoolSpec]]:
        """What libvirt says of the pools that are asked for; nothing while it says nothing."""
        asked = questions_about(self.name, facts) if scope.kind == "base" else []
        try:
            pools = ports.hypervisor(scope.name).pools() if asked else ()
        except DriverError:
            return
        there, marks = {pool.name: pool for pool in pools}, marks_of(self.name, facts)
        for question in asked:
            state, mark = there.get(question.name), marks.get(question.name)
            if state is not None or mark is not None:
                is_made = mark is not None and mark.note == MADE
                spec = replace(_read(scope.name, question, facts, state), is_made=is_made)
                yield seen_as(self.name, scope.name, question, spec, mark)

    def diff(self, desired: PoolSpec, observed: PoolSpec) -> tuple[FieldChange, ...]:
        """What differs in the managed fields."""
        return diff_fields(desired, observed)

    def create(self, desired: PoolSpec, owner: Owner) -> tuple[Operation, ...]:
        """Make it, and mark it."""
        define = DefinePool(desired.host, desired.name, TYPES[desired.type], desired.target)
        return (define, *self.mark(replace(desired, is_made=True), owner))

    def update(
        self,
        desired: PoolSpec,
        observed: PoolSpec,
        changed: tuple[FieldChange, ...],
        owner: Owner,
    ) -> tuple[Operation, ...]:
        """Start it again. The host refuses to make another pool of it: machines live there."""
        del changed
        is_made = observed.is_made or not observed.type
        define = DefinePool(desired.host, desired.name, TYPES[desired.type], desired.target)
        return (define, *self.mark(replace(desired, is_made=is_made), owner))

    def delete(self, observed: PoolSpec, owner: Owner) -> tuple[Operation, ...]:
        """Stop and forget it if we made it; one that was there before us may be another's too."""
        del owner
        forget = ChangeBase(observed.host, (Forget(self.name, _question(observed)),))
        if not observed.is_made:
            return (forget,)
        return (RemovePool(observed.host, observed.name), forget)

    def without(self, address: Address, observed: PoolSpec, lost: frozenset[Address]) -> PoolSpec:
        """The same: nothing of a base is part of another."""
        del address, lost
        return observed

    def release(
        self, address: Address, observed: PoolSpec, lost: frozenset[Address], owner: Owner
    ) -> tuple[Operation, ...]:
        """Nothing."""
        del address, observed, lost, owner
        return ()

    def mark(self, observed: PoolSpec, owner: Owner) -> tuple[Operation, ...]:
        """Write the mark anew."""
        note = MADE if observed.is_made else ""
        mark = PutMark(Mark(self.name, owner, _question(observed), note))
        return (ChangeBase(observed.host, (mark,)),)

    def is_untidy(self, observed: PoolSpec) -> bool:
        """Never."""
        del observed
        return False

    def host(self, spec: PoolSpec) -> str | None:
        """The host it is on."""
        return spec.host


def _question(spec: PoolSpec) -> Question:
    behind = _BEHIND.get(spec.type)
    details = (behind, spec.target.partition("/")[0]) if behind else ()
    return Question("pool", spec.name, details)


def _read(host: str, question: Question, facts: Facts, state: PoolState | None) -> PoolSpec:
    """A pool that does not run is as good as gone: libvirt is to make and start it again."""
    is_backed = not question.details or facts.answers[question] is not None
    if state is None:
        return PoolSpec(host, question.name, "", "", running=False, autostart=False)
    kind = _WORDS.get(state.type, state.type)
    behind = _places(host, state.target) if kind == "directory" else ()
    return PoolSpec(
        host,
        state.name,
        kind,
        state.target,
        autostart=state.autostart,
        backed=is_backed,
        after=tuple(behind),
    )


def _places(host: str, target: str) -> Iterator[Address]:
    """What it lies on, so that that goes after it."""
    yield Address("mount", name_of(target), host)
    yield from lying_at(host, target)


POOL = PoolKind()
