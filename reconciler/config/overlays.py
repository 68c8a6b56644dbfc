"""What follows for an overlay from its document: names of tunnels' ends, and the size of packets.

The name of an end is the same however many others come and go. What is larger than fits through a
tunnel is lost, and connections through it hang, so that machines must be told.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address
from zlib import crc32

from reconciler.config.documents import Host
from reconciler.config.networks import Network, TunnelField

_STARTS = {"gre": "gre", "vxlan": "vx"}
_NUMBERS = 999_999_999
# IPv4 and GRE with an Ethernet frame in it; IPv4, UDP and VXLAN with one.
_TAKEN_BYTES = {"gre": 20 + 4 + 14, "vxlan": 20 + 8 + 8 + 14}
_KEY_BYTES = 4
_ESP_BYTES = 40  # AES-GCM: header 8, vector 8, sum 16, trailer 2, and what fills it up


def end_name(tunnel: TunnelField, environment: str, network: str, peer: str) -> str:
    """The port of a network's tunnel to another host: `greN` or `vxN`, of which N is never 0.

    `gre0` is the kernel's own. Networks of two environments may have one name.
    """
    number = 1 + crc32(f"{environment}/{network}/{peer}".encode()) % _NUMBERS
    return f"{_STARTS[tunnel.type]}{number}"


def overlay_mtu(tunnel: TunnelField, underlay_mtu: int) -> int:
    """The size of the largest packet that fits through a tunnel: 1462 by GRE over 1500."""
    key = _KEY_BYTES if tunnel.type == "gre" and tunnel.key is not None else 0
    cipher = _ESP_BYTES if tunnel.ipsec else 0
    return underlay_mtu - _TAKEN_BYTES[tunnel.type] - key - cipher


def underlay_mtu(tunnel: TunnelField, networks: Mapping[str, Network]) -> int:
    """The size of packets between the addresses that the tunnels run between."""
    beneath = networks.get(tunnel.underlay) if tunnel.underlay else None
    return tunnel.underlay_mtu if beneath is None or beneath.mtu is None else beneath.mtu


def mtu_of(network: Network, networks: Mapping[str, Network]) -> int | None:
    """The size of a network's largest packets; None if nobody says, which is the usual 1500."""
    if network.mtu is not None or network.tunnel is None:
        return network.mtu
    return overlay_mtu(network.tunnel, underlay_mtu(network.tunnel, networks))


def remote_of(
    tunnel: TunnelField, peer: Host, networks: Mapping[str, Network]
) -> IPv4Address | IPv6Address | None:
    """Where a tunnel to a host leads; None if it has no address there."""
    if tunnel.underlay is None:
        return peer.address
    beneath = networks.get(tunnel.underlay)
    places = beneath.hosts if beneath else ()
    return next((each.address for each in places if each.name == peer.name), None)
