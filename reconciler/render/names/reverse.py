"""Reverse zones: which ones make names of a prefix, and where in them an address stands.

IPv4 is cut at whole octets (RFC 1035 §3.5), IPv6 at half octets (RFC 3596 §2.5). A prefix between
two octets is as many zones as it takes, as registries delegate it; behind the last octet it is one
zone of its own (RFC 2317), whose names the zone around it leads to.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

IPV4 = 4
Ip = IPv4Address | IPv6Address
IpNetwork = IPv4Network | IPv6Network
OCTET_BITS, NIBBLE_BITS = 8, 4
ENDINGS = (("in-addr.arpa", OCTET_BITS), ("ip6.arpa", NIBBLE_BITS))
LAST_OCTET, WHOLE_V4 = 24, 32
SHORTEST = {IPV4: 8, 6: 16}  # nobody has more than that to name


@dataclass(frozen=True, slots=True)
class Cover:
    """A reverse zone by its name, and the addresses that it names."""

    origin: str
    prefix: IpNetwork

    @property
    def is_classless(self) -> bool:
        """Whether it is a zone behind the last octet (RFC 2317)."""
        return "/" in self.origin


def cover_of_network(network: IPv4Network) -> Cover:
    """The zone in which the addresses of a network are: cut at the last whole octet."""
    length = max(1, min(network.prefixlen // OCTET_BITS, 3)) * OCTET_BITS
    prefix = network.supernet(new_prefix=length)
    return Cover(_whole(prefix), prefix)


def covers_of_prefix(prefix: IpNetwork) -> Iterator[Cover]:
    """The zones that name just the addresses of a prefix; none if it is too much to name."""
    if prefix.prefixlen < SHORTEST[prefix.version]:
        return
    if prefix.version == IPV4 and LAST_OCTET < prefix.prefixlen < WHOLE_V4:
        yield Cover(classless_name(prefix), prefix)
        return
    step = _step(prefix)
    length = -(-prefix.prefixlen // step) * step
    for part in prefix.subnets(new_prefix=length):
        yield Cover(_whole(part), part)


def classless_name(prefix: IpNetwork) -> str:
    """The name of the zone of a prefix behind the last octet, such as 64/26.2.0.192.in-addr.arpa.

    What follows the first label is the zone around it.
    """
    first, _, rest = prefix.network_address.reverse_pointer.partition(".")
    return f"{first}/{prefix.prefixlen}.{rest}"


def prefix_of(origin: str) -> IpNetwork | None:
    """The addresses that a zone of this name names, if it is a reverse zone."""
    for ending, step in ENDINGS:
        if origin.endswith(f".{ending}"):
            return _read(origin.removesuffix(f".{ending}").split(".")[::-1], step)
    return None


def pointer(address: Ip, cover: Cover) -> str:
    """The name of an address in the zone that names it."""
    full = address.reverse_pointer
    return f"{full.partition('.')[0]}.{cover.origin}" if cover.is_classless else full


def _whole(prefix: IpNetwork) -> str:
    """The zone of a prefix that ends at an octet or half octet."""
    step = _step(prefix)
    labels = prefix.network_address.reverse_pointer.split(".")
    return ".".join(labels[(prefix.max_prefixlen - prefix.prefixlen) // step :])


def _step(prefix: IpNetwork) -> int:
    """How many bits a label of a reverse name stands for."""
    return OCTET_BITS if prefix.version == IPV4 else NIBBLE_BITS


def _read(labels: list[str], step: int) -> IpNetwork | None:
    bits = len(labels) * step
    try:
        if step == OCTET_BITS:
            return ip_network(f"{'.'.join([*labels, *['0'] * (4 - len(labels))])}/{bits}")
        digits = "".join(labels).ljust(32, "0")
        return ip_network(f"{IPv6Address(int(digits, 16))}/{bits}")
    except ValueError:
        return None
