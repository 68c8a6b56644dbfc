"""What every firewall lets pass without being told: what hosts and networks cannot be without."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_network

from reconciler.config.documents import Host
from reconciler.config.networks import Network, TunnelField
from reconciler.config.repository import Documents
from reconciler.render.network.nftables import (
    Family,
    Interfaces,
    Listed,
    Match,
    Phrase,
    PortRange,
    Ports,
    Prefix,
    Protocols,
    Rule,
    Verdict,
)

SSH: PortRange = (22, 22)
MIGRATION: PortRange = (49152, 49215)
_DHCP = Ports("udp", ((67, 67),))
_DNS = (Protocols((6, 17)), Ports("th", ((53, 53),)))
_IKE = Ports("udp", ((500, 500), (4500, 4500)))
_MAY: Mapping[str, tuple[tuple[Match, ...], ...]] = {  # what other hosts may, by sort
    "hosts": ((Ports("tcp", (SSH, MIGRATION)),),),
    "gre": ((Protocols((47,)),),),
    "vxlan": ((Ports("udp", ((4789, 4789),)),),),
    "ipsec": ((Protocols((50,)),), (_IKE,)),
}
_IpAddress = IPv4Address | IPv6Address
_BELONGS = (Phrase.ERRORS, Phrase.ERRORS_6, Phrase.NEIGHBOURS, Phrase.LISTENERS)


@dataclass(frozen=True, slots=True)
class _Peers:
    """Other hosts, and what they may; the sets of their addresses are called by `sort`."""

    sort: str
    addresses: frozenset[_IpAddress]
    may: tuple[tuple[Match, ...], ...]


def at_input(documents: Documents, host: Host) -> Iterator[Rule]:
    """To the host: answers, itself, what the Internet Protocol needs, other hosts, and leases."""
    yield _accept((), "implied: answers", Verdict.BY_STATE)
    yield _accept((Phrase.LOOPBACK,), "implied: itself")
    for phrase in (*_BELONGS, Phrase.ECHO, Phrase.ECHO_6, Phrase.OWN_LEASE_6):
        yield _accept((phrase,), "implied: what IP needs")
    for peers in _peers(documents, host):
        among = _bridges_without(documents, host, peers)
        for family in _families(peers):
            who = Listed("source", family, f"{peers.sort}_ipv{family}")
            if among:  # a machine that forges their addresses would speak into the overlay
                forged = (Interfaces("in", among), who)
                yield Rule(forged, Verdict.DROP, f"implied: {peers.sort} are not among machines")
            for what in peers.may:
                yield _accept((who, *what), f"implied: {peers.sort}")
    yield from _leases(documents, host)


def at_forward(documents: Documents, host: Host) -> Iterator[Rule]:
    """Through the host: answers, and what a bridge switches, should the kernel ask us about it."""
    yield _accept((), "implied: answers", Verdict.BY_STATE)
    bridges = {bridge_of(each) for each in documents.networks.values() if _is_on(each, host)}
    for name in sorted(bridges):
        within = (Interfaces("in", (name,)), Interfaces("out", (name,)))
        yield _accept(within, f"implied: within {name}")


def at_output() -> Iterator[Rule]:
    """From the host, where rules forbid something."""
    yield _accept((), "implied: answers", Verdict.BY_STATE)
    yield _accept((Interfaces("out", ("lo",)),), "implied: itself")
    for phrase in _BELONGS:
        yield _accept((phrase,), "implied: what IP needs")


def _bridges_without(documents: Documents, host: Host, peers: _Peers) -> tuple[str, ...]:
    """The bridges of this host that are for machines alone: none of these can come in there.

    One with a port of its own, or that is there without us, may be how hosts reach each other.
    """
    may_come: dict[str, bool] = {}
    for network in documents.networks.values():
        place = next((each for each in network.hosts if each.name == host.name), None)
        if place is not None or not network.hosts:
            is_near = any(ip in network.subnet for ip in (*peers.addresses, host.address))
            bridge = bridge_of(network)
            open_ = place is None or bool(place.ports) or is_near
            may_come[bridge] = may_come.get(bridge, False) or open_
    return tuple(sorted(bridge for bridge, may in may_come.items() if not may))


def peer_sets(documents: Documents, host: Host) -> Iterator[tuple[str, tuple[Prefix, ...]]]:
    """The names of the sets of other hosts, and their addresses."""
    for peers in _peers(documents, host):
        yield peers.sort, tuple(ip_network(address) for address in peers.addresses)


def bridge_of(network: Network) -> str:
    """The interface of a host by which it is in a network."""
    return str(network.bridge)


def _accept(matches: tuple[Match, ...], comment: str, verdict: Verdict = Verdict.ACCEPT) -> Rule:
    return Rule(matches, verdict, comment)


def _families(peers: _Peers) -> tuple[Family, ...]:
    there = {address.version for address in peers.addresses}
    families: tuple[Family, ...] = (4, 6)
    return tuple(family for family in families if family in there)


def _peers(documents: Documents, host: Host) -> Iterator[_Peers]:
    """Who else has networks of this host: for all of them, and for each sort of tunnel."""
    beside = [each for each in documents.networks.values() if _is_on(each, host)]
    ends = {sort: set[_IpAddress]() for sort in _MAY}
    for network in beside:
        others = [each for each in documents.hosts.values() if each.name != host.name]
        for other in others:
            if not _is_on(network, other):
                continue
            ends["hosts"].add(other.address)
            if network.tunnel and (end := _end_of(documents, network.tunnel, other)):
                ends[network.tunnel.type].add(end)
                if network.tunnel.ipsec:
                    ends["ipsec"].add(end)
    for sort, may in _MAY.items():
        if ends[sort]:
            yield _Peers(sort, frozenset(ends[sort]), may)


def _is_on(network: Network, host: Host) -> bool:
    """Whether a host has a network; one that names no hosts is taken to be on all."""
    return not network.hosts or any(place.name == host.name for place in network.hosts)


def _end_of(documents: Documents, tunnel: TunnelField, host: Host) -> _IpAddress | None:
    """Where the tunnels to a host go."""
    if tunnel.underlay is None:
        return host.address
    beneath = documents.networks.get(tunnel.underlay)
    places = beneath.hosts if beneath else ()
    return next((place.address for place in places if place.name == host.name), None)


def _leases(documents: Documents, host: Host) -> Iterator[Rule]:
    """Who asks for an address, where this host gives them; libvirt's server tells names, too."""
    for network in documents.networks.values():
        if network.dhcp is None or not _is_on(network, host):
            continue
        is_libvirts = network.switch == "libvirt"
        if is_libvirts or host.name in network.dhcp.servers:
            way = Interfaces("in", (bridge_of(network),))
            yield _accept((way, _DHCP), f"implied: leases of {network.name}")
            if is_libvirts:
                yield _accept((way, *_DNS), f"implied: names of {network.name}")
