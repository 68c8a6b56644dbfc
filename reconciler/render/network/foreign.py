"""What an environment may not have of networks that others make: leased addresses, other names.

Whose network it is says on its own branch which addresses its servers give to whoever asks. What
another branch says of it is not asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from reconciler.config.addresses import ranges
from reconciler.config.networks import Network, PartitionField
from reconciler.config.owners import GATEWAY, Owner, owners
from reconciler.config.repository import Documents
from reconciler.model.position import Problem
from reconciler.render.network.made import is_made_here


def foreign_problems(documents: Documents, others: Mapping[str, Documents]) -> Iterator[Problem]:
    """What the environment would take of networks that others make."""
    branches = [others[environment] for environment in sorted(others)]
    for branch in branches:
        yield from _leased(documents, branch)
    yield from _renamed(documents, others)


def _leased(documents: Documents, branch: Documents) -> Iterator[Problem]:
    """Addresses that the servers of another environment may have given to somebody."""
    given = [
        (network, partition, ends)
        for network in branch.networks.values()
        if network.dhcp is not None and is_made_here(branch, network)
        for partition, ends in ranges(network)
        if partition.purpose == "dynamic"
    ]
    for owner in owners(documents):
        for network, partition, ends in given:
            if owner.address in ends and _is_ours(documents, owner):
                yield _lease(owner, network, partition, branch)


def _is_ours(documents: Documents, owner: Owner) -> bool:
    """Whether the address is one that this environment gives to somebody."""
    network = documents.networks.get(owner.network)
    is_made = network is not None and is_made_here(documents, network)
    return owner.sort != GATEWAY and (owner.sort != "host" or is_made)


def _lease(owner: Owner, network: Network, partition: PartitionField, branch: Documents) -> Problem:
    where = branch.position("Network", network.name, "partitions", partition.name)
    what = (
        f"{owner.address} of {owner.what} is in dynamic partition {partition.name} of network "
        f"{network.name} of {branch.environment} ({where}), which DHCP gives out"
    )
    return Problem(owner.position, what, "choose another address")


def _renamed(documents: Documents, others: Mapping[str, Documents]) -> Iterator[Problem]:
    """Networks that are somebody's here, who calls what has the subnet otherwise.

    One that he does not have yet may be on its way to him: until then nobody serves it.
    """
    for network in documents.networks.values():
        branch = others.get(network.environment or "")
        if branch is None or network.name in branch.networks:
            continue
        for theirs in branch.networks.values():
            if is_made_here(branch, theirs) and theirs.subnet.overlaps(network.subnet):
                where = branch.position("Network", theirs.name)
                what = (
                    f"network {network.name} is {branch.environment}'s here, where its subnet is "
                    f"that of network {theirs.name} ({where})"
                )
                position = documents.position("Network", network.name, "subnet")
                yield Problem(position, what, "call it by that name")
