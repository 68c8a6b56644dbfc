"""What a host can give a guest while it runs, as pure functions from host to host.

As QEMU does it: processors and memory within the maxima that the guest was started with, disks and
interfaces that come and go, and the title.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from reconciler.drivers.simulated.definitions import filled, plain
from reconciler.drivers.simulated.domains import disks_in_use, missing_parts, named, with_guest
from reconciler.drivers.simulated.plugs import missing_plugs
from reconciler.drivers.simulated.state import Host
from reconciler.kinds.domain_changes import GuestChanges
from reconciler.model.quantity import format_size
from reconciler.ports.hypervisor import DomainDefinition

Refuse = Callable[[str], None]


def adjust(host: Host, name: str, refuse: Refuse) -> Host:
    """Give the guest what its definition says, as far as that goes; the rest waits for a restart.

    `refuse` is told why something could not be done that should.

    Raises:
        Missing: there is no such domain.
    """
    domain = named(host, name)
    if not domain.running or domain.runs_on is None:
        return host
    guest, wanted = domain.runs_on, domain.definition
    changes = GuestChanges.of(filled(guest), filled(wanted))
    for place in dict.fromkeys(_place(change.path) for change in changes.live):
        guest = _adjusted(host, guest, wanted, place, refuse)
    return with_guest(host, domain, guest)


def _place(path: str) -> tuple[str, str]:
    """The field, and of its items which."""
    field, key, *_ = (*path.split("."), "")
    return field, key


def _adjusted(
    host: Host,
    guest: DomainDefinition,
    wanted: DomainDefinition,
    place: tuple[str, str],
    refuse: Refuse,
) -> DomainDefinition:
    field, key = place
    if field == "vcpus":
        return _with_processors(guest, wanted)
    if field == "memory_bytes":
        return _with_memory(host, guest, wanted, refuse)
    if field == "disks":
        return _with_disk(host, guest, wanted, key, refuse)
    if field == "interfaces":
        return _with_interface(host, guest, wanted, key, refuse)
    return replace(guest, title=wanted.title)


def _with_processors(guest: DomainDefinition, wanted: DomainDefinition) -> DomainDefinition:
    """What was started without a maximum has processors that cannot be unplugged."""
    if wanted.vcpus < guest.vcpus and guest.vcpus_maximum is None:
        return guest
    return replace(guest, vcpus=wanted.vcpus)


def _with_memory(
    host: Host, guest: DomainDefinition, wanted: DomainDefinition, refuse: Refuse
) -> DomainDefinition:
    if wanted.memory_bytes - guest.memory_bytes > host.free_memory_bytes:
        refuse(f"{format_size(max(host.free_memory_bytes, 0))} of memory is free")
        return guest
    maximum = filled(guest).memory_maximum_bytes
    return plain(replace(guest, memory_bytes=wanted.memory_bytes, memory_maximum_bytes=maximum))


def _with_disk(
    host: Host, guest: DomainDefinition, wanted: DomainDefinition, name: str, refuse: Refuse
) -> DomainDefinition:
    kept = tuple(disk for disk in guest.disks if disk.name != name)
    new = tuple(disk for disk in wanted.disks if disk.name == name)
    after = replace(guest, disks=(*kept, *new))
    if reasons := [*missing_parts(host, replace(after, disks=new)), *disks_in_use(host, after)]:
        refuse("; ".join(reasons))
        return guest
    return after


def _with_interface(
    host: Host, guest: DomainDefinition, wanted: DomainDefinition, mac: str, refuse: Refuse
) -> DomainDefinition:
    new = {each.mac: each for each in wanted.interfaces if each.mac == mac}
    if missing := list(missing_plugs(host, new.values())):
        refuse(f"interface {mac}: {missing[0]}")
        return guest
    kept = [new.pop(each.mac, each) for each in guest.interfaces if each.mac != mac or new]
    return replace(guest, interfaces=(*kept, *new.values()))
