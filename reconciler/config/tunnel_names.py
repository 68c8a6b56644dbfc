"""How the ends of tunnels are called: the same name however many others come and go."""

from __future__ import annotations

from zlib import crc32

from reconciler.config.networks import TunnelField

_STARTS = {"gre": "gre", "vxlan": "vx"}
_NUMBERS = 999_999_999


def end_name(tunnel: TunnelField, network: str, peer: str) -> str:
    """The port of a network's tunnel to another host: `greN` or `vxN`, of which N is never 0.

    `gre0` is the kernel's own.
    """
    number = 1 + crc32(f"{network}/{peer}".encode()) % _NUMBERS
    return f"{_STARTS[tunnel.type]}{number}"
