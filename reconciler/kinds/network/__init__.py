"""The kinds of what networks are made of on hosts: of the shape of the kinds of a base."""

from __future__ import annotations

from typing import Any

from reconciler.kinds.network.dhcp import RESERVATIONS, SUBNET
from reconciler.kinds.network.lease import LEASE
from reconciler.kinds.network.libvirt_network import LIBVIRT_NETWORK
from reconciler.kinds.network.libvirt_reservations import LIBVIRT_RESERVATIONS
from reconciler.kinds.network.link import BOND, BRIDGE, VLAN
from reconciler.kinds.network.ruleset import RULESET
from reconciler.kinds.network.switch import SWITCH
from reconciler.kinds.network.tunnel import TUNNEL
from reconciler.kinds.protocol import Kind

# In the order in which they are dealt with where nothing else decides.
NETWORK_KINDS: tuple[Kind[Any], ...] = (
    BOND,
    VLAN,
    BRIDGE,
    SWITCH,
    TUNNEL,
    RULESET,
    SUBNET,
    RESERVATIONS,
    LEASE,
    LIBVIRT_NETWORK,
    LIBVIRT_RESERVATIONS,
)
