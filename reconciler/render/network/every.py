"""All that networks, firewalls, proxies and name servers make of hosts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from reconciler.config.repository import Documents
from reconciler.model.resource import Desired
from reconciler.render.nameservers.resources import nameserver_resources
from reconciler.render.network.dhcp import dhcp_resources
from reconciler.render.network.dynamic_names import names_resources
from reconciler.render.network.firewall import firewall_resources
from reconciler.render.network.libvirt_networks import libvirt_networks, libvirt_reservations
from reconciler.render.network.links import links
from reconciler.render.network.overlay import switches, tunnels
from reconciler.render.network.proxies import proxy_resources

_PARTS: tuple[Callable[[Documents], Iterator[Desired[Any]]], ...] = (
    links,
    switches,
    tunnels,
    libvirt_networks,
    libvirt_reservations,
    dhcp_resources,
    names_resources,
    firewall_resources,
    proxy_resources,
    nameserver_resources,
)


def network_resources(documents: Documents) -> Iterator[Desired[Any]]:
    """What the environment makes of the hosts' networks."""
    for part in _PARTS:
        yield from part(documents)
