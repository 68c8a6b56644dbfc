"""What the running guest of a domain has, said so that it can be compared with what is stored.

The XML of a running guest says some things otherwise: a model of processor in place of "as the
host", and the memory that the guest has not given back yet.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from reconciler.drivers.libvirt_ import reading
from reconciler.drivers.libvirt_.reading import Dialect, definition_of
from reconciler.ports.hypervisor import Disk, DomainDefinition


def guest_of(live: Any, stored: DomainDefinition, dialect: Dialect) -> DomainDefinition:
    """The definition of the guest, from its XML.

    Raises:
        Refused: the XML is not that of a domain.
    """
    guest = definition_of(live, dialect)
    return replace(
        guest,
        disks=tuple(_named_as_stored(guest.disks, stored.disks)),
        cpu_model=_cpu_model(live, guest, stored),
        memory_bytes=_memory(live, guest),
    )


def _named_as_stored(disks: tuple[Disk, ...], stored: tuple[Disk, ...]) -> Iterator[Disk]:
    """A guest sees no names of ours, and may have been started before there were any."""
    names = {(disk.pool, disk.volume): disk.name for disk in stored}
    for disk in disks:
        yield replace(disk, name=names.get((disk.pool, disk.volume), disk.name))


def _cpu_model(live: Any, guest: DomainDefinition, stored: DomainDefinition) -> str | None:
    """What the guest was started with; "as the host" has become a model by then."""
    noted = reading.guest_mark(live, "cpu_model")
    if noted is None and stored.cpu_model == "host-model":
        return stored.cpu_model
    return noted if noted == "host-model" else guest.cpu_model


def _memory(live: Any, guest: DomainDefinition) -> int:
    """What it was started with, as long as it has not given back the rest and was asked nothing.

    It has all it could have until its driver is loaded, which is long after it was started.
    """
    noted = reading.guest_mark(live, "memory")
    if noted is not None and noted.isdecimal() and guest.memory_bytes > int(noted):
        return int(noted)
    return guest.memory_bytes
