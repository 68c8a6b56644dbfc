"""Addresses for those who must have one and have none: which they get, and where that is written.

By environment and name (web-2 before web-10) each gets the lowest free address of its partition, so
the order of files and documents changes nothing, and whoever has an address keeps it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address

from reconciler.config.address_plan import Taken
from reconciler.config.addresses import Ip, Range, lowest_free, source_of_hosts, usable
from reconciler.config.check_addresses import hosts_without_address, lacking_machines
from reconciler.config.insertion import Insertion, documents_in, inserted
from reconciler.config.load import ENVIRONMENT_NAMES
from reconciler.config.networks import Network, PartitionField
from reconciler.config.repository import Documents
from reconciler.config.resolve import ENVIRONMENTS
from reconciler.config.rewrite import document_text
from reconciler.errors import ConfigError
from reconciler.model.position import Position, Problem

_NUMBER = re.compile(r"(\d+)")


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
    """An address for somebody. `position` is where it is lacking, `place` where it is written."""

    environment: str
    who: str
    network: str
    partition: str
    address: IPv4Address
    position: Position
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
    begin: dict[Range, IPv4Address] = {}
    problems: list[Problem] = []
    made: list[Allocation] = []
    for lack in _lacks(every, chosen):
        able = usable(lack.network, lack.partition)
        address = lowest_free(Range(begin.get(able, able.first), able.last), gone)
        if address is None:
            problems.append(_full(lack, taken, gone))
            continue
        gone.add(address)
        begin[able] = address  # what is below it stays taken
        made.append(
            Allocation(
                lack.environment,
                lack.who,
                lack.network.name,
                lack.partition.name,
                address,
                lack.position,
                lack.place,
            )
        )
    if problems:
        raise ConfigError(problems)
    return tuple(made)


def written(allocations: Sequence[Allocation], read: Callable[[str], str]) -> Mapping[str, str]:
    """The files with the addresses in them; `read` gives a file's text, none if it is not there.

    Raises:
        ConfigError: a document is written in a way that only a person can change.
    """
    by_file: dict[str, list[Allocation]] = {}
    for each in allocations:
        by_file.setdefault(each.place.file, []).append(each)
    problems: list[Problem] = []
    texts: dict[str, str] = {}
    for file, here in by_file.items():
        try:
            texts[file] = _with_addresses(read(file), here)
        except (KeyError, ValueError) as error:
            what = f"no address can be put into {file}: {error}"
            problems.append(Problem(here[0].position, what, "write the addresses by hand"))
    if problems:
        raise ConfigError(problems)
    return texts


def _with_addresses(text: str, allocations: Sequence[Allocation]) -> str:
    there = documents_in(text)
    insertions = []
    for each in allocations:
        place, new = each.place, ("address", str(each.address))
        document = (place.kind, place.name)
        if place.is_patch and document not in there:
            text = _with_document(text, {"kind": place.kind, "name": place.name})
            there |= {document}
        insertions.append(Insertion(document, place.key, place.item, new))
    return inserted(text, insertions)


def _with_document(text: str, document: Mapping[str, str]) -> str:
    new = document_text(document)
    if not text:
        return new
    return f"{text}---\n{new}" if text.endswith("\n") else f"{text}\n---\n{new}"


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
        for host in sorted(hosts_without_address(documents, network), key=_by_number):
            position = documents.position("Network", name, "hosts", host)
            place = Place(position.file, "Network", name, "hosts", ("name", host))
            who = f"host {host}"
            yield _Lack(documents.environment, who, network, partition, position, place)


def _machines(documents: Documents, every: Sequence[Documents]) -> Iterator[_Lack]:
    lacking = lacking_machines(documents)
    ordered = sorted(lacking, key=lambda each: (_by_number(each[0].name), each[1].network))
    for machine, attachment, partition in ordered:
        network = documents.networks[attachment.network]
        path = ("networks", attachment.network)
        position = documents.position("VirtualMachine", machine.name, *path)
        file, is_patch = _file(documents, machine.name, every)
        item = ("network", attachment.network)
        place = Place(file, "VirtualMachine", machine.name, "networks", item, is_patch)
        who = f"machine {machine.name}"
        yield _Lack(documents.environment, who, network, partition, position, place)


def _by_number(name: str) -> tuple[list[str | int], str]:
    """Names in the order of their numbers: web-2 before web-10."""
    parts = _NUMBER.split(name)
    return [int(part) if index % 2 else part for index, part in enumerate(parts)], name


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
