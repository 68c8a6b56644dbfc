"""Whether hosts have what machines ask for: that they may be used, memory, and pools."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import get_args

from reconciler.config.base import PoolField
from reconciler.config.document import EnvironmentName
from reconciler.config.documents import DiskField, Host, VirtualMachine
from reconciler.config.names import Names, unknown
from reconciler.config.repository import Documents
from reconciler.model.position import Problem
from reconciler.model.quantity import format_size

FORMATS: Mapping[str, frozenset[str]] = {
    "directory": frozenset({"qcow2", "raw"}),
    "lvm": frozenset({"raw"}),
    "zfs": frozenset({"raw"}),
}
_MACHINE = "VirtualMachine"


def room_problems(documents: Documents, names: Names) -> Iterator[Problem]:
    """Everything that is wrong with hosts, and what they cannot give to machines."""
    for host in documents.hosts.values():
        yield from _host_problems(documents, host)
    usable = {
        host.name: host
        for host in documents.hosts.values()
        if host.guests and documents.environment in {host.environment, *host.share}
    }
    all_known = not names.some_unread and len(names.of("Host")) == len(documents.hosts)
    for machine in documents.machines.values():
        if machine.host is None:
            candidates = tuple(usable.values()) if all_known else ()
        else:
            yield from _pin_problems(documents, machine, usable, names)
            candidates = (usable[machine.host],) if machine.host in usable else ()
        if candidates:
            yield from _memory_problems(documents, machine, candidates)
            yield from _pool_problems(documents, machine, candidates)


def _host_problems(documents: Documents, host: Host) -> Iterator[Problem]:
    for environment in host.share:
        position = documents.position("Host", host.name, "share", environment)
        if environment not in get_args(EnvironmentName):
            yield unknown(position, "environment", environment, get_args(EnvironmentName))
        elif environment == host.environment:
            what = f"host {host.name} belongs to {environment} and need not be shared with it"
            yield Problem(position, what, "remove the share")
    yield from _no_guests(documents, host)
    if host.reserved_memory >= host.memory:
        position = documents.position("Host", host.name, "reserved_memory")
        yield Problem(position, f"host {host.name} keeps all its memory for itself", "reserve less")


def _no_guests(documents: Documents, host: Host) -> Iterator[Problem]:
    """What only hosts have that run machines: a share, pools, networks of libvirt."""
    if host.guests:
        return
    where = documents.position("Host", host.name, "guests")
    for key in ("share", "pools"):
        if getattr(host, key):
            what = f"host {host.name} has `{key}:`, and no guests ({where})"
            yield Problem(documents.position("Host", host.name, key), what, "remove one of them")
    for network in documents.networks.values():
        if network.switch == "libvirt" and any(each.name == host.name for each in network.hosts):
            what = f"network {network.name} is of libvirt, and host {host.name} has no guests"
            position = documents.position("Network", network.name, "hosts", host.name)
            yield Problem(position, f"{what} ({where})", "remove one of them")


def _pin_problems(
    documents: Documents, machine: VirtualMachine, usable: Collection[str], names: Names
) -> Iterator[Problem]:
    position = documents.position(_MACHINE, machine.name, "host")
    known = documents.hosts.get(machine.host or "")
    if names.lack("Host", machine.host or ""):
        yield unknown(position, "host", machine.host or "", names.of("Host"))
    elif known is not None and not known.guests:
        where = documents.position("Host", known.name, "guests")
        what = f"machine {machine.name} must run on host {known.name}, which has no guests"
        yield Problem(position, f"{what} ({where})", "name another host")
    elif machine.host in documents.hosts and machine.host not in usable:
        what = f"host {machine.host} is not shared with {documents.environment}"
        yield Problem(position, what, "add a share to the host, or name another")


def _memory_problems(
    documents: Documents, machine: VirtualMachine, candidates: Sequence[Host]
) -> Iterator[Problem]:
    most = max(_room_bytes(host, documents.environment) for host in candidates)
    if machine.memory > most:
        where = f"host {machine.host}" if machine.host else "any host"
        what = f"machine {machine.name} wants {format_size(machine.memory)}, more than {where} has"
        position = documents.position(_MACHINE, machine.name, "memory")
        yield Problem(position, what, f"at most {format_size(most)} is there for it")


def _room_bytes(host: Host, environment: str) -> int:
    share = host.share.get(environment)
    room = int(host.memory - host.reserved_memory)
    return min(room, share.memory) if share and host.environment != environment else room


def _pool_problems(
    documents: Documents, machine: VirtualMachine, candidates: Sequence[Host]
) -> Iterator[Problem]:
    for disk in machine.disks:
        pools = [pool for host in candidates for pool in host.pools]
        named = [pool for pool in pools if pool.name == disk.pool]
        path = ("disks", disk.name, "pool")
        if not named:
            position = documents.position(_MACHINE, machine.name, *path)
            yield unknown(position, "pool", disk.pool, sorted({pool.name for pool in pools}))
        elif not any(_holds(pool, disk) for pool in named):
            position = documents.position(_MACHINE, machine.name, "disks", disk.name, "format")
            what = f"the {named[0].type} pool {disk.pool} cannot hold {disk.format} volumes"
            yield Problem(position, what, "write `format: raw`, or choose another pool")


def _holds(pool: PoolField, disk: DiskField) -> bool:
    return disk.format in FORMATS[pool.type]
