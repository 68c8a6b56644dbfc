"""Networks with DHCP become subnets of Kea on their servers, and reservations for machines.

The subnet is made by the environment that makes the network; each environment reserves for its
own machines. Servers know nothing of each other's leases, so each gives from a part of the pools;
what is reserved all of them give.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from ipaddress import IPv4Address
from typing import Any

from reconciler.config.addresses import Range, pools
from reconciler.config.documents import AttachmentField, Host, VirtualMachine
from reconciler.config.networks import DhcpField, Network
from reconciler.config.overlays import mtu_of
from reconciler.config.repository import Documents
from reconciler.kinds.base.kind import name_of
from reconciler.kinds.network.dhcp import (
    ReservationsSpec,
    SubnetSpec,
    reservations_address,
    subnet_address,
)
from reconciler.model.address import Address
from reconciler.model.position import Position
from reconciler.model.resource import Desired
from reconciler.ports.network_facts import DhcpOption, Reservation
from reconciler.render.identity import machine_mac
from reconciler.render.network.dynamic_names import names_address
from reconciler.render.network.made import declared, is_made_here, may_adopt

KEA = ("kea-dhcp4-server",)
ROUTES = "classless-static-route"
_SWITCHES = {"linux": "bridge", "openvswitch": "switch"}
# Fields of specs, by the part of the document that decides them.
_WRITTEN: dict[str, tuple[str, ...]] = {
    "boot_file": ("dhcp", "boot_file"),
    "interface": ("bridge",),
    "lease_seconds": ("dhcp", "lease"),
    "names": ("dhcp", "names"),
    "next_server": ("dhcp", "boot_server"),
    "options.domain-name": ("dhcp", "domain"),
    "options.domain-search": ("dhcp", "domain"),
    "options.domain-name-servers": ("nameservers",),
    "options.interface-mtu": ("mtu",),
    "options.routers": ("gateway",),
    f"options.{ROUTES}": ("dhcp", "routes"),
    "pools": ("partitions",),
    "subnet": ("subnet",),
}


@dataclass(frozen=True, slots=True)
class _Server:
    """One of the servers of a network, and which of how many it is."""

    network: Network
    dhcp: DhcpField
    host: Host
    number: int
    count: int


def dhcp_resources(documents: Documents) -> Iterator[Desired[Any]]:
    """The subnets of the networks that the environment makes, and what it reserves anywhere."""
    for server in _servers(documents):
        if is_made_here(documents, server.network):
            yield _subnet(documents, server)
        if desired := _reservations(documents, server):
            yield desired


def servers_of(network: Network) -> tuple[str, ...]:
    """The hosts on which Kea serves a network."""
    if network.dhcp is None or network.switch not in _SWITCHES:
        return ()
    return tuple(dict.fromkeys(network.dhcp.servers))


def shares(ranges: Iterable[Range], count: int) -> tuple[tuple[Range, ...], ...]:
    """Addresses in as many parts as there are servers, as even as can be, in their order."""
    todo = list(ranges)
    total, parts = sum(each.size for each in todo), []
    for number in range(count):
        size = total // count + (number < total % count)
        part, todo = _taken(todo, size)
        parts.append(tuple(part))
    return tuple(parts)


def _taken(ranges: Sequence[Range], size: int) -> tuple[list[Range], list[Range]]:
    """The first so many addresses of some ranges, and the rest."""
    taken: list[Range] = []
    for place, each in enumerate(ranges):
        if size < each.size:
            if size:
                taken.append(Range(each.first, each.first + size - 1))
            return taken, [Range(each.first + size, each.last), *ranges[place + 1 :]]
        if each.size:
            taken.append(each)
        size -= each.size
    return taken, []


def _servers(documents: Documents) -> Iterator[_Server]:
    for network in documents.networks.values():
        names = servers_of(network)
        for number, name in enumerate(names):
            if network.dhcp is not None and (host := documents.hosts.get(name)):
                yield _Server(network, network.dhcp, host, number, len(names))


def _subnet(documents: Documents, server: _Server) -> Desired[Any]:
    network, dhcp, host = server.network, server.dhcp, server.host
    part = shares(pools(network), server.count)[server.number]
    spec = SubnetSpec(
        host.name,
        network.name,
        documents.environment,
        str(network.subnet),
        network.bridge,
        pools=tuple(f"{each.first}-{each.last}" for each in sorted(part)),
        options=tuple(sorted(_options(documents, network, dhcp))),
        lease_seconds=int(dhcp.lease.total_seconds()),
        next_server=str(dhcp.boot_server or ""),
        boot_file=dhcp.boot_file or "",
        names=_zone_of(documents, dhcp),
        after=(
            *declared(host, packages=KEA, services=KEA),
            *(names_address(documents, host) if dhcp.names else ()),
            Address(_SWITCHES[network.switch], name_of(network.bridge), host.name),
        ),
    )
    return Desired(
        subnet_address(host.name, network.name),
        spec,
        position=documents.position("Network", network.name, "dhcp"),
        adopts=may_adopt(documents, host),
        locate=partial(_position, documents, network.name),
    )


def _zone_of(documents: Documents, dhcp: DhcpField) -> str:
    """The zone in which clients get names, as DNS calls it."""
    return documents.zones[dhcp.names].zone_name if dhcp.names else ""


def _options(documents: Documents, network: Network, dhcp: DhcpField) -> Iterator[DhcpOption]:
    """What machines are told. Who is told of routes takes the way out from there alone."""
    routes = [f"{each.to} via {each.via}" for each in dhcp.routes]
    if network.gateway is not None:
        yield DhcpOption("routers", str(network.gateway))
        routes += [f"0.0.0.0/0 via {network.gateway}"] if routes else []
    if routes:
        yield DhcpOption(ROUTES, ", ".join(routes))
    if servers := [str(each) for each in network.nameservers if isinstance(each, IPv4Address)]:
        yield DhcpOption("domain-name-servers", ", ".join(servers))
    domain = str(dhcp.domain or documents.policy.domain)
    yield DhcpOption("domain-name", domain)
    yield DhcpOption("domain-search", domain)  # which else comes from Debian's sample of a file
    if mtu := mtu_of(network, documents.networks):
        yield DhcpOption("interface-mtu", str(mtu))


def _position(documents: Documents, network: str, path: str) -> Position:
    """Where the value behind a field of a subnet was written."""
    head, _, rest = path.partition(".")
    name = f"{head}.{rest.partition('.')[0]}" if head == "options" else head
    return documents.position("Network", network, *_WRITTEN.get(name, ("dhcp",)))


def _reservations(documents: Documents, server: _Server) -> Desired[Any] | None:
    """What the environment reserves on a server, if anything."""
    network, host, environment = server.network, server.host, documents.environment
    entries = tuple(sorted(_entries(documents, network)))
    if not entries:
        return None
    spec = ReservationsSpec(
        host.name,
        network.name,
        environment,
        str(network.subnet),
        entries,
        after=(
            *declared(host, packages=KEA, services=KEA),
            subnet_address(host.name, network.name),
        ),
    )
    return Desired(
        reservations_address(host.name, network.name, environment),
        spec,
        position=documents.position("Network", network.name, "dhcp"),
        adopts=True,
        locate=partial(_position_of_entry, documents, network.name),
    )


def _entries(documents: Documents, network: Network) -> Iterator[Reservation]:
    """A reservation for each machine on a network; one without an address has it from the pools.

    Hosts that ask, too, if the environment makes the network.
    """
    for place in network.hosts if is_made_here(documents, network) else ():
        if place.mac is not None and isinstance(place.address, IPv4Address):
            yield Reservation(place.mac, str(place.address), place.name)
    for machine in documents.machines.values():
        for attachment in machine.networks:
            is_here = attachment.network == network.name
            if is_here and (attachment.address is None or _is_v4(attachment)):
                mac = attachment.mac or machine_mac(
                    documents.environment, _identity(machine), network.name
                )
                yield Reservation(mac, str(attachment.address or ""), machine.name)


def _identity(machine: VirtualMachine) -> str:
    """A renamed machine keeps the addresses of its first name."""
    former: str | None = machine.renamed_from
    return former or str(machine.name)


def _is_v4(attachment: AttachmentField) -> bool:
    return isinstance(attachment.address, IPv4Address)


def _position_of_entry(documents: Documents, network: str, path: str) -> Position:
    """The address of the machine that an entry is for."""
    head, _, rest = path.partition(".")
    machine, _, field = rest.partition(".")
    if head == "entries" and any(
        each.name == machine and each.mac for each in documents.networks[network].hosts
    ):
        return documents.position("Network", network, "hosts", machine)
    if head != "entries" or machine not in documents.machines:  # or of one that has gone
        return documents.position("Network", network, "dhcp")
    item = ("mac",) if field == "mac" else ("address",) if field == "address" else ()
    return documents.position("VirtualMachine", machine, "networks", network, *item)
