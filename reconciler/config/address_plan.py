"""The plan of a network as it stands: who has what in each partition, and what is free."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Address, IPv4Network

from reconciler.config.addresses import Ip, Range, lowest_free, range_of, usable
from reconciler.config.networks import Network, PartitionField
from reconciler.config.owners import Owner, owners, spoken_of
from reconciler.config.repository import Documents


@dataclass(frozen=True, slots=True)
class Claimed:
    """An address with who has it in which environments."""

    owner: Owner
    environments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PartitionUse:
    """What there is of a partition. `free` are those that `allocate` may give, or DHCP does.

    `all` are its addresses, `usable` those that somebody may have. `kept` belong to nobody
    declared, but something speaks of them.
    """

    name: str
    purpose: str
    all: Range
    usable: Range
    claimed: tuple[Claimed, ...]
    quarantined: tuple[IPv4Address, ...]
    kept: tuple[IPv4Address, ...]
    free: int
    next_free: IPv4Address | None


@dataclass(frozen=True, slots=True)
class AddressPlan:
    """A network with its partitions, and who has an address of it outside of all partitions."""

    network: str
    environments: tuple[str, ...]
    subnet: IPv4Network
    gateway: Ip | None
    partitions: tuple[PartitionUse, ...]
    elsewhere: tuple[Claimed, ...]


@dataclass(frozen=True, slots=True)
class Taken:
    """Addresses that nobody is given: used, in quarantine until a time, or spoken of."""

    used: frozenset[Ip]
    quarantined: Mapping[IPv4Address, datetime]
    kept: frozenset[Ip]

    def all(self) -> frozenset[Ip]:
        """All of them."""
        return self.used | self.kept | self.quarantined.keys()


def taken(
    documents: Iterable[Documents],
    given_up: Mapping[IPv4Address, datetime],
    now: datetime,
    others: Iterable[Ip] = (),
) -> Taken:
    """What nobody may be given, by documents of all environments and by their history.

    `given_up` tells when an address was given up, `others` are used besides.
    """
    every = tuple(documents)
    used = frozenset(owner.address for each in every for owner in owners(each)) | frozenset(others)
    networks = [network for each in every for network in each.networks.values()]
    quarantined: dict[IPv4Address, datetime] = {}
    for address, when in given_up.items():
        longest = [each.quarantine for each in networks if address in each.subnet]
        if address not in used and longest and when + max(longest) > now:
            quarantined[address] = when + max(longest)
    return Taken(
        used, quarantined, frozenset(ip for each in every for ip in spoken_of(each)) - used
    )


def address_plans(documents: Sequence[Documents], reserved: Taken) -> tuple[AddressPlan, ...]:
    """The plan of each network, by name; one that several environments have alike is there once."""
    known: dict[tuple[str, IPv4Network, tuple[PartitionField, ...]], list[str]] = {}
    sample: dict[tuple[str, IPv4Network, tuple[PartitionField, ...]], Network] = {}
    for each in documents:
        for network in each.networks.values():
            key = (network.name, network.subnet, network.partitions)
            known.setdefault(key, []).append(each.environment)
            sample.setdefault(key, network)
    claimed = _claimed(documents)
    return tuple(
        _plan(sample[key], tuple(known[key]), claimed, reserved)
        for key in sorted(known, key=lambda key: (key[0], key[1], known[key]))
    )


def partition_use(
    network: Network, partition: PartitionField, claimed: Iterable[Claimed], reserved: Taken
) -> PartitionUse:
    """What there is of one partition.

    Raises:
        ValueError: its range is no range.
    """
    ends, able = range_of(partition), usable(network, partition)
    held = tuple(each for each in claimed if each.owner.address in ends)
    quarantined = tuple(sorted(ip for ip in reserved.quarantined if ip in able))
    kept = tuple(sorted(IPv4Address(ip) for ip in reserved.kept if ip in able))
    nobodys = {each.owner.address for each in held if each.owner.address in able}
    nobodys |= {ip for ip in reserved.used if ip in able} | {*quarantined, *kept}
    return PartitionUse(
        partition.name,
        partition.purpose,
        ends,
        able,
        held,
        quarantined,
        kept,
        able.size - len(nobodys),
        lowest_free(able, nobodys),
    )


def _plan(
    network: Network, environments: tuple[str, ...], claimed: Iterable[Claimed], reserved: Taken
) -> AddressPlan:
    inside = [each for each in claimed if each.owner.address in network.subnet]
    uses = tuple(partition_use(network, each, inside, reserved) for each in network.partitions)
    placed = {each.owner.address for use in uses for each in use.claimed}
    elsewhere = tuple(each for each in inside if each.owner.address not in placed)
    gateway = network.gateway
    return AddressPlan(network.name, environments, network.subnet, gateway, uses, elsewhere)


def _claimed(documents: Sequence[Documents]) -> tuple[Claimed, ...]:
    """Every owner of an IPv4 address, by address; one of several environments is there once."""
    known: dict[tuple[int, str, str], tuple[Owner, list[str]]] = {}
    for each in documents:
        for owner in owners(each):
            if isinstance(owner.address, IPv4Address):
                key = (int(owner.address), owner.sort, owner.name)
                first, environments = known.setdefault(key, (owner, []))
                if each.environment not in environments:
                    environments.append(each.environment)
                if owner.network and not first.network:
                    known[key] = (owner, environments)
    return tuple(Claimed(owner, tuple(names)) for _, (owner, names) in sorted(known.items()))
