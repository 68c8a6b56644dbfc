"""Kind `mount`: something mounted at a path, now and at each boot.

Source, type and options are compared as /etc/fstab has them: the kernel tells them in words of its
own. Only where it names another server, or lets be written what should only be read, it counts.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from reconciler.kinds.base.kind import MADE, BaseKind, is_missing, lying_at
from reconciler.model.address import Address
from reconciler.model.change import Disruption
from reconciler.ports.acts import Act, Mount, Unmount
from reconciler.ports.facts import Facts, Mark, MountFact, Question

FIELDS = 3


@dataclass(frozen=True, slots=True)
class MountSpec:
    """A mount. `persisted`: it is there after a boot too. `is_made`: it was not there before us."""

    host: str
    path: str
    source: str | None = None
    type: str | None = None
    options: str | None = None
    mounted: bool = True
    persisted: bool = True
    is_made: bool = field(default=False, compare=False)
    after: tuple[Address, ...] = field(default=(), compare=False)


def _question(spec: MountSpec) -> Question:
    return Question("mount", spec.path)


def _read(host: str, question: Question, facts: Facts, mark: Mark | None) -> MountSpec | None:
    fact, is_made = facts.answers[question], mark is not None and mark.note == MADE
    if fact is None:
        return MountSpec(host, question.name, mounted=False, persisted=False, is_made=is_made)
    if not isinstance(fact, MountFact):
        return None
    line = (fact.persisted or "").split(" ")
    is_persisted = len(line) == FIELDS
    source, kind, options = line if is_persisted else (fact.source, None, None)
    if is_persisted and _is_elsewhere(fact.source, source):
        source = fact.source
    if is_persisted and _is_other_way(fact.options, options):
        options = fact.options
    return MountSpec(
        host,
        question.name,
        source,
        kind,
        options,
        fact.is_mounted,
        is_persisted,
        is_made,
        after=tuple(lying_at(host, question.name)),
    )


def _is_elsewhere(mounted: str | None, written: str | None) -> bool:
    """Whether both name a server and a folder of it, and not the same."""
    if not mounted or not written or ":" not in mounted or ":" not in written:
        return False
    return mounted.rstrip("/") != written.rstrip("/")


def _is_other_way(mounted: str | None, written: str | None) -> bool:
    """Whether it can be written to, or cannot, contrary to what is written down in so many words.

    Of the other options the kernel tells some in other words, and some not at all.
    """
    now, then = (mounted or "").split(","), (written or "").split(",")
    return ("rw" in now and "ro" in then) or ("ro" in now and "rw" in then)


def _make(wanted: MountSpec, seen: MountSpec | None, changed: frozenset[str]) -> tuple[Act, ...]:
    del seen, changed
    options = wanted.options or "defaults"
    return (Mount(wanted.path, wanted.source or "", wanted.type or "auto", options),)


def _drop(seen: MountSpec) -> tuple[Act, ...]:
    is_there = seen.mounted or seen.persisted
    return (Unmount(seen.path),) if seen.is_made and is_there else ()


def _note(wanted: MountSpec, seen: MountSpec | None) -> str:
    del wanted
    return MADE if seen is None or seen.is_made else ""


def _cost(wanted: MountSpec, seen: MountSpec | None) -> Disruption:
    """Another thing at the same path: who has files open there loses them."""
    is_there = seen is not None and seen.mounted and seen.source is not None
    is_other = seen is not None and (seen.source, seen.type or wanted.type) != (
        wanted.source,
        wanted.type,
    )
    return Disruption.RESTART if is_there and is_other else Disruption.LIVE


MOUNT = BaseKind(
    "mount",
    MountSpec,
    _question,
    _read,
    _make,
    _drop,
    note=_note,
    is_new=is_missing,
    cost=_cost,
    drop_cost=Disruption.RESTART,
)
