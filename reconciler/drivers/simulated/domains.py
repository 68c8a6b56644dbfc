"""What a host does with its domains, as pure functions from host to host.

As libvirt with QEMU does it: a definition is checked for clashes and for what the host cannot run,
but bridges, memory and the locks of disks are looked at only when the domain starts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from reconciler.drivers.likeness import is_same_guest
from reconciler.drivers.refusal import Missing, Refused
from reconciler.drivers.simulated.definitions import filled, merged, plain
from reconciler.drivers.simulated.plugs import missing_plugs
from reconciler.drivers.simulated.state import Domain, Host
from reconciler.drivers.soundness import unsound_definition
from reconciler.model.quantity import format_size
from reconciler.model.resource import Owner
from reconciler.ports.hypervisor import DomainDefinition, DomainState


def state_of(domain: Domain) -> DomainState:
    """The domain as the port shows it."""
    return DomainState(
        definition=filled(domain.definition),
        running=domain.running,
        autostart=domain.autostart,
        owner=domain.owner,
        guest=filled(domain.runs_on) if domain.runs_on else None,
        snapshots=tuple(sorted(domain.snapshots)),
    )


def named(host: Host, name: str) -> Domain:
    """The domain of that name.

    Raises:
        Missing: there is none.
    """
    domain = host.domains.get(name)
    if domain is None:
        message = f"there is no domain {name}"
        raise Missing(message)
    return domain


def define(host: Host, definition: DomainDefinition, owner: Owner | None) -> Host:
    """Make it the persistent definition of a new or known domain; a guest keeps what it has.

    Raises:
        Refused: it clashes, or the host cannot have such a domain.
    """
    reasons = [
        *unsound_definition(definition),
        *_clashes(host, definition),
        *_lacks(host, definition),
    ]
    if reasons:
        raise Refused("; ".join(reasons))
    known = host.domains.get(definition.name)
    if known is None:
        return _with(host, Domain(plain(definition), owner=owner))
    guest = known.live if known.running else None
    after = merged(known.definition, definition, guest)
    changed = replace(known, definition=after, owner=owner)
    return with_guest(host, changed, guest) if guest else _with(host, changed)


def mark(host: Host, name: str, owner: Owner) -> Host:
    """Replace the mark."""
    return _with(host, replace(named(host, name), owner=owner))


def undefine(host: Host, name: str) -> Host:
    """Forget the domain, if there is one.

    Raises:
        Refused: it runs.
    """
    if name not in host.domains:
        return host
    if host.domains[name].running:
        message = "the domain is running; stop it first"
        raise Refused(message)
    return replace(host, domains={k: v for k, v in host.domains.items() if k != name})


def start(host: Host, name: str) -> Host:
    """Start the domain on its definition, unless it runs.

    Raises:
        Refused: memory, a bridge or a volume is not to be had.
    """
    domain = named(host, name)
    if domain.running:
        return host
    check_can_run(host, domain)
    return _with(host, replace(domain, running=True))


def check_can_run(host: Host, domain: Domain) -> None:
    """Whether the host can run this guest now.

    Raises:
        Refused: memory, a bridge or a volume is not to be had.
    """
    wanted = domain.live
    reasons = [*_lacks(host, wanted), *disks_in_use(host, wanted)]
    if wanted.memory_bytes > host.free_memory_bytes:
        needed, free = format_size(wanted.memory_bytes), _free_memory(host)
        reasons.append(f"it needs {needed} of memory and {free} is free")
    reasons += missing_plugs(host, wanted.interfaces)
    if reasons:
        raise Refused("; ".join(reasons))


def stop(host: Host, name: str) -> Host:
    """Stop the guest, if it runs."""
    domain = named(host, name)
    if not domain.running:
        return host
    return _with(host, replace(domain, running=False, runs_on=None))


def set_autostart(host: Host, name: str, *, autostart: bool) -> Host:
    """Whether it starts with the host."""
    return _with(host, replace(named(host, name), autostart=autostart))


def set_memory(host: Host, name: str, memory_bytes: int) -> Host:
    """Set the memory of the definition and of the guest, as a person does it.

    Raises:
        Refused: the guest was started with less, or the host has no more.
    """
    domain = named(host, name)
    definition = merged(
        domain.definition,
        replace(domain.definition, memory_bytes=memory_bytes, memory_maximum_bytes=None),
    )
    if reasons := [*unsound_definition(definition), *_lacking_memory(host, domain, memory_bytes)]:
        raise Refused("; ".join(reasons))
    changed = replace(domain, definition=definition)
    if not domain.running:
        return _with(host, changed)
    maximum = filled(domain.live).memory_maximum_bytes
    guest = replace(domain.live, memory_bytes=memory_bytes, memory_maximum_bytes=maximum)
    return with_guest(host, changed, plain(guest))


def with_guest(host: Host, domain: Domain, guest: DomainDefinition) -> Host:
    """The host with the domain, whose running guest has just that."""
    is_same = is_same_guest(filled(guest), filled(domain.definition))
    return _with(host, replace(domain, runs_on=None if is_same else guest))


def volumes_of(definition: DomainDefinition) -> frozenset[tuple[str, str]]:
    """Pool and name of each volume that the definition uses."""
    return frozenset((disk.pool, disk.volume) for disk in definition.disks)


def users_of(host: Host, pool: str, volume: str) -> list[str]:
    """The domains that use the volume, by their definition or by their guest."""
    place = (pool, volume)
    return [
        name
        for name, domain in host.domains.items()
        if place in volumes_of(domain.definition) | volumes_of(domain.live)
    ]


def _with(host: Host, domain: Domain) -> Host:
    return replace(host, domains={**host.domains, domain.definition.name: domain})


def _clashes(host: Host, definition: DomainDefinition) -> Iterator[str]:
    known = host.domains.get(definition.name)
    if known and known.definition.uuid != definition.uuid:
        yield f"domain {definition.name} already exists with uuid {known.definition.uuid}"
    for name, other in host.domains.items():
        if other.definition.uuid == definition.uuid and name != definition.name:
            yield f"domain {name} is already defined with uuid {definition.uuid}"


def _lacks(host: Host, definition: DomainDefinition) -> Iterator[str]:
    if definition.accelerator not in host.accelerators:
        yield f"the host cannot run domains of type {definition.accelerator}"
    yield from missing_parts(host, definition)


def missing_parts(host: Host, definition: DomainDefinition) -> Iterator[str]:
    """The volumes of its disks that are not on the host."""
    for disk in definition.disks:
        pool = host.pools.get(disk.pool)
        if pool is None:
            yield f"there is no pool {disk.pool}"
        elif disk.volume not in pool.volumes:
            yield f"there is no volume {disk.volume} in pool {disk.pool}"


def disks_in_use(host: Host, definition: DomainDefinition) -> Iterator[str]:
    """The volumes of its disks that another guest has."""
    places = volumes_of(definition)
    for other in host.domains.values():
        if other.running and other.definition.name != definition.name:
            for disk in other.live.disks:
                if (disk.pool, disk.volume) in places:
                    user = other.definition.name
                    yield f"volume {disk.volume} in pool {disk.pool} is in use by running {user}"


def _lacking_memory(host: Host, domain: Domain, memory_bytes: int) -> Iterator[str]:
    """Why the guest cannot be given that much memory while it runs."""
    if not domain.running:
        return
    guest = filled(domain.live)
    maximum = guest.memory_maximum_bytes or guest.memory_bytes
    if memory_bytes > maximum:
        yield f"the guest was started with {format_size(maximum)} and must restart"
    if memory_bytes - guest.memory_bytes > host.free_memory_bytes:
        yield f"{_free_memory(host)} of memory is free"


def _free_memory(host: Host) -> str:
    return format_size(max(host.free_memory_bytes, 0))
