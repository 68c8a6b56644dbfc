"""What networks must not say of themselves and of each other: ranges, routes, hosts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from ipaddress import IPv6Address
from itertools import combinations

from reconciler.config.addresses import edges_of_subnet, partition_at, ranges
from reconciler.config.names import Names, unknown
from reconciler.config.network_fields import NOT_OURS
from reconciler.config.networks import DhcpField, Network, RouteField
from reconciler.config.repository import Documents
from reconciler.model.position import Position, Problem
from reconciler.model.quantity import format_duration

At = Callable[..., Position]
KEA_FILE = "/etc/kea/kea-dhcp4.conf"
_BRIDGE = "the bridge "
LEAST_LEASE = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class _Use:
    """Something on a host that is called like a link, or takes one for itself."""

    host: str
    verb: str
    link: str
    called: str
    position: Position


def network_problems(documents: Documents, names: Names) -> Iterator[Problem]:
    """Everything that is wrong with networks, but for the addresses of those who are in them."""
    for network in documents.networks.values():
        at = partial(documents.position, "Network", network.name)
        yield from _partition_problems(network, at)
        yield from _gateway_problems(network, at)
        yield from _route_problems(network, at)
        yield from _host_problems(network, at, names)
        yield from _tunnel_problems(network, at)
        yield from _dhcp_problems(network, at, names)
        if network.guard_addresses and network.switch != "linux":
            what = f"network {network.name} guards addresses, and its switch is {network.switch}"
            yield Problem(at("guard_addresses"), what, "only a Linux bridge can; remove it")
    yield from _overlaps(documents)
    yield from _kea_files(documents)
    yield from _same_bridges(documents)
    yield from _same_links(documents)
    yield from _same_routes(documents)


def _overlaps(documents: Documents) -> Iterator[Problem]:
    for one, other in combinations(documents.networks.values(), 2):
        if one.subnet.overlaps(other.subnet):
            what = f"networks {one.name} and {other.name} overlap: {one.subnet}, {other.subnet}"
            where = documents.position("Network", one.name, "subnet")
            position = documents.position("Network", other.name, "subnet")
            yield Problem(position, what, f"the other is at {where}")


def _partition_problems(network: Network, at: At) -> Iterator[Problem]:
    right = dict(ranges(network))
    names = [partition.name for partition in network.partitions]
    for partition in network.partitions:
        position = at("partitions", partition.name)
        if partition not in right:
            what = f"{partition.range} is no range of addresses"
            yield Problem(position, what, "write a network or first-last")
        elif not all(part.subnet_of(network.subnet) for part in right[partition].networks()):
            what = f"partition {partition.name} is not inside {network.subnet}"
            yield Problem(position, what, f"choose a range of the subnet ({at('subnet')})")
    for name in sorted({name for name in names if names.count(name) > 1}):
        what = f"network {network.name} has {name} twice among its partitions"
        yield Problem(at("partitions", name), what, "rename one of them")
    for (one, first), (other, second) in combinations(right.items(), 2):
        if first.overlaps(second):
            what = f"partitions {one.name} and {other.name} overlap: {one.range}, {other.range}"
            remedy = f"cut one of them; the other is at {at('partitions', one.name)}"
            yield Problem(at("partitions", other.name), what, remedy)


def _gateway_problems(network: Network, at: At) -> Iterator[Problem]:
    gateway = network.gateway
    if gateway is None:
        return
    partition = partition_at(network, gateway)
    if gateway not in network.subnet:
        what = f"gateway {gateway} is not inside {network.subnet}"
        yield Problem(at("gateway"), what, "choose an address of the subnet")
    elif gateway in edges_of_subnet(network):
        what = f"gateway {gateway} is the network or broadcast address of {network.name}"
        yield Problem(at("gateway"), what, "choose another")
    elif partition is not None and partition.purpose == "dynamic":
        what = f"gateway {gateway} is in dynamic partition {partition.name}, which DHCP gives out"
        yield Problem(at("gateway"), what, f"cut it out ({at('partitions', partition.name)})")


def _route_problems(network: Network, at: At) -> Iterator[Problem]:
    seen: set[str] = set()
    for index, route in enumerate(network.routes):
        position = at("routes", str(index))
        if str(route.to) in seen:
            yield Problem(position, f"there are two routes to {route.to}", "remove one of them")
        seen.add(str(route.to))
        if route.via is not None and route.type == "blackhole":
            what = f"the route to {route.to} is a blackhole, and has a router"
            yield Problem(position, what, "remove `via:`")
        elif route.via is not None and route.via not in network.subnet:
            yield _unreachable(position, str(route.to), str(route.via), network)
    for index, told in enumerate(network.dhcp.routes if network.dhcp else ()):
        if told.via not in network.subnet:
            position = at("dhcp", "routes", str(index))
            yield _unreachable(position, str(told.to), str(told.via), network)


def _unreachable(position: Position, to: str, via: str, network: Network) -> Problem:
    what = f"the router {via} to {to} is not inside {network.subnet}"
    return Problem(position, what, "choose an address of the subnet")


def _host_problems(network: Network, at: At, names: Names) -> Iterator[Problem]:
    if network.switch != "libvirt" and network.bridge in NOT_OURS:
        what = f"the bridge {network.bridge} of network {network.name} is not ours to make"
        yield Problem(at("bridge"), what, "choose another name")
    places = [place.name for place in network.hosts]
    for place in sorted(set(places)):
        position = at("hosts", place)
        if names.lack("Host", place):
            yield unknown(position, "host", place, names.of("Host"))
        if places.count(place) > 1:
            what = f"network {network.name} has host {place} twice"
            yield Problem(position, what, "remove one of them")
    for each in network.hosts:
        if each.mac is not None and each.address is None:
            what = f"host {each.name} has a hardware address on network {network.name} and no other"
            yield Problem(at("hosts", each.name, "mac"), what, "write its address, or leave it out")


def _tunnel_problems(network: Network, at: At) -> Iterator[Problem]:
    tunnel = network.tunnel
    if tunnel is None:
        return
    if network.switch != "openvswitch":
        what = f"network {network.name} has tunnels, and its switch is {network.switch}"
        yield Problem(at("tunnel"), what, "write `switch: openvswitch`")
    if not network.hosts:
        what = f"network {network.name} has tunnels, and names no hosts to connect"
        yield Problem(at("tunnel"), what, "write its `hosts:`")
    if tunnel.type == "vxlan" and tunnel.key is None:
        what = f"the VXLAN of network {network.name} has no identifier"
        yield Problem(at("tunnel"), what, "write `key:`, the same number nowhere else")


def _dhcp_problems(network: Network, at: At, names: Names) -> Iterator[Problem]:
    if network.dhcp is None:
        return
    servers = network.dhcp.servers
    if network.switch == "libvirt" and servers:
        what = f"network {network.name} is of libvirt, whose own DHCP server serves it"
        yield Problem(at("dhcp", "servers"), what, "remove `servers:`")
    elif network.switch != "libvirt" and not servers:
        what = f"network {network.name} has DHCP, and no host serves it"
        yield Problem(at("dhcp"), what, "name hosts of the network in `servers:`")
    yield from _lease_problems(network.dhcp, at)
    places = {place.name for place in network.hosts}
    position = at("dhcp", "servers")
    for server in sorted(set(servers)):
        if servers.count(server) > 1:
            yield Problem(position, f"server {server} is there twice", "remove one of them")
        if names.lack("Host", server):
            yield unknown(position, "host", server, names.of("Host"))
        elif server not in places:
            what = f"host {server} is to serve network {network.name}, and does not have it"
            yield Problem(position, what, "add it to the network's `hosts:`")


def _lease_problems(dhcp: DhcpField, at: At) -> Iterator[Problem]:
    """What no server would tell anybody."""
    if dhcp.lease < LEAST_LEASE:
        what = f"a lease of {format_duration(dhcp.lease)} is too short"
        remedy = f"write at least {format_duration(LEAST_LEASE)}"
        yield Problem(at("dhcp", "lease"), what, remedy)
    if isinstance(dhcp.boot_server, IPv6Address):
        what = f"{dhcp.boot_server} is of IPv6, and DHCP tells addresses of IPv4 only"
        yield Problem(at("dhcp", "boot_server"), what, "write its IPv4 address")


def _kea_files(documents: Documents) -> Iterator[Problem]:
    """The file that Kea starts from is changed by us on its servers."""
    for network in documents.networks.values():
        for server in network.dhcp.servers if network.dhcp else ():
            host = documents.hosts.get(server)
            if host and any(file.path == KEA_FILE for file in host.files):
                what = f"{KEA_FILE} of host {server} is written for network {network.name}"
                where = documents.position("Network", network.name, "dhcp")
                position = documents.position("Host", server, "files", KEA_FILE)
                yield Problem(position, what, f"remove it, or the host from the servers ({where})")


def _same_bridges(documents: Documents) -> Iterator[Problem]:
    """A bridge is made of one network; others that use it leave their hosts out."""
    first: dict[tuple[str, str], str] = {}
    for network in documents.networks.values():
        for place in network.hosts:
            other = first.setdefault((place.name, network.bridge), network.name)
            if other != network.name:
                where = documents.position("Network", other, "hosts", place.name)
                position = documents.position("Network", network.name, "hosts", place.name)
                what = (
                    f"networks {other} and {network.name} would both make {network.bridge} on "
                    f"host {place.name}"
                )
                remedy = f"name another bridge, or leave the host out of one; the other is {where}"
                yield Problem(position, what, remedy)


def _same_links(documents: Documents) -> Iterator[Problem]:
    """An interface is plugged into one thing, and no bond is called like a VLAN or a bridge."""
    first: dict[tuple[str, str, str], _Use] = {}
    for use in (*_uses_of_hosts(documents), *_uses_of_networks(documents)):
        other = first.setdefault((use.host, use.verb, use.link), use)
        if other.called != use.called:
            what = (
                f"{use.called} {use.verb} {use.link} of host {use.host}, which {other.called} "
                f"{use.verb} too ({other.position})"
            )
            yield Problem(use.position, what, "choose another for one of them")
    for use in (*_uses_of_hosts(documents), *_uses_of_networks(documents)):
        bridge = first.get((use.host, "is", use.link)) if use.verb == "takes" else None
        if bridge and bridge.called.startswith(_BRIDGE):
            what = f"{use.called} takes {use.link} of host {use.host}, which is itself a bridge"
            yield Problem(use.position, f"{what} ({bridge.position})", "take it out of `ports`")


def _uses_of_hosts(documents: Documents) -> Iterator[_Use]:
    for host in documents.hosts.values():
        at = partial(documents.position, "Host", host.name)
        for vlan in host.vlans:
            yield _Use(host.name, "is", vlan.name, f"VLAN {vlan.name}", at("vlans", vlan.name))
        for bond in host.bonds:
            called, position = f"bond {bond.name}", at("bonds", bond.name)
            yield _Use(host.name, "is", bond.name, called, position)
            for member in bond.members:
                yield _Use(host.name, "takes", member, called, position)


def _uses_of_networks(documents: Documents) -> Iterator[_Use]:
    for network in documents.networks.values():
        for place in network.hosts:
            position = documents.position("Network", network.name, "hosts", place.name)
            bridge = f"{_BRIDGE}{network.bridge}"
            yield _Use(place.name, "is", network.bridge, bridge, position)
            for port in place.ports:
                yield _Use(place.name, "takes", port, bridge, position)


def _same_routes(documents: Documents) -> Iterator[Problem]:
    """Of two routes of a host to one place the second would undo the first, and so for ever."""
    networks = documents.networks.values()
    near = {(place.name, str(each.subnet)): each.name for each in networks for place in each.hosts}
    first: dict[tuple[str, str], tuple[str, RouteField]] = {}
    told: set[tuple[str, str]] = set()
    for network, host, index, route in _routes(documents):
        to = str(route.to)
        other, theirs = first.setdefault((host, to), (network.name, route))
        is_alike = other == network.name or route.type == theirs.type == "blackhole"
        beside = near.get((host, to))
        if (is_alike and beside is None) or (network.name, to) in told:
            continue
        told.add((network.name, to))
        position = documents.position("Network", network.name, "routes", str(index))
        if beside is not None:
            what = f"the route to {to} would take the place of network {beside} on host {host}"
            yield Problem(position, what, "remove it: the host finds the network without a route")
        else:
            what = f"networks {other} and {network.name} both have a route to {to} on host {host}"
            yield Problem(position, what, "remove one of them")


def _routes(documents: Documents) -> Iterator[tuple[Network, str, int, RouteField]]:
    for network in documents.networks.values():
        for place in network.hosts:
            for index, route in enumerate(network.routes):
                yield network, place.name, index, route
