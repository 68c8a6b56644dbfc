"""Which networks an environment makes on which hosts, and what of a host must be there before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from reconciler.config.documents import Host
from reconciler.config.networks import Network, NetworkHostField
from reconciler.config.repository import Documents
from reconciler.model.address import Address


@dataclass(frozen=True, slots=True)
class Made:
    """A network that the environment makes on a host. `place` is what it says of that host."""

    network: Network
    host: Host
    place: NetworkHostField


def is_made_here(documents: Documents, network: Network) -> bool:
    """Whether the environment makes this network where it is made; another may."""
    return network.environment in {None, documents.environment}


def networks_made(documents: Documents) -> Iterator[Made]:
    """Every network on every host, as far as this environment makes it."""
    for network in documents.networks.values():
        if is_made_here(documents, network):
            for place in network.hosts:
                if host := documents.hosts.get(place.name):
                    yield Made(network, host, place)


def may_adopt(documents: Documents, host: Host) -> bool:
    """Whether what is there already, and nobody's that we know, becomes ours: its owner may say so.

    On a host of another environment it is the owner's, whose documents just do not tell of it.
    """
    return host.environment == documents.environment


def declared(
    host: Host, *, packages: Iterable[str] = (), services: Iterable[str] = ()
) -> tuple[Address, ...]:
    """Of these the ones that the host's document asks for: what needs them comes after them."""
    there = {each.name for each in host.packages if each.state == "present"}
    run = {each.name for each in host.services}
    return (
        *(Address("package", name, host.name) for name in packages if name in there),
        *(Address("service", name, host.name) for name in services if name in run),
    )
