"""Kinds `volume_group` and `zpool`: what disks are put together to. Never taken apart."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from reconciler.kinds.base.kind import BaseKind
from reconciler.model.address import Address
from reconciler.model.change import FieldChange
from reconciler.model.diff import diff_fields
from reconciler.ports.acts import Act, MakeVolumeGroup, MakeZpool
from reconciler.ports.facts import Facts, Mark, Question, VolumeGroupFact, ZpoolFact


@dataclass(frozen=True, slots=True)
class VolumeGroupSpec:
    """An LVM volume group that has these devices, and perhaps more."""

    host: str
    name: str
    devices: tuple[str, ...]
    after: tuple[Address, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class ZpoolSpec:
    """A ZFS pool; `layout` as in `zpool create`. The properties matter when it is made."""

    host: str
    name: str
    layout: tuple[str, ...]
    properties: tuple[tuple[str, str], ...] = field(default=(), compare=False)
    after: tuple[Address, ...] = field(default=(), compare=False)


def _question_of_group(spec: VolumeGroupSpec) -> Question:
    return Question("volume_group", spec.name, spec.devices)


def _read_group(
    host: str, question: Question, facts: Facts, mark: Mark | None
) -> VolumeGroupSpec | None:
    del mark
    fact = facts.answers[question]
    if not (fact is None or isinstance(fact, VolumeGroupFact)):
        return None
    return VolumeGroupSpec(host, question.name, tuple(sorted(fact.devices)) if fact else ())


def _group_differs(desired: VolumeGroupSpec, observed: VolumeGroupSpec) -> tuple[FieldChange, ...]:
    """What is missing: a device that somebody added holds data by now, and stays."""
    union = tuple(sorted({*desired.devices, *observed.devices}))
    return diff_fields(replace(desired, devices=union), observed)


def _make_group(
    wanted: VolumeGroupSpec, seen: VolumeGroupSpec | None, changed: frozenset[str]
) -> tuple[Act, ...]:
    del seen, changed
    return (MakeVolumeGroup(wanted.name, wanted.devices),)


def _question_of_zpool(spec: ZpoolSpec) -> Question:
    return Question("zpool", spec.name, tuple(part for part in spec.layout if part.startswith("/")))


def _read_zpool(host: str, question: Question, facts: Facts, mark: Mark | None) -> ZpoolSpec | None:
    del mark
    fact = facts.answers[question]
    if not (fact is None or isinstance(fact, ZpoolFact)):
        return None
    return ZpoolSpec(host, question.name, fact.layout if fact else ())


def _make_zpool(
    wanted: ZpoolSpec, seen: ZpoolSpec | None, changed: frozenset[str]
) -> tuple[Act, ...]:
    """The machine refuses to make one of another layout where there is one."""
    del seen, changed
    return (MakeZpool(wanted.name, wanted.layout, wanted.properties),)


def _drop(seen: VolumeGroupSpec | ZpoolSpec) -> tuple[Act, ...]:
    """It stays, with all that is on it."""
    del seen
    return ()


VOLUME_GROUP = BaseKind(
    "volume_group",
    VolumeGroupSpec,
    _question_of_group,
    _read_group,
    _make_group,
    _drop,
    differs=_group_differs,
)
ZPOOL = BaseKind("zpool", ZpoolSpec, _question_of_zpool, _read_zpool, _make_zpool, _drop)
