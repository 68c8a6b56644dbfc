"""What a change of a domain costs, field by field: the one table that plans and docs go by."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from reconciler.model.change import Disruption, FieldChange
from reconciler.model.diff import diff_fields
from reconciler.ports.hypervisor import Disk, DomainDefinition, Interface

LIVE, RESTART, REPLACE = Disruption.LIVE, Disruption.RESTART, Disruption.REPLACE
_Applies = Callable[[FieldChange, DomainDefinition, DomainDefinition], bool]


class _HasDevices(Protocol):
    @property
    def disks(self) -> tuple[Disk, ...]: ...

    @property
    def interfaces(self) -> tuple[Interface, ...]: ...


@dataclass(frozen=True, slots=True)
class ChangeClass:
    """What a change of `field` costs a running guest, when `applies`; `when` says it in words.

    `applies` is asked with the change, what the guest has, and what is wanted.
    """

    field: str
    when: str
    disruption: Disruption
    effect: str
    applies: _Applies


def _always(change: FieldChange, guest: DomainDefinition, wanted: DomainDefinition) -> bool:
    del change, guest, wanted
    return True


def _fits_processors(
    change: FieldChange, guest: DomainDefinition, wanted: DomainDefinition
) -> bool:
    """Room to grow is what the guest was started with; to shrink it must have been prepared.

    QEMU cannot take away processors that it emulates: it loses count of them, and dies later.
    """
    del change
    most = guest.vcpus_maximum or guest.vcpus
    if wanted.vcpus > guest.vcpus:
        return wanted.vcpus <= most
    is_prepared = wanted.vcpus_maximum is not None and wanted.vcpus_maximum == most
    return is_prepared and guest.accelerator == "kvm"


def _fits_memory(change: FieldChange, guest: DomainDefinition, wanted: DomainDefinition) -> bool:
    del change
    return wanted.memory_bytes <= (guest.memory_maximum_bytes or guest.memory_bytes)


def _is_other_disk(change: FieldChange, guest: DomainDefinition, wanted: DomainDefinition) -> bool:
    """A disk that comes or goes; not the first, which the guest was started from."""
    one_is_missing = (change.before is None) != (change.after is None)
    known = {disk.name for each in (guest, wanted) for disk in _disks(each)[1:]}
    first = {disk.name for each in (guest, wanted) for disk in _disks(each)[:1]}
    return one_is_missing and change.path.removeprefix("disks.") in known - first


def _is_plug(change: FieldChange, guest: DomainDefinition, wanted: DomainDefinition) -> bool:
    del guest, wanted
    return change.path != "interfaces"


CHANGE_CLASSES: tuple[ChangeClass, ...] = (
    ChangeClass("vcpus", "within `cpus_maximum`", LIVE, "processors are plugged", _fits_processors),
    ChangeClass("vcpus", "else", RESTART, "", _always),
    ChangeClass("memory_bytes", "within `memory_maximum`", LIVE, "the balloon", _fits_memory),
    ChangeClass("memory_bytes", "else", RESTART, "", _always),
    ChangeClass("disks", "a data disk comes or goes", LIVE, "it is plugged", _is_other_disk),
    ChangeClass("disks", "the root disk, a seed, another order", RESTART, "", _always),
    ChangeClass("interfaces", "one comes, goes or changes", LIVE, "it is plugged", _is_plug),
    ChangeClass("interfaces", "another order", RESTART, "", _always),
    ChangeClass("title", "always", LIVE, "the guest does not see it", _always),
    ChangeClass("vcpus_maximum", "always", RESTART, "", _always),
    ChangeClass("memory_maximum_bytes", "always", RESTART, "", _always),
    ChangeClass("cpu_model", "always", RESTART, "", _always),
    ChangeClass("tpm", "always", RESTART, "", _always),
    ChangeClass("first_boot", "`on_change: rerun`", RESTART, "cloud-init runs again", _always),
    ChangeClass("accelerator", "always", RESTART, "", _always),
    ChangeClass("firmware", "always", REPLACE, "the old system may not boot", _always),
)


@dataclass(frozen=True, slots=True)
class GuestChanges:
    """The difference of a running guest from what is wanted, by what it costs."""

    live: tuple[FieldChange, ...]
    others: tuple[FieldChange, ...]
    disruption: Disruption

    @classmethod
    def of(cls, guest: DomainDefinition, wanted: DomainDefinition) -> GuestChanges:
        """Sort the changes by the table."""
        live: list[FieldChange] = []
        others: list[FieldChange] = []
        worst = LIVE
        for change in definition_changes(wanted, guest):
            found = class_of(change, guest, wanted)
            (live if found.disruption is LIVE else others).append(change)
            worst = max(worst, found.disruption)
        return cls(tuple(live), tuple(others), worst)


def class_of(change: FieldChange, guest: DomainDefinition, wanted: DomainDefinition) -> ChangeClass:
    """The first row of the table that applies.

    Raises:
        KeyError: there is none: the field is new and the table is not.
    """
    field = change.path.partition(".")[0]
    for row in CHANGE_CLASSES:
        if row.field == field and row.applies(change, guest, wanted):
            return row
    raise KeyError(field)


def definition_changes(
    wanted: DomainDefinition, present: DomainDefinition
) -> tuple[FieldChange, ...]:
    """Field by field, but for name and UUID. The order of disks and interfaces counts too."""
    wanted = replace(wanted, interfaces=tagged(wanted.interfaces))
    present = replace(
        present,
        disks=_called_alike(present.disks, wanted.disks),
        interfaces=tagged(present.interfaces),
    )
    changes = (
        change
        for change in diff_fields(wanted, present)
        if change.path.partition(".")[0] not in {"name", "uuid"}
    )
    return (*changes, *reordered(wanted, present))


def tagged(interfaces: tuple[Interface, ...]) -> tuple[Interface, ...]:
    """With 0 for no VLAN and nothing for no guard: a wish for none leaves nothing open."""
    return tuple(
        replace(each, vlan=each.vlan or 0, guarded=each.guarded or "") for each in interfaces
    )


def reordered(desired: _HasDevices, observed: _HasDevices) -> Iterator[FieldChange]:
    """That disks or interfaces are in another order; where CD-ROMs are among them is all one."""
    yield from _reordered("disks", _disks(desired), _disks(observed))
    yield from _reordered("interfaces", desired.interfaces, observed.interfaces)


def _reordered(
    path: str, desired: Sequence[Disk | Interface], observed: Sequence[Disk | Interface]
) -> Iterator[FieldChange]:
    """That those which both have are in another order: the guest numbers them by it.

    A CD-ROM has no number among the disks.
    """
    both = {item.key for item in desired} & {item.key for item in observed}
    both -= {item.name for item in desired if isinstance(item, Disk) and item.device == "cdrom"}
    before = [item.key for item in observed if item.key in both]
    after = [item.key for item in desired if item.key in both]
    if before != after:
        yield FieldChange(path, before, after)


def in_words(changes: Iterable[FieldChange]) -> str:
    """The changed fields, named once each."""
    return ", ".join(sorted({change.path for change in changes}))


def _disks(definition: _HasDevices) -> tuple[Disk, ...]:
    return tuple(disk for disk in definition.disks if disk.device == "disk")


def _called_alike(disks: tuple[Disk, ...], wanted: tuple[Disk, ...]) -> tuple[Disk, ...]:
    """The disks under the names that are wanted for their volumes: no guest sees the names."""
    names = {(each.pool, each.volume, each.device): each.name for each in wanted}
    taken = {each.name for each in disks}
    return tuple(
        each if name in taken else replace(each, name=name)
        for each in disks
        for name in [names.get((each.pool, each.volume, each.device), each.name)]
    )
