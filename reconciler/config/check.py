"""What documents must not say about each other: broken references, clashing names."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from difflib import get_close_matches

from reconciler.config.check_addresses import address_problems
from reconciler.config.check_zones import zone_problems
from reconciler.config.documents import VirtualMachine
from reconciler.config.repository import Documents
from reconciler.model.position import Position, Problem
from reconciler.model.quantity import format_size


def check_documents(documents: Documents) -> tuple[Problem, ...]:
    """Every problem between the documents of one environment."""
    return (
        *_machines(documents),
        *_hosts(documents),
        *address_problems(documents),
        *zone_problems(documents),
    )


def unknown(position: Position, kind: str, name: str, known: Collection[str]) -> Problem:
    """A reference to a document that is not there."""
    near = get_close_matches(name, known, 1)
    remedy = f"did you mean {near[0]}?" if near else f"write the {kind}, or name another"
    return Problem(position, f"there is no {kind} {name}", remedy)


def _machines(documents: Documents) -> Iterator[Problem]:
    for machine in documents.machines.values():
        yield from _references(documents, machine)
        yield from _parts(documents, machine)
        yield from _host_of(documents, machine)
        former = machine.renamed_from
        if former and former in documents.machines:
            position = documents.position("VirtualMachine", machine.name, "renamed_from")
            yield Problem(position, f"machine {former} still exists", "remove renamed_from")
    yield from _same_names(documents)


def _references(documents: Documents, machine: VirtualMachine) -> Iterator[Problem]:
    if machine.image and machine.image not in documents.images:
        position = documents.position("VirtualMachine", machine.name, "image")
        yield unknown(position, "image", machine.image, documents.images)
    for each in machine.networks:
        if each.network not in documents.networks:
            position = documents.position("VirtualMachine", machine.name, "networks", each.network)
            yield unknown(position, "network", each.network, documents.networks)


def _parts(documents: Documents, machine: VirtualMachine) -> Iterator[Problem]:
    for key, names in (
        ("disks", [disk.name for disk in machine.disks]),
        ("networks", [each.network for each in machine.networks]),
    ):
        for name in sorted({name for name in names if names.count(name) > 1}):
            position = documents.position("VirtualMachine", machine.name, key)
            what = f"machine {machine.name} has {name} twice among its {key}"
            yield Problem(position, what, "remove one of them")


def _host_of(documents: Documents, machine: VirtualMachine) -> Iterator[Problem]:
    usable = {
        host.name: host
        for host in documents.hosts.values()
        if documents.environment in {host.environment, *host.share}
    }
    position = documents.position("VirtualMachine", machine.name, "host")
    if machine.host and machine.host not in documents.hosts:
        yield unknown(position, "host", machine.host, documents.hosts)
        return
    if machine.host and machine.host not in usable:
        what = f"host {machine.host} is not shared with {documents.environment}"
        yield Problem(position, what, "add a share to the host, or name another")
        return
    candidates = [usable[machine.host]] if machine.host else list(usable.values())
    most = max((host.memory - host.reserved_memory for host in candidates), default=0)
    if machine.memory > most:
        where = f"host {machine.host}" if machine.host else "any host"
        what = f"machine {machine.name} wants {format_size(machine.memory)}, more than {where} has"
        position = documents.position("VirtualMachine", machine.name, "memory")
        yield Problem(position, what, f"at most {format_size(most)} is there")
    yield from _pools(documents, machine, [{p.name for p in host.pools} for host in candidates])


def _pools(
    documents: Documents, machine: VirtualMachine, offered: list[set[str]]
) -> Iterator[Problem]:
    for disk in machine.disks:
        if offered and not any(disk.pool in pools for pools in offered):
            position = documents.position(
                "VirtualMachine", machine.name, "disks", disk.name, "pool"
            )
            yield unknown(position, "pool", disk.pool, sorted(set().union(*offered)))


def _same_names(documents: Documents) -> Iterator[Problem]:
    names: dict[str, str] = {}
    for machine in documents.machines.values():
        former = machine.renamed_from or machine.name
        name = machine.libvirt_name or f"{documents.environment}-{former}"
        if name in names:
            position = documents.position("VirtualMachine", machine.name, "libvirt_name")
            what = f"machines {names[name]} and {machine.name} are both {name} on their hosts"
            yield Problem(position, what, "give one of them another libvirt_name")
        names[name] = machine.name


def _hosts(documents: Documents) -> Iterator[Problem]:
    for host in documents.hosts.values():
        for environment in host.share:
            position = documents.position("Host", host.name, "share", environment)
            if environment not in {"development", "staging", "production"}:
                yield Problem(position, f"there is no environment {environment}", "remove it")
            elif environment == host.environment:
                what = f"host {host.name} belongs to {environment} and need not be shared with it"
                yield Problem(position, what, "remove the share")
        if host.reserved_memory >= host.memory:
            position = documents.position("Host", host.name, "reserved_memory")
            what = f"host {host.name} keeps all of its memory for itself"
            yield Problem(position, what, "reserve less")
