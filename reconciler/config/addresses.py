"""The arithmetic of address plans: ranges, and what is free in them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, summarize_address_range

from reconciler.config.documents import AttachmentField
from reconciler.config.networks import Network, PartitionField

Ip = IPv4Address | IPv6Address
MACHINE_PURPOSES = ("machines", "services")
_SMALLEST_WITH_EDGES = 30  # the longest prefix of a network that has addresses besides its edges


@dataclass(frozen=True, slots=True, order=True)
class Range:
    """Addresses from `first` to `last`, both included."""

    first: IPv4Address
    last: IPv4Address

    def __contains__(self, address: object) -> bool:
        """Whether an address is one of them; one of IPv6 never is."""
        return isinstance(address, IPv4Address) and self.first <= address <= self.last

    @property
    def size(self) -> int:
        """How many they are."""
        return max(0, int(self.last) - int(self.first) + 1)

    def overlaps(self, other: Range) -> bool:
        """Whether an address is in both."""
        return self.first <= other.last and other.first <= self.last

    def networks(self) -> tuple[IPv4Network, ...]:
        """The same as networks."""
        return tuple(summarize_address_range(self.first, self.last))


def range_of(partition: PartitionField) -> Range:
    """All addresses of a partition.

    Raises:
        ValueError: its range is neither a network nor `first-last`.
    """
    first, dash, last = partition.range.partition("-")
    if not dash:
        network = IPv4Network(first, strict=True)
        return Range(network.network_address, network.broadcast_address)
    ends = Range(IPv4Address(first), IPv4Address(last))
    if ends.last < ends.first:
        raise ValueError(f"{partition.range}: the last address comes before the first")
    return ends


def edges(partition: PartitionField) -> frozenset[IPv4Address]:
    """The network and broadcast address of a partition that is written as a network.

    They are nobody's: what takes the partition for a network of its own would not speak to them.
    """
    if "-" in partition.range:
        return frozenset()
    network = IPv4Network(partition.range)
    if network.prefixlen > _SMALLEST_WITH_EDGES:
        return frozenset()
    return frozenset({network.network_address, network.broadcast_address})


def usable(network: Network, partition: PartitionField) -> Range:
    """The addresses of a partition that somebody may have.

    Raises:
        ValueError: its range is no range.
    """
    ends, nobodys = range_of(partition), edges(partition) | edges_of_subnet(network)
    first = ends.first + 1 if ends.first in nobodys else ends.first
    last = ends.last - 1 if ends.last in nobodys else ends.last
    return Range(first, last)


def edges_of_subnet(network: Network) -> frozenset[IPv4Address]:
    """The network and broadcast address of a network."""
    return frozenset({network.subnet.network_address, network.subnet.broadcast_address})


def lowest_free(among: Range, taken: Collection[Ip]) -> IPv4Address | None:
    """The first address that is not taken, None if there is none. Give `taken` as a set."""
    address = among.first
    while address in among:
        if address not in taken:
            return address
        if address == among.last:
            break
        address += 1
    return None


def partition_at(network: Network, address: Ip) -> PartitionField | None:
    """The partition that an address is in, None if it is in none."""
    for partition, ends in ranges(network):
        if address in ends:
            return partition
    return None


def ranges(network: Network) -> Iterator[tuple[PartitionField, Range]]:
    """Each partition whose range is one, with it."""
    for partition in network.partitions:
        try:
            yield partition, range_of(partition)
        except ValueError:
            continue


def source_of(network: Network, attachment: AttachmentField) -> PartitionField | None:
    """The partition that a machine's address is to come from.

    None if the network has no plan for machines, or the machine is told its address by DHCP.
    """
    if attachment.partition is not None:
        named = (each for each in network.partitions if each.name == attachment.partition)
        chosen = next(named, None)
        return chosen if chosen and chosen.purpose in MACHINE_PURPOSES else None
    by_purpose = {each.purpose: each for each in reversed(network.partitions)}
    if "machines" in by_purpose:
        return by_purpose["machines"]
    return None if "dynamic" in by_purpose else by_purpose.get("services")


def source_of_hosts(network: Network) -> PartitionField | None:
    """The partition that the addresses of hosts come from, if there is one."""
    return next((each for each in network.partitions if each.purpose == "hosts"), None)


def pools(network: Network) -> tuple[Range, ...]:
    """What is given to whoever asks by DHCP: the dynamic partitions."""
    dynamic = (each for each in network.partitions if each.purpose == "dynamic")
    return tuple(usable(network, each) for each in dynamic)
