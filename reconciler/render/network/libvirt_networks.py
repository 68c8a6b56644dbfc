"""Networks of libvirt's own become a network on each host, and reservations for the machines there.

A host that is the router, or whose network names a router and gives the host no address of its own,
translates addresses for its machines; else they reach the host and each other, and nobody else.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from ipaddress import IPv4Address
from typing import Any

from reconciler.config.addresses import usable
from reconciler.config.documents import AttachmentField, Host, VirtualMachine
from reconciler.config.networks import DhcpField, Network
from reconciler.config.repository import Documents
from reconciler.kinds.network.libvirt_network import LibvirtNetworkSpec
from reconciler.kinds.network.libvirt_reservations import (
    LibvirtReservationsSpec,
    reservations_name,
)
from reconciler.model.address import Address
from reconciler.model.position import Position
from reconciler.model.resource import Desired
from reconciler.ports.libvirt_networks import reserved_name
from reconciler.ports.network_facts import Reservation, Route
from reconciler.render.identity import mac_of, machine_identity, network_uuid
from reconciler.render.network.made import Made, declared, may_adopt, networks_made

PACKAGES = ("libvirt-daemon-system", "dnsmasq-base")
SERVICES = ("libvirtd",)
SWITCH = "libvirt"
_OF_NETWORK = {
    "router": "gateway",
    "nameservers": "nameservers",
    "mtu": "mtu",
    "ranges": "partitions",
}
_OF_DHCP = {"lease_seconds": "lease", "domain": "domain", "routes": "routes"}
_OF_DHCP |= {name: name for name in ("boot_file", "boot_server")}


def libvirt_networks(documents: Documents) -> Iterator[Desired[Any]]:
    """The networks of libvirt's own that the environment makes."""
    for made in networks_made(documents):
        if made.network.switch == SWITCH:
            yield Desired(
                Address("libvirt_network", made.network.bridge, made.host.name),
                _network(documents, made),
                position=documents.position("Network", made.network.name, "hosts", made.host.name),
                adopts=may_adopt(documents, made.host),
                locate=partial(_position, documents, made),
            )


def libvirt_reservations(documents: Documents) -> Iterator[Desired[Any]]:
    """The addresses of the environment's machines in such networks, whoever makes these."""
    for network in documents.networks.values():
        entries = tuple(_entries(documents, network)) if network.switch == SWITCH else ()
        hosts = (documents.hosts.get(place.name) for place in network.hosts)
        for host in hosts if network.dhcp and entries else ():
            if host and _may_use(documents, host):
                environment = documents.environment
                yield Desired(
                    Address(
                        "libvirt_reservations",
                        reservations_name(network.bridge, environment),
                        host.name,
                    ),
                    LibvirtReservationsSpec(
                        host.name,
                        network.bridge,
                        environment,
                        entries,
                        after=(Address("libvirt_network", network.bridge, host.name),),
                    ),
                    position=documents.position("Network", network.name, "dhcp"),
                    adopts=True,
                    locate=partial(_position_of_entry, documents, network),
                )


def _network(documents: Documents, made: Made) -> LibvirtNetworkSpec:
    network, host = made.network, made.host
    own = made.place.address or network.gateway
    is_router = own is not None and own == network.gateway
    dhcp = network.dhcp if own is not None else None
    return LibvirtNetworkSpec(
        host=host.name,
        name=network.bridge,
        forward="nat" if is_router else "none",
        address=f"{own}/{network.subnet.prefixlen}" if own else "",
        ranges=_ranges(network) if dhcp else (),
        router="" if is_router or not dhcp else str(network.gateway or ""),
        nameservers=_nameservers(network) if dhcp else (),
        mtu=network.mtu,
        uuid=network_uuid(host.name, network.bridge),
        after=declared(host, packages=PACKAGES, services=SERVICES),
        **(_told(documents, dhcp) if dhcp else {}),
    )


def _nameservers(network: Network) -> tuple[str, ...]:
    """Those that DHCP can tell of."""
    return tuple(str(each) for each in network.nameservers if isinstance(each, IPv4Address))


def _told(documents: Documents, dhcp: DhcpField) -> dict[str, Any]:
    return {
        "lease_seconds": int(dhcp.lease.total_seconds()),
        "domain": dhcp.domain or documents.policy.domain,
        "routes": tuple(Route(str(each.to), str(each.via)) for each in dhcp.routes),
        "boot_file": dhcp.boot_file or "",
        "boot_server": str(dhcp.boot_server or ""),
    }


def _ranges(network: Network) -> tuple[str, ...]:
    """What is dynamic; sorted as text, as what is seen."""
    dynamic = (each for each in network.partitions if each.purpose == "dynamic")
    ends = (usable(network, each) for each in dynamic)
    return tuple(sorted(f"{each.first}-{each.last}" for each in ends if each.size))


def _entries(documents: Documents, network: Network) -> Iterator[Reservation]:
    found = (
        _reservation(documents, machine, each)
        for machine in documents.machines.values()
        for each in machine.networks
        if each.network == network.name and isinstance(each.address, IPv4Address)
    )
    yield from sorted(found)


def _reservation(
    documents: Documents, machine: VirtualMachine, attachment: AttachmentField
) -> Reservation:
    return Reservation(
        mac_of(documents.environment, machine, attachment),
        str(attachment.address),
        reserved_name(documents.environment, machine_identity(machine)),
    )


def _may_use(documents: Documents, host: Host) -> bool:
    return documents.environment in {host.environment, *host.share}


def _position(documents: Documents, made: Made, path: str) -> Position:
    """Where the value behind a field of a network's spec was written."""
    network, field = made.network.name, path.partition(".")[0]
    if field in _OF_DHCP:
        return documents.position("Network", network, "dhcp", _OF_DHCP[field])
    if field in _OF_NETWORK:
        return documents.position("Network", network, _OF_NETWORK[field])
    return documents.position("Network", network, "hosts", made.host.name)


def _position_of_entry(documents: Documents, network: Network, path: str) -> Position:
    """Where the machine's address was written."""
    field, _, entry = path.partition(".")
    called = entry.partition(".")[0]
    for machine in documents.machines.values() if field == "entries" else ():
        if reserved_name(documents.environment, machine_identity(machine)) == called:
            return documents.position("VirtualMachine", machine.name, "networks", network.name)
    return documents.position("Network", network.name, "dhcp")
