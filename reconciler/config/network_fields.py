"""The types of the fields of networks, firewalls and proxies: closed forms for their programs.

What is written ends in nftables, Kea, networkd and nginx, so that no value may hold what ends a
word or a line there.
"""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

from reconciler.config.fields import text_field

LINK_NAME = r"^[A-Za-z][A-Za-z0-9_.-]{0,14}$"
BOOT_FILE = r"^[A-Za-z0-9][A-Za-z0-9._/:-]{0,126}$"
PORTS = r"^[0-9]{1,5}(?:-[0-9]{1,5})?$"
COOKIE = r"^[A-Za-z][A-Za-z0-9_]{0,39}$"
URL_PATH = r"^/[A-Za-z0-9._~/-]{0,200}$"
PACKET_MARK = r"^(?:0x[0-9a-f]{1,8}|[0-9]{1,9})/(?:0x[0-9a-f]{1,8}|[0-9]{1,9})$"
HIGHEST_PORT = 65535
NOT_OURS = frozenset({"lo", "all", "default", "gre0", "gretap0", "erspan0", "ovs-system"})
LEAST_MTU, MOST_MTU = 1280, 9216


def _prefix(value: Any) -> IPv4Network | IPv6Network:
    message = "must be a network such as 10.0.0.0/8, or one address"
    if not isinstance(value, str) or "%" in value:
        raise ValueError(message)
    try:
        return ip_network(value)
    except ValueError:
        raise ValueError(message) from None


def _is_link(name: str) -> str:
    """What the kernel keeps for itself, or Open vSwitch does."""
    if name in NOT_OURS:
        message = f"must not be {name}, which is not ours to make"
        raise ValueError(message)
    return name


def _ports(value: str) -> str:
    first, dash, last = value.partition("-")
    if not 1 <= int(first) <= int(last if dash else first) <= HIGHEST_PORT:
        message = "must be a port from 1 to 65535, or first-last"
        raise ValueError(message)
    return value


LinkName = text_field(
    LINK_NAME, "the name of a network interface, at most 15 letters", 15, _is_link
)
BootFile = text_field(BOOT_FILE, "the name of a boot file, or its URL", 127)
CookieName = text_field(COOKIE, "the name of a cookie: letters, digits and _", 40)
UrlPath = text_field(URL_PATH, "the path of a URL, such as /health", 201)
PortRange = text_field(PORTS, "a port, or first-last, in quotes", 11, _ports)
PacketMark = text_field(PACKET_MARK, "a packet mark and its mask, such as 1/1", 21)
Mtu = Annotated[int, Field(ge=LEAST_MTU, le=MOST_MTU)]
Port = Annotated[int, Field(ge=1, le=HIGHEST_PORT)]
Prefix = Annotated[
    IPv4Network | IPv6Network,
    BeforeValidator(_prefix),
    WithJsonSchema({"type": "string", "pattern": r"^[0-9a-fA-F.:]{2,45}(/[0-9]{1,3})?$"}),
]
