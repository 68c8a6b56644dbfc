"""Addresses for those who must have one and have none: which they get, and where that is written.

Machines by environment and name get the lowest free address of their partition each, so the order
of files and documents changes nothing, and whoever has an address keeps it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address

from reconciler.config.address_plan import Taken
from reconciler.config.addresses import Ip, lowest_free, source_of_hosts, usable
from reconciler.config.check_addresses import lacking_machines
from reconciler.config.load import ENVIRONMENT_NAMES
from reconciler.config.networks import Network, PartitionField
from reconciler.config.repository import Documents
from reconciler.config.resolve import ENVIRONMENTS
from reconciler.errors import ConfigError
from reconciler.model.position import Position, Problem


@dataclass(frozen=True, slots=True)
class Place:
    """Where an address is written: a document of a file, and in it an item of a list.

    `is_patch`: the document is a patch, and perhaps not there yet.
    """

    file: str
    kind: str
    name: str
    key: str
    item: tuple[str, str]
    is_patch: bool = False


@dataclass(frozen=True, slots=True)
class Allocation:
    """An address for somebody."""

    environment: str
    who: str
    network: str
    partition: str
    address: IPv4Address
    place: Place


@dataclass(frozen=True, slots=True)
class _Lack:
    environment: str
    who: str
    network: Network
    partition: PartitionField
    position: Position
    place: Place


def allocate(
    every: Sequence[Documents], taken: Taken, chosen: Collection[str] = ENVIRONMENT_NAMES
) -> tuple[Allocation, ...]:
    """An address for each machine and host of the chosen environments that lacks one.

    `every` are the documents of all environments of the tree.

    Raises:
        ConfigError: a partition has too few, each with the numbers.
    """
    gone: set[Ip] = set(taken.all())
    problems: list[Problem] = []
    made: list[Allocation] = []
    for lack in _lacks(every, chosen):
        address = lowest_free(usable(lack.network, lack.partition), gone)
        if address is None:
            problems.append(_full(lack, taken, gone))
            continue
        gone.add(address)
        network, partition = lack.network.name, lack.partition.name
        made.append(Allocation(lack.environment, lack.who, network, partition, address, lack.place))
    if problems:
        raise ConfigError(problems)
    return tuple(made)


def _lacks(every: Sequence[Documents], chosen: Collection[str]) -> Iterator[_Lack]:
    """Who lacks an address, hosts first; what several environments read is there once."""
    ordered = sorted(every, key=lambda each: ENVIRONMENT_NAMES.index(each.environment))
    told: set[Position] = set()
    for documents in ordered:
        for lack in _hosts(documents):
            if lack.environment in chosen and lack.position not in told:
                told.add(lack.position)
                yield lack
    for documents in ordered:
        if documents.environment in chosen:
            yield from _machines(documents, every)


def _hosts(documents: Documents) -> Iterator[_Lack]:
    for name, network in sorted(documents.networks.items()):
        partition = source_of_hosts(network)
        if partition is None:
            continue
        for host in sorted(place.name for place in network.hosts if place.address is None):
            position = documents.position("Network", name, "hosts", host)
            place = Place(position.file, "Network", name, "hosts", ("name", host))
            who = f"host {host}"
            yield _Lack(documents.environment, who, network, partition, position, place)


def _machines(documents: Documents, every: Sequence[Documents]) -> Iterator[_Lack]:
    lacking = lacking_machines(documents)
    for machine, attachment, partition in sorted(lacking, key=lambda each: each[0].name):
        network = documents.networks[attachment.network]
        path = ("networks", attachment.network)
        position = documents.position("VirtualMachine", machine.name, *path)
        file, is_patch = _file(documents, machine.name, every)
        item = ("network", attachment.network)
        place = Place(file, "VirtualMachine", machine.name, "networks", item, is_patch)
        who = f"machine {machine.name}"
        yield _Lack(documents.environment, who, network, partition, position, place)


def _file(documents: Documents, machine: str, every: Sequence[Documents]) -> tuple[str, bool]:
    """The file for what this environment says of a machine, and whether it needs a patch.

    The environment's own document or patch, if there is one; the shared document, if no other
    environment reads it.
    """
    folder = f"{ENVIRONMENTS}/{documents.environment}/"
    uppermost = documents.position("VirtualMachine", machine, "name").file
    if uppermost.startswith(folder):
        return uppermost, False
    readers = [each for each in every if _reads(each, machine, uppermost)]
    if len(readers) == 1:
        return uppermost, False
    return f"{folder}vms/{machine}.yaml", True


def _reads(documents: Documents, machine: str, file: str) -> bool:
    return (
        machine in documents.machines and documents.position("VirtualMachine", machine).file == file
    )


def _full(lack: _Lack, taken: Taken, gone: Collection[Ip]) -> Problem:
    """What is in the way, by number."""
    able = usable(lack.network, lack.partition)
    resting = sum(address in able for address in taken.quarantined)
    kept = sum(address in able for address in taken.kept)
    used = sum(address in able for address in gone) - resting - kept
    said = [f"{used} used"]
    said += [f"{resting} in quarantine"] if resting else []
    said += [f"{kept} kept for others"] if kept else []
    what = (
        f"there is no address for {lack.who} on network {lack.network.name}: partition "
        f"{lack.partition.name} has {able.size}, {', '.join(said)}"
    )
    remedy = "make the partition larger, name another `partition:`, or give some up"
    if resting:
        first = min(taken.quarantined[ip] for ip in taken.quarantined if ip in able)
        remedy += f"; the first comes out of quarantine on {first:%Y-%m-%d}"
    return Problem(lack.position, what, remedy)
