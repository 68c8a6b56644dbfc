"""Who has which address: gateways, hosts and machines, each with where it is written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address

from reconciler.config.addresses import Ip
from reconciler.config.documents import Host
from reconciler.config.networks import Network
from reconciler.config.repository import Documents
from reconciler.model.position import Position

GATEWAY, HOST, MACHINE = "gateway", "host", "machine"
ROUTER = "the gateway of network "


@dataclass(frozen=True, slots=True)
class Owner:
    """Who has an address. `network` is empty for a host's own address."""

    address: Ip
    sort: str
    name: str
    position: Position
    network: str = ""

    @property
    def what(self) -> str:
        """Who it is, in words."""
        return f"{ROUTER}{self.name}" if self.sort == GATEWAY else self.called

    @property
    def called(self) -> str:
        """Who it is, as tables name it."""
        return f"{self.sort} {self.name}"


def owners(documents: Documents) -> Iterator[Owner]:
    """Everybody who has an address in the documents of an environment.

    A host whose address is the gateway's is the router, and the gateway then nobody else. A host
    that is one of the machines has what the machine has.
    """
    for network in documents.networks.values():
        yield from _of_network(documents, network)
    for host in documents.hosts.values():
        if is_machine(documents, host):
            continue
        yield Owner(host.address, HOST, host.name, documents.position("Host", host.name, "address"))
    for machine in documents.machines.values():
        for each in machine.networks:
            if each.address is not None:
                path = ("networks", each.network, "address")
                position = documents.position("VirtualMachine", machine.name, *path)
                yield Owner(each.address, MACHINE, machine.name, position, each.network)


def is_machine(documents: Documents, host: Host) -> bool:
    """Whether a host is one of the virtual machines: of its name, and with its address."""
    machine = documents.machines.get(host.name)
    given = {each.address for each in machine.networks} if machine else set()
    return not host.guests and host.address in given


def _of_network(documents: Documents, network: Network) -> Iterator[Owner]:
    routers = {place.address for place in network.hosts}
    if network.gateway is not None and network.gateway not in routers:
        position = documents.position("Network", network.name, "gateway")
        yield Owner(network.gateway, GATEWAY, network.name, position, network.name)
    for place in network.hosts:
        if place.address is not None:
            path = ("hosts", place.name, "address")
            position = documents.position("Network", network.name, *path)
            yield Owner(place.address, HOST, place.name, position, network.name)


def spoken_of(documents: Documents) -> Iterator[Ip]:
    """Addresses that belong to something nobody declared: servers, routers, names of a zone.

    They may be had by somebody who is declared, too; they are only never given to anybody.
    """
    for network in documents.networks.values():
        yield from network.nameservers
        yield from (route.via for route in network.routes if route.via is not None)
        if network.dhcp is not None:
            yield from (route.via for route in network.dhcp.routes)
            yield from filter(None, (network.dhcp.boot_server,))
    for zone in documents.zones.values():
        for record in zone.records:
            if record.type == "A":
                yield from map(IPv4Address, record.values)
