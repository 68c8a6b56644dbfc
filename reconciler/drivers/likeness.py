"""When two definitions come to the same, so that neither a restart nor a write is due."""

from __future__ import annotations

from dataclasses import replace

from reconciler.ports.hypervisor import DomainDefinition


def is_same_guest(one: DomainDefinition, other: DomainDefinition) -> bool:
    """Whether a guest cannot tell them apart: it sees no disk names of ours, and no order."""
    return _seen_by_guest(one) == _seen_by_guest(other)


def is_same_definition(wanted: DomainDefinition, found: DomainDefinition) -> bool:
    """Whether what was found says what was wanted, in whatever order; None leaves it open."""
    named = frozenset(wanted.disks) == frozenset(found.disks)
    is_named_so = (wanted.name, wanted.uuid) == (found.name, found.uuid)
    seen, open_ones = _seen_by_guest(found), _seen_by_guest(wanted)
    return (
        is_named_so and named and all(w in {None, s} for w, s in zip(open_ones, seen, strict=True))
    )


def _seen_by_guest(definition: DomainDefinition) -> tuple[object, ...]:
    return (
        definition.accelerator,
        definition.vcpus,
        definition.memory_bytes,
        frozenset((disk.pool, disk.volume, disk.device) for disk in definition.disks),
        frozenset(replace(each, guarded=each.guarded or None) for each in definition.interfaces),
        definition.vcpus_maximum,
        definition.memory_maximum_bytes,
        definition.cpu_model,
        definition.firmware,
        definition.tpm,
        definition.title,
        definition.first_boot,
    )
