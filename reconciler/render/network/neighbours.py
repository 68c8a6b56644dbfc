"""What environments owe each other on a host that they share: its own interfaces are its owner's.

A guest environment makes networks of its own there. What would change the owner's network, or lead
its packets elsewhere, is refused before anything moves.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Network
from typing import Any

from reconciler.config.networks import Network
from reconciler.config.repository import Documents
from reconciler.kinds.network.dhcp import SubnetSpec
from reconciler.kinds.network.link import LinkSpec
from reconciler.kinds.network.switch import SwitchSpec
from reconciler.kinds.network.tunnel import TunnelSpec
from reconciler.model.position import Problem
from reconciler.render.network.made import Made, is_made_here, networks_made


def taken_on_host(spec: Any) -> Iterator[str]:
    """What a resource of a network takes for itself on its host, besides its name."""
    match spec:
        case LinkSpec() | SwitchSpec():
            yield from (f"port {port} of host {spec.host}" for port in spec.ports)
        case TunnelSpec():
            for end in spec.ports:
                yield f"interface {end.name} of host {spec.host}"
                key = f" with key {end.tunnel_key}" if end.tunnel_key else ""
                yield f"{end.type} tunnel{key} from host {spec.host} to {end.remote}"
        case SubnetSpec():
            yield f"DHCP subnet {spec.subnet} of host {spec.host}"
        case _:
            return


def neighbour_problems(documents: Documents, others: Mapping[str, Documents]) -> Iterator[Problem]:
    """Networks on hosts of other environments that these would suffer from."""
    for made in networks_made(documents):
        if made.host.environment != documents.environment:
            yield from _guest_problems(documents, made, others)


def _guest_problems(
    documents: Documents, made: Made, others: Mapping[str, Documents]
) -> Iterator[Problem]:
    network, host, owner = made.network, made.host, made.host.environment
    at = documents.position("Network", network.name, "hosts", host.name)
    branch = others.get(owner, documents)
    if documents.environment not in branch.hosts.get(host.name, host).share:
        what = f"{_here(made)} would be made there, and {owner} does not share the host"
        yield Problem(at, what, f"share it on the branch of {owner} first, or leave it out")
        return
    for key, what in _beyond(made):
        position = documents.position("Network", network.name, *key)
        remedy = f"leave out `{key[-1]}`, or let {owner} make the network"
        yield Problem(position, f"{_here(made)} {what}", remedy)
    for environment in sorted(others):
        yield from _meeting(documents, made, others[environment])


def _here(made: Made) -> str:
    host = made.host
    return f"network {made.network.name} on host {host.name}, which is {host.environment}'s,"


def _beyond(made: Made) -> Iterator[tuple[tuple[str, ...], str]]:
    """What only the owner of a host says of it, and where it is said here."""
    network, place = made.network, made.place
    if place.ports:
        key = ("hosts", made.host.name, "ports")
        yield key, f"would plug in {', '.join(place.ports)}"
    if network.routes:
        yield ("routes",), "would change where the host's packets go"
    if network.tunnel and network.tunnel.ipsec:
        yield ("tunnel", "ipsec"), "would set the host's certificate"


def _meeting(documents: Documents, made: Made, branch: Documents) -> Iterator[Problem]:
    """What of another environment the network would get in the way of.

    Without an address of its own there, the host looks for nobody in the network.
    """
    network, theirs, here = made.network, branch.environment, _here(made)
    has_address = made.place.address is not None
    subnet = documents.position("Network", network.name, "subnet")
    told: list[IPv4Network] = []
    for other in _networks_at(branch, made.host.name):
        place = branch.position("Network", other.name, "subnet")
        if has_address and other.subnet.overlaps(network.subnet):
            what = f"{here} overlaps network {other.name} of {theirs} ({place})"
            told.append(other.subnet)
            yield Problem(subnet, what, "choose another subnet")
        if other.bridge == network.bridge:
            position = documents.position("Network", network.name, "bridge")
            what = f"{here} would use {other.bridge}, as network {other.name} of {theirs} ({place})"
            yield Problem(position, what, "choose another name")
    for host in branch.hosts.values():
        is_met = has_address and host.environment == theirs and host.address in network.subnet
        if is_met and not any(host.address in each for each in told):
            where = branch.position("Host", host.name, "address")
            what = f"{here} holds the address of host {host.name} ({where})"
            yield Problem(subnet, what, "choose another subnet")


def _networks_at(branch: Documents, host: str) -> Iterator[Network]:
    """The networks of an environment that are on a host, or may be: nobody makes them."""
    for network in branch.networks.values():
        is_there = not network.hosts or any(each.name == host for each in network.hosts)
        if is_there and is_made_here(branch, network):
            yield network
