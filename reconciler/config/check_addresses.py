"""The address plan of one environment: every address has one owner, and stands where it may."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from reconciler.config.addresses import (
    MACHINE_PURPOSES,
    Ip,
    Range,
    edges,
    edges_of_subnet,
    range_of,
    ranges,
    source_of,
    source_of_hosts,
)
from reconciler.config.documents import AttachmentField, VirtualMachine
from reconciler.config.names import unknown
from reconciler.config.networks import Network, PartitionField
from reconciler.config.owners import GATEWAY, HOST, MACHINE, Owner, owners
from reconciler.config.repository import Documents
from reconciler.model.position import Position, Problem

ALLOCATE = "run `reconciler allocate`, which writes a free one"
_MACHINE = "VirtualMachine"
_MAY_HAVE = {HOST: ("hosts",), MACHINE: MACHINE_PURPOSES}


@dataclass(frozen=True, slots=True)
class _Ground:
    """A network with its ranges, and the addresses that nobody can have by what they belong to."""

    network: Network
    ranges: tuple[tuple[PartitionField, Range], ...]
    nobodys: Mapping[Ip, str]

    @classmethod
    def of(cls, network: Network) -> _Ground:
        """The ranges are worked out once, and asked for each address."""
        known = tuple(ranges(network))
        nobodys: dict[Ip, str] = {
            address: f"partition {partition.name}"
            for partition, _ in known
            for address in edges(partition)
        }
        nobodys |= dict.fromkeys(edges_of_subnet(network), network.name)
        return cls(network, known, nobodys)


def address_problems(documents: Documents) -> Iterator[Problem]:
    """Everything that is wrong with addresses, of networks and of hardware."""
    yield from _placements(documents)
    yield from _double_owners(documents)
    yield from _sources(documents)
    yield from _mac_problems(documents)


def lacking_problems(documents: Documents) -> Iterator[Problem]:
    """Who must have an address and has none. What `allocate` mends is all that it may meet."""
    for machine, attachment, partition in lacking_machines(documents):
        network = attachment.network
        position = documents.position(_MACHINE, machine.name, "networks", network)
        what = f"machine {machine.name} has no address on network {network}"
        remedy = f"{ALLOCATE} of partition {partition.name}, or name a dynamic `partition:`"
        yield Problem(position, what, remedy)
    for network in documents.networks.values():
        servers = network.dhcp.servers if network.dhcp else ()
        for server in sorted({*servers} & {*hosts_without_address(documents, network)}):
            position = documents.position("Network", network.name, "hosts", server)
            what = f"host {server} serves network {network.name}, and has no address there"
            remedy = "write its `address:`"
            remedy += f", or {ALLOCATE}" if source_of_hosts(network) else ""
            yield Problem(position, what, remedy)


def hosts_without_address(documents: Documents, network: Network) -> Iterator[str]:
    """The hosts of a network with no address in it, not even their own."""
    for place in network.hosts:
        host = documents.hosts.get(place.name)
        if place.address is None and not (host and host.address in network.subnet):
            yield place.name


def lacking_machines(
    documents: Documents,
) -> Iterator[tuple[VirtualMachine, AttachmentField, PartitionField]]:
    """Machines without an address that they must have, and the partition it is to come from."""
    for machine in documents.machines.values():
        for each in machine.networks:
            network = documents.networks.get(each.network)
            if network is not None and each.address is None:
                partition = source_of(network, each)
                if partition is not None:
                    yield machine, each, partition


def _placements(documents: Documents) -> Iterator[Problem]:
    """Addresses that are outside, nobody's to have, or for somebody else."""
    grounds = {name: _Ground.of(network) for name, network in documents.networks.items()}
    told: set[tuple[str, Ip, str]] = set()
    for owner in owners(documents):
        for ground in _grounds(grounds, owner):
            place = (owner.called, owner.address, ground.network.name)
            if place not in told:
                told.add(place)
                yield from _placement(ground, owner)


def _grounds(grounds: Mapping[str, _Ground], owner: Owner) -> Iterator[_Ground]:
    """The network that the address is written for; for a host's own the one it lies in."""
    if owner.network:
        if owner.sort != GATEWAY and owner.network in grounds:
            yield grounds[owner.network]
        return
    for ground in grounds.values():
        if owner.address in ground.network.subnet:
            yield ground


def _placement(ground: _Ground, owner: Owner) -> Iterator[Problem]:
    address, position, network = owner.address, owner.position, ground.network
    if address not in network.subnet:
        what = f"{address} is not inside network {network.name} ({network.subnet})"
        yield Problem(position, what, "choose an address of the network")
        return
    if address in ground.nobodys:
        what = f"{address} is the network or broadcast address of {ground.nobodys[address]}"
        yield Problem(position, what, "choose another")
    partition = next((each for each, ends in ground.ranges if address in ends), None)
    yield from _purpose(network, owner, partition)


def _purpose(network: Network, owner: Owner, partition: PartitionField | None) -> Iterator[Problem]:
    wanted = _MAY_HAVE[owner.sort]
    if partition is None:
        if owner.sort == HOST and source_of_hosts(network):
            what = f"{owner.address} of {owner.what} is in no partition of network {network.name}"
            yield Problem(owner.position, what, "choose an address for hosts")
    elif partition.purpose not in wanted:
        what = f"{owner.address} is in partition {partition.name}, which is for {partition.purpose}"
        if partition.purpose == "dynamic":
            what = f"{owner.address} is in dynamic partition {partition.name}, which DHCP gives out"
        yield Problem(owner.position, what, f"choose an address for {' or '.join(wanted)}")


def _double_owners(documents: Documents) -> Iterator[Problem]:
    """A host may say its own address once more in a network; a machine has each address once."""
    first: dict[Ip, Owner] = {}
    for owner in owners(documents):
        other = first.setdefault(owner.address, owner)
        is_same_host = owner.sort == HOST and (owner.sort, owner.name) == (other.sort, other.name)
        if other is owner or is_same_host:
            continue
        what = f"{owner.what} has {owner.address}, which {other.what} has ({other.position})"
        yield Problem(owner.position, what, "choose another address for one of them")


def _sources(documents: Documents) -> Iterator[Problem]:
    """The partition that an attachment names must be there, and hold its address."""
    for machine in documents.machines.values():
        for each in machine.networks:
            network = documents.networks.get(each.network)
            if network is None or each.partition is None:
                continue
            path = ("networks", each.network, "partition")
            position = documents.position(_MACHINE, machine.name, *path)
            named = {partition.name: partition for partition in network.partitions}
            if each.partition not in named:
                yield unknown(position, "partition", each.partition, named)
            else:
                yield from _source(machine, each, named[each.partition], position)


def _source(
    machine: VirtualMachine, each: AttachmentField, partition: PartitionField, position: Position
) -> Iterator[Problem]:
    try:
        ends = range_of(partition)
    except ValueError:
        return
    if partition.purpose == "hosts":
        what = f"machine {machine.name} is to be in partition {partition.name}, which is for hosts"
        yield Problem(position, what, "name a partition for machines or services")
    elif each.address is not None and each.address not in ends:
        what = f"{each.address} of machine {machine.name} is not in partition {partition.name}"
        yield Problem(position, what, f"choose an address of {partition.range}")


def _mac_problems(documents: Documents) -> Iterator[Problem]:
    """Hardware addresses that are written twice; derived ones are compared when all are known."""
    first: dict[str, tuple[str, Position]] = {}
    for mac, who, position in _macs(documents):
        other, where = first.setdefault(mac, (who, position))
        if where != position and who != other:
            what = f"{who} has {mac}, which {other} has ({where})"
            yield Problem(position, what, "choose another hardware address")


def _macs(documents: Documents) -> Iterator[tuple[str, str, Position]]:
    """Each one that is written, who has it, and where; a host has one in several networks."""
    for network in documents.networks.values():
        for place in network.hosts:
            if place.mac is not None:
                path = ("hosts", place.name, "mac")
                position = documents.position("Network", network.name, *path)
                yield place.mac, f"host {place.name}", position
    for machine in documents.machines.values():
        for each in machine.networks:
            if each.mac is not None:
                path = ("networks", each.network, "mac")
                position = documents.position(_MACHINE, machine.name, *path)
                yield each.mac, f"machine {machine.name}", position
