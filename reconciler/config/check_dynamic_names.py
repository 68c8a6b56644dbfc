"""What networks must not say of the zone in which their clients get names from DHCP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from reconciler.config.documents import Host
from reconciler.config.names import Names, unknown
from reconciler.config.nameserver import Nameserver, key_name
from reconciler.config.networks import Network
from reconciler.config.repository import Documents
from reconciler.config.zones import Zone
from reconciler.model.position import Position, Problem

D2_FILE = "/etc/kea/kea-dhcp-ddns.conf"
At = Callable[..., Position]


def dynamic_name_problems(documents: Documents, names: Names) -> Iterator[Problem]:
    """Everything that is wrong with the names of clients."""
    for network in documents.networks.values():
        called = network.dhcp.names if network.dhcp else None
        if called is None:
            continue
        position = documents.position("Network", network.name, "dhcp", "names")
        if network.switch == "libvirt":
            what = f"network {network.name} is of libvirt, whose DHCP server tells nobody of names"
            yield Problem(position, what, "remove `names:`")
        zone = documents.zones.get(called)
        if zone is not None:
            yield from _zone_problems(documents, zone, position, names)
        elif names.lack("Zone", called):
            yield unknown(position, "zone", called, names.of("Zone"))
        if network.environment in {None, documents.environment}:
            yield from _host_problems(documents, network, position)
    yield from _keys(documents)


def _zone_problems(
    documents: Documents, zone: Zone, position: Position, names: Names
) -> Iterator[Problem]:
    where = documents.position("Zone", zone.name)
    if zone.updated_by != "dhcp":
        what = f"zone {zone.name} is not updated by DHCP: clients would get its managed names"
        remedy = f"name a zone below it with `updated_by: dhcp`, and no other names ({where})"
        yield Problem(position, what, remedy)
    server = documents.nameservers.get(zone.server)
    if server is None:
        if names.lack("Nameserver", zone.server):
            what = f"nothing tells where zone {zone.name} is updated ({where})"
            yield Problem(position, what, f"write a Nameserver document {zone.server}")
        return
    there = documents.position("Nameserver", server.name)
    if server.software != "bind":
        what = f"name server {server.name} takes no updates: it is {server.software} ({there})"
        yield Problem(position, what, "choose a zone of one with `software: bind`")
    elif server.keys.dhcp is None:
        what = f"name server {server.name} has no key for DHCP servers ({there})"
        yield Problem(position, what, "write `keys: {dhcp: secret://…}` there")


def _host_problems(documents: Documents, network: Network, position: Position) -> Iterator[Problem]:
    for name in network.dhcp.servers if network.dhcp else ():
        host = documents.hosts.get(name)
        if host is None:
            continue
        if host.environment != documents.environment:
            what = (
                f"host {name} is to send names of clients of network {network.name}, and is of "
                f"environment {host.environment}"
            )
            yield Problem(position, what, f"serve it on hosts of {documents.environment}")
        elif any(file.path == D2_FILE for file in host.files):
            what = f"{D2_FILE} of host {name} is written for network {network.name}"
            where = documents.position("Host", name, "files", D2_FILE)
            yield Problem(where, what, f"remove it, or `names:` of the network ({position})")


def _keys(documents: Documents) -> Iterator[Problem]:
    """A DHCP server has one key of each name."""
    first: dict[tuple[str, str], Nameserver] = {}
    for network, host in _sending(documents):
        zone = documents.zones.get((network.dhcp and network.dhcp.names) or "")
        server = documents.nameservers.get(zone.server) if zone else None
        if zone is None or server is None:
            continue
        other = first.setdefault((host.name, key_name("dhcp", zone.view)), server)
        if other.keys.dhcp != server.keys.dhcp or other.keys.algorithm != server.keys.algorithm:
            at = partial(documents.position, "Nameserver")
            what = (
                f"host {host.name} would send names to {other.name} and {server.name} with two "
                f"keys of one name ({at(other.name, 'keys')}, {at(server.name, 'keys')})"
            )
            position = documents.position("Network", network.name, "dhcp", "names")
            yield Problem(position, what, "give both the same key for DHCP")


def _sending(documents: Documents) -> Iterator[tuple[Network, Host]]:
    for network in documents.networks.values():
        for name in network.dhcp.servers if network.dhcp and network.dhcp.names else ():
            if host := documents.hosts.get(name):
                yield network, host
