"""Networks and hosts' documents become bridges, VLANs and bonds.

A network that is a Linux bridge makes the bridge on each of its hosts; VLANs and bonds are made by
the environment that owns the host. A bond comes before the VLANs of it, and both come before the
bridge that they are plugged into.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from reconciler.config.documents import Host
from reconciler.config.networks import Network
from reconciler.config.repository import Documents
from reconciler.kinds.base.kind import name_of
from reconciler.kinds.network.link import LinkKind, LinkSpec
from reconciler.model.address import Address
from reconciler.model.position import Position
from reconciler.model.resource import Desired
from reconciler.ports.network_acts import Tool
from reconciler.ports.network_facts import Route
from reconciler.render.network.boot_files import BootLink, boot_files
from reconciler.render.network.made import Made, declared, may_adopt, networks_made

USUAL_TOOL: Tool = "networkd"
PACKAGES: Mapping[Tool, tuple[str, ...]] = {
    "networkd": (),
    "netplan": ("netplan.io",),
    "ifupdown2": ("ifupdown2",),
}
SERVICES: Mapping[Tool, tuple[str, ...]] = {
    "networkd": ("systemd-networkd",),
    "netplan": ("systemd-networkd",),
    "ifupdown2": ("networking",),
}
_SWITCHES = {"linux": "bridge", "openvswitch": "switch"}
# Fields of specs that documents call otherwise.
_BONDS = {"ports": "members", "type": "name", "files": "name"}
_VLANS = {"parent": "link", "vlan": "id", "type": "name", "files": "name"}
_BRIDGES: Mapping[str, tuple[str, ...]] = {
    "mtu": ("mtu",),
    "routes": ("routes",),
    "type": ("switch",),
}
_OF_HOSTS = {"addresses": "address", "ports": "ports"}


def links(documents: Documents) -> Iterator[Desired[Any]]:
    """Every bridge, VLAN and bond that the environment makes."""
    for host in documents.hosts.values():
        if host.environment == documents.environment:
            yield from _of_host(documents, host)
    for made in networks_made(documents):
        if made.network.switch == "linux":
            yield _bridge(documents, made)


def tool_of(host: Host) -> Tool:
    """What sets up the interfaces of a host at boot."""
    return host.network_tool or USUAL_TOOL


def tool_comes_first(documents: Documents, host: Host) -> tuple[Address, ...]:
    """What of the host's own document brings the tool; what another environment owns is there."""
    if host.environment != documents.environment:
        return ()
    tool = tool_of(host)
    return declared(host, packages=PACKAGES[tool], services=SERVICES[tool])


def links_of_host(documents: Documents, host: Host) -> dict[str, str]:
    """What its own document and all networks make of a host's interfaces, by name: the kinds."""
    found = {
        network.bridge: _SWITCHES[network.switch]
        for network in documents.networks.values()
        if network.switch in _SWITCHES and any(place.name == host.name for place in network.hosts)
    }
    found |= {vlan.name: "vlan" for vlan in host.vlans}
    return found | {bond.name: "bond" for bond in host.bonds}


def host_routes(network: Network, address: object) -> tuple[Route, ...]:
    """The routes of a host of a network that has this address there: not those through itself."""
    return tuple(
        sorted(
            Route(str(route.to), str(route.via or ""), route.type)
            for route in network.routes
            if route.via is None or route.via != address
        )
    )


def host_addresses(network: Network, address: object) -> tuple[str, ...] | None:
    """The address of a host in a network, with the length of its prefix; None is not managed."""
    return None if address is None else (f"{address}/{network.subnet.prefixlen}",)


def _of_host(documents: Documents, host: Host) -> Iterator[Desired[Any]]:
    for bond in host.bonds:
        spec = LinkSpec(
            host.name,
            bond.name,
            "bond",
            tuple(sorted(bond.members)),
            mode=bond.mode,
            mtu=bond.mtu,
        )
        locate = partial(_in_host, documents, (host.name, "bonds", bond.name), _BONDS)
        yield _desired(documents, host, "bond", spec, locate)
    for vlan in host.vlans:
        spec = LinkSpec(host.name, vlan.name, "vlan", parent=vlan.link, vlan=vlan.id, mtu=vlan.mtu)
        locate = partial(_in_host, documents, (host.name, "vlans", vlan.name), _VLANS)
        yield _desired(documents, host, "vlan", spec, locate)


def _bridge(documents: Documents, made: Made) -> Desired[Any]:
    network, host, place = made.network, made.host, made.place
    spec = LinkSpec(
        host.name,
        network.bridge,
        "bridge",
        tuple(sorted(place.ports)),
        mtu=network.mtu,
        addresses=host_addresses(network, place.address),
        routes=host_routes(network, place.address),
    )
    locate = partial(_in_network, documents, network.name, host.name)
    return _desired(documents, host, "bridge", spec, locate)


def _desired(
    documents: Documents, host: Host, kind: LinkKind, spec: LinkSpec, locate: Any
) -> Desired[Any]:
    others = links_of_host(documents, host)
    parts = (*spec.ports, *((spec.parent,) if spec.parent else ()))
    first = (Address(others[part], name_of(part), host.name) for part in parts if part in others)
    after = tuple(sorted({*first, *tool_comes_first(documents, host)}))
    files = boot_files(_boot_link(kind, spec, _files_anyway(documents, host, kind)), tool_of(host))
    return Desired(
        address=Address(kind, name_of(spec.name), host.name),
        spec=replace(spec, files=files, after=after),
        position=locate(""),
        adopts=may_adopt(documents, host),
        locate=locate,
    )


def _boot_link(kind: LinkKind, spec: LinkSpec, others: Mapping[str, str]) -> BootLink:
    return BootLink(
        spec.name,
        kind,
        spec.ports,
        spec.parent,
        spec.vlan,
        spec.mode,
        spec.mtu,
        spec.addresses,
        spec.routes,
        others,
    )


def _files_anyway(documents: Documents, host: Host, kind: LinkKind) -> Mapping[str, str]:
    """The interfaces for which others write files; the parent of a VLAN may be plugged in, too."""
    found = links_of_host(documents, host)
    if kind != "vlan":
        return found
    places = (place for network in documents.networks.values() for place in network.hosts)
    ports = (port for place in places if place.name == host.name for port in place.ports)
    return {**dict.fromkeys(ports, "port"), **found}


def _in_host(
    documents: Documents, item: tuple[str, ...], names: Mapping[str, str], path: str
) -> Position:
    """Where the value behind a field of a VLAN or a bond was written."""
    head = path.partition(".")[0]
    return documents.position("Host", *item, *((names.get(head, head),) if head else ()))


def _in_network(documents: Documents, network: str, host: str, path: str) -> Position:
    """Where the value behind a field of a bridge was written."""
    head = path.partition(".")[0]
    if head in _BRIDGES:
        return documents.position("Network", network, *_BRIDGES[head])
    last = (_OF_HOSTS[head],) if head in _OF_HOSTS else ()
    return documents.position("Network", network, "hosts", host, *last)
