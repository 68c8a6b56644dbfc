"""Networks on Open vSwitch become a switch on each host, and tunnels from each host to each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from reconciler.config.networks import IpsecField, Network, TunnelField
from reconciler.config.overlays import end_name, mtu_of, remote_of
from reconciler.config.repository import Documents
from reconciler.kinds.base.kind import name_of
from reconciler.kinds.network.switch import SwitchSpec
from reconciler.kinds.network.tunnel import TunnelSpec
from reconciler.model.address import Address
from reconciler.model.position import Position
from reconciler.model.resource import Desired
from reconciler.ports.network_facts import TunnelPort
from reconciler.render.network.boot_files import BootLink, boot_files
from reconciler.render.network.links import (
    host_addresses,
    host_routes,
    tool_comes_first,
    tool_of,
)
from reconciler.render.network.made import Made, declared, may_adopt, networks_made

OPENVSWITCH = ("openvswitch-switch",)
IPSEC = ("openvswitch-ipsec",)

# Fields of specs, by the part of the document that decides them.
_OF_PLACE = {"addresses": "address", "ports": "ports"}
_OF_NETWORK = {"mtu": "mtu", "routes": "routes"}


@dataclass(frozen=True, slots=True)
class _End:
    """One host's part in an overlay."""

    made: Made
    tunnel: TunnelField
    documents: Documents


def switches(documents: Documents) -> Iterator[Desired[Any]]:
    """The switches of the networks that the environment makes."""
    for made in networks_made(documents):
        if made.network.switch == "openvswitch":
            spec = _switch(documents, made)
            address = Address("switch", name_of(spec.name), spec.host)
            yield Desired(
                address,
                spec,
                position=documents.position("Network", made.network.name, "hosts", made.host.name),
                adopts=may_adopt(documents, made.host),
                locate=partial(_position_of_switch, documents, made),
            )


def tunnels(documents: Documents) -> Iterator[Desired[Any]]:
    """The tunnels of the overlays that the environment makes; a host alone has none."""
    for made in networks_made(documents):
        tunnel = made.network.tunnel
        if tunnel is not None and made.network.switch == "openvswitch":
            spec = _tunnels(_End(made, tunnel, documents))
            if spec.ports:
                yield Desired(
                    Address("tunnel", name_of(spec.switch), spec.host),
                    spec,
                    position=documents.position("Network", made.network.name, "tunnel"),
                    adopts=True,
                    locate=partial(_position_of_tunnel, documents, made.network),
                )


def _switch(documents: Documents, made: Made) -> SwitchSpec:
    network, host = made.network, made.host
    link = BootLink(
        network.bridge,
        "internal",
        mtu=mtu_of(network, documents.networks),
        addresses=host_addresses(network, made.place.address),
        routes=host_routes(network, made.place.address),
    )
    return SwitchSpec(
        host.name,
        network.bridge,
        host.switch_datapath or "system",
        tuple(sorted(made.place.ports)),
        link.mtu,
        link.addresses,
        link.routes,
        files=boot_files(link, tool_of(host)),
        after=(
            *declared(host, packages=OPENVSWITCH, services=OPENVSWITCH),
            *tool_comes_first(documents, host),
            *_plugged(documents, made),
        ),
    )


def _plugged(documents: Documents, made: Made) -> Iterator[Address]:
    """The interfaces of the host that are made by us and plugged in."""
    if made.host.environment == documents.environment:
        for kind, links in (("bond", made.host.bonds), ("vlan", made.host.vlans)):
            names = {link.name for link in links}
            yield from (
                Address(kind, name_of(port), made.host.name)
                for port in made.place.ports
                if port in names
            )


def _tunnels(end: _End) -> TunnelSpec:
    network, host, ipsec = end.made.network, end.made.host, end.tunnel.ipsec
    ports = (
        port for peer in network.hosts if peer.name != host.name for port in _ports(end, peer.name)
    )
    tools = (*OPENVSWITCH, *IPSEC) if ipsec else OPENVSWITCH
    return TunnelSpec(
        host.name,
        network.bridge,
        tuple(sorted(ports)),
        _files(ipsec) if ipsec else (),
        after=(
            Address("switch", name_of(network.bridge), host.name),
            *_beneath(end),
            *declared(host, packages=tools, services=tools),
            *_certificates(end),
        ),
    )


def _ports(end: _End, peer: str) -> Iterator[TunnelPort]:
    """The end of the tunnel to a peer; none if nobody knows where that is, which is an error."""
    host, tunnel = end.documents.hosts.get(peer), end.tunnel
    remote = remote_of(tunnel, host, end.documents.networks) if host else None
    if remote is not None:
        yield TunnelPort(
            peer,
            end_name(tunnel, end.documents.environment, end.made.network.name, peer),
            str(remote),
            tunnel.type,
            tunnel.key or 0,
            remote_name=peer if tunnel.ipsec else "",
        )


def _beneath(end: _End) -> Iterator[Address]:
    """What this host has its own address of the underlay on, if it is made from documents."""
    beneath = end.documents.networks.get(end.tunnel.underlay or "")
    if beneath and beneath.switch != "libvirt":
        kind = "switch" if beneath.switch == "openvswitch" else "bridge"
        yield Address(kind, name_of(beneath.bridge), end.made.host.name)


def _files(ipsec: IpsecField) -> tuple[str, ...]:
    return (ipsec.certificate, ipsec.private_key, ipsec.authority, ipsec.mark)


def _certificates(end: _End) -> Iterator[Address]:
    """The files of the certificates, where the host's document brings them."""
    host, ipsec = end.made.host, end.tunnel.ipsec
    if ipsec and host.environment == end.documents.environment:
        brought = {file.path for file in host.files}
        paths = (path for path in _files(ipsec)[:3] if path in brought)
        yield from (Address("file", name_of(path), host.name) for path in paths)


def _position_of_switch(documents: Documents, made: Made, path: str) -> Position:
    head = path.partition(".")[0]
    if head == "datapath":
        return documents.position("Host", made.host.name, "switch_datapath")
    if head in _OF_NETWORK:
        return documents.position("Network", made.network.name, _OF_NETWORK[head])
    item = (_OF_PLACE[head],) if head in _OF_PLACE else ()
    return documents.position("Network", made.network.name, "hosts", made.host.name, *item)


def _position_of_tunnel(documents: Documents, network: Network, path: str) -> Position:
    """An end is there because of its peer, and is what the tunnel is."""
    head, _, rest = path.partition(".")
    peer, _, field = rest.partition(".")
    if head == "ports" and not field:
        return documents.position("Network", network.name, "hosts", peer)
    if field in {"remote", "remote_name"} and network.tunnel and not network.tunnel.underlay:
        return documents.position("Host", peer, "address")
    item = {"tunnel_key": "key", "type": "type"}.get(field)
    return documents.position("Network", network.name, "tunnel", *([item] if item else []))
