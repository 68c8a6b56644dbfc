"""When two definitions come to the same, so that neither a restart nor a write is due."""

from __future__ import annotations

from reconciler.ports.hypervisor import DomainDefinition


def is_same_guest(one: DomainDefinition, other: DomainDefinition) -> bool:
    """Whether a guest cannot tell them apart: it sees no disk names of ours, and no order."""
    return _seen_by_guest(one) == _seen_by_guest(other)


def is_same_definition(one: DomainDefinition, other: DomainDefinition) -> bool:
    """Whether they say the same, in whatever order."""
    return (one.name, one.uuid, frozenset(one.disks), _seen_by_guest(one)) == (
        other.name,
        other.uuid,
        frozenset(other.disks),
        _seen_by_guest(other),
    )


def _seen_by_guest(definition: DomainDefinition) -> tuple[object, ...]:
    return (
        definition.accelerator,
        definition.vcpus,
        definition.memory_bytes,
        frozenset((disk.pool, disk.volume) for disk in definition.disks),
        frozenset(definition.interfaces),
    )
