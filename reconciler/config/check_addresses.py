"""The address plan of one environment: every address has one owner, and stands where it may."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, summarize_address_range
from itertools import combinations

from reconciler.config.networks import Network, PartitionField
from reconciler.config.repository import Documents
from reconciler.model.position import Position, Problem

MACHINE_PURPOSES = frozenset({"machines", "services"})


@dataclass(frozen=True, slots=True)
class _Owner:
    what: str
    position: Position


def address_problems(documents: Documents) -> Iterator[Problem]:
    """Everything that is wrong with networks, partitions and addresses."""
    for network in documents.networks.values():
        yield from _partition_problems(documents, network)
        yield from _gateway_problems(documents, network)
    for one, other in combinations(documents.networks.values(), 2):
        if one.subnet.overlaps(other.subnet):
            what = f"networks {one.name} and {other.name} overlap: {one.subnet}, {other.subnet}"
            position = documents.position("Network", other.name, "subnet")
            yield Problem(position, what, f"the other is at {_network(documents, one)}")
    yield from _machine_problems(documents)
    yield from _double_owners(documents)
    yield from _mac_problems(documents)


def partition_networks(partition: PartitionField) -> tuple[IPv4Network, ...]:
    """A partition's range as networks.

    Raises:
        ValueError: it is neither a network nor `first-last`.
    """
    first, dash, last = partition.range.partition("-")
    if not dash:
        return (IPv4Network(first, strict=True),)
    return tuple(summarize_address_range(IPv4Address(first), IPv4Address(last)))


def _ranges(network: Network) -> dict[str, tuple[IPv4Network, ...]]:
    ranges = {}
    for partition in network.partitions:
        try:
            ranges[partition.name] = partition_networks(partition)
        except ValueError:
            continue
    return ranges


def _partition_problems(documents: Documents, network: Network) -> Iterator[Problem]:
    ranges = _ranges(network)
    for partition in network.partitions:
        position = documents.position("Network", network.name, "partitions", partition.name)
        if partition.name not in ranges:
            what = f"{partition.range} is no range of addresses"
            yield Problem(position, what, "write a network or first-last")
        elif not all(part.subnet_of(network.subnet) for part in ranges[partition.name]):
            what = f"partition {partition.name} is not inside {network.subnet}"
            yield Problem(position, what, "choose a range of the subnet")
    for (one, first), (other, second) in combinations(ranges.items(), 2):
        if any(a.overlaps(b) for a in first for b in second):
            position = documents.position("Network", network.name, "partitions", other)
            yield Problem(position, f"partitions {one} and {other} overlap", "cut one of them")


def _gateway_problems(documents: Documents, network: Network) -> Iterator[Problem]:
    if network.gateway is not None and network.gateway not in network.subnet:
        position = documents.position("Network", network.name, "gateway")
        what = f"gateway {network.gateway} is not inside {network.subnet}"
        yield Problem(position, what, "choose an address of the subnet")


def _machine_problems(documents: Documents) -> Iterator[Problem]:
    taken = {name: _taken(network) for name, network in documents.networks.items()}
    for machine in documents.machines.values():
        for each in machine.networks:
            network = documents.networks.get(each.network)
            if each.address is not None and network is not None:
                path = ("networks", each.network, "address")
                position = documents.position("VirtualMachine", machine.name, *path)
                yield from _placement_problems(network, taken[each.network], each.address, position)


def _taken(network: Network) -> tuple[tuple[PartitionField, tuple[IPv4Network, ...]], ...]:
    """The partitions that are not for machines, with their addresses."""
    ranges = _ranges(network)
    return tuple(
        (partition, ranges.get(partition.name, ()))
        for partition in network.partitions
        if partition.purpose not in MACHINE_PURPOSES
    )


def _placement_problems(
    network: Network,
    taken: Iterable[tuple[PartitionField, tuple[IPv4Network, ...]]],
    address: IPv4Address | IPv6Address,
    position: Position,
) -> Iterator[Problem]:
    if address not in network.subnet:
        what = f"{address} is not inside network {network.name} ({network.subnet})"
        yield Problem(position, what, "choose an address of the network")
        return
    if address in {network.subnet.network_address, network.subnet.broadcast_address}:
        what = f"{address} is the network or broadcast address of {network.name}"
        yield Problem(position, what, "choose another")
    for partition, ranges in taken:
        if any(address in part for part in ranges):
            what = f"{address} is in partition {partition.name}, which is for {partition.purpose}"
            yield Problem(position, what, "choose an address for machines or services")


def _double_owners(documents: Documents) -> Iterator[Problem]:
    owners: dict[IPv4Address | IPv6Address, _Owner] = {}
    for address, owner in _owners(documents):
        if address in owners:
            other = owners[address]
            what = f"{owner.what} has {address}, which {other.what} has ({other.position})"
            yield Problem(owner.position, what, "choose another address for one of them")
        else:
            owners[address] = owner


def _owners(documents: Documents) -> Iterator[tuple[IPv4Address | IPv6Address, _Owner]]:
    for network in documents.networks.values():
        if network.gateway is not None:
            position = documents.position("Network", network.name, "gateway")
            yield network.gateway, _Owner(f"the gateway of network {network.name}", position)
    for host in documents.hosts.values():
        position = documents.position("Host", host.name, "address")
        yield host.address, _Owner(f"host {host.name}", position)
    for machine in documents.machines.values():
        for each in machine.networks:
            if each.address is not None:
                path = ("networks", each.network, "address")
                position = documents.position("VirtualMachine", machine.name, *path)
                yield each.address, _Owner(f"machine {machine.name}", position)


def _mac_problems(documents: Documents) -> Iterator[Problem]:
    owners: dict[str, str] = {}
    for machine in documents.machines.values():
        for each in machine.networks:
            if each.mac is not None and each.mac in owners:
                path = ("networks", each.network, "mac")
                position = documents.position("VirtualMachine", machine.name, *path)
                what = f"machine {machine.name} has {each.mac}, which {owners[each.mac]} has"
                yield Problem(position, what, "choose another hardware address")
            elif each.mac is not None:
                owners[each.mac] = f"machine {machine.name}"


def _network(documents: Documents, network: Network) -> Position:
    return documents.position("Network", network.name, "subnet")
