"""Kind `pool`: a storage pool of libvirt on what the host has: a directory, a group, a dataset."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from reconciler.kinds.base.behind_libvirt import LibvirtKind
from reconciler.kinds.base.kind import MADE, lying_at, name_of
from reconciler.kinds.protocol import OnHost, Operation
from reconciler.model.address import Address
from reconciler.model.change import Disruption
from reconciler.ports.facts import About, Facts, Mark, Question
from reconciler.ports.hypervisor import Hypervisor, PoolState, PoolType
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


def _question(spec: PoolSpec) -> Question:
    behind = _BEHIND.get(spec.type)
    details = (behind, spec.target.partition("/")[0]) if behind else ()
    return Question("pool", spec.name, details)


def _look(hypervisor: Hypervisor) -> Mapping[str, PoolState]:
    return {pool.name: pool for pool in hypervisor.pools()}


def _read(
    host: str, question: Question, facts: Facts, state: PoolState | None, mark: Mark | None
) -> PoolSpec | None:
    """A pool that does not run is as good as gone: libvirt is to make and start it again."""
    if state is None and mark is None:
        return None
    is_backed = not question.details or facts.answers[question] is not None
    is_made = mark is not None and mark.note == MADE
    if state is None:
        gone = PoolSpec(host, question.name, "", "", running=False, autostart=False)
        return replace(gone, is_made=is_made)
    kind = _WORDS.get(state.type, state.type)
    behind = _places(host, state.target) if kind == "directory" else ()
    return PoolSpec(
        host,
        state.name,
        kind,
        state.target,
        autostart=state.autostart,
        backed=is_backed,
        is_made=is_made,
        after=tuple(behind),
    )


def _note(wanted: PoolSpec, seen: PoolSpec | None) -> str:
    """Whether it was made by us: once, or now."""
    del wanted
    return MADE if seen is None or seen.is_made or not seen.type else ""


def _make(
    wanted: PoolSpec, seen: PoolSpec | None, changed: frozenset[str]
) -> tuple[Operation, ...]:
    """Define and start it. The host refuses to make another pool of it: machines live there."""
    del seen, changed
    return (DefinePool(wanted.host, wanted.name, TYPES[wanted.type], wanted.target),)


def _drop(seen: PoolSpec) -> tuple[Operation, ...]:
    """Stop and forget it if we made it; one that was there before us may be another's too."""
    return (RemovePool(seen.host, seen.name),) if seen.is_made else ()


def _places(host: str, target: str) -> Iterator[Address]:
    """What it lies on, so that that goes after it."""
    yield Address("mount", name_of(target), host)
    yield from lying_at(host, target)


POOL = LibvirtKind("pool", PoolSpec, _question, _look, _read, _make, _drop, note=_note)
