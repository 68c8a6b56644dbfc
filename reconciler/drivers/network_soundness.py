"""What no libvirt network can be, whichever the driver: reasons in words.

What is written here ends in the files that libvirt makes for dnsmasq, where a comma or a line break
would be another setting.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv4Interface, IPv4Network

from reconciler.ports.libvirt_networks import NetworkDefinition
from reconciler.ports.network_facts import Reservation

FORWARDS = frozenset({"nat", "route", "none"})
LONGEST_DEVICE = 15
LEAST_LEASE_SECONDS = 120  # dnsmasq gives no shorter one
MTUS = range(576, 65536)
_NAME = re.compile(r"\A[A-Za-z0-9][A-Za-z0-9_.-]{0,63}\Z")
_LABEL = re.compile(r"\A[A-Za-z0-9](?:[A-Za-z0-9-]{0,126}[A-Za-z0-9])?\Z")
_DOMAIN = re.compile(r"\A[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,251}[A-Za-z0-9_])?\Z")
_FILE = re.compile(r"\A[A-Za-z0-9][A-Za-z0-9._/:-]{0,126}\Z")
_MAC = re.compile(r"\A[0-9a-f]{2}(?::[0-9a-f]{2}){5}\Z")


def unsound_network(wanted: NetworkDefinition) -> Iterator[str]:
    """Why no host can have such a network; nothing when one can."""
    if not _NAME.match(wanted.name):
        yield f"{wanted.name[:80]!r} cannot be the name of a network"
    device = wanted.bridge or wanted.name
    if len(device) > LONGEST_DEVICE or not _NAME.match(device):
        yield f"{device[:80]!r} cannot be the name of a bridge"
    if wanted.forward not in FORWARDS:
        yield f"{wanted.forward[:80]!r} is no way to forward"
    if wanted.mtu is not None and wanted.mtu not in MTUS:
        yield f"{wanted.mtu} is no size of packets"
    if wanted.domain and not _DOMAIN.match(wanted.domain):
        yield f"{wanted.domain[:80]!r} is no domain"
    if wanted.boot_file and not _FILE.match(wanted.boot_file):
        yield f"{wanted.boot_file[:80]!r} is no boot file"
    yield from _unsound_addresses(wanted)


def unsound_reservations(entries: Iterable[Reservation]) -> Iterator[str]:
    """Why no network can have such reservations; nothing when one can."""
    known = list(entries)
    for each in known:
        if not _MAC.match(each.mac):
            yield f"{each.mac[:80]!r} is not a hardware address in lower case"
        if not _is_address(each.address):
            yield f"{each.address[:80]!r} is no IPv4 address"
        if not _LABEL.match(each.hostname):
            yield f"{each.hostname[:80]!r} cannot be the name of a machine"
    for field in ("mac", "address", "hostname"):
        if len({getattr(each, field) for each in known}) != len(known):
            yield f"two reservations have one {field}"


def _unsound_addresses(wanted: NetworkDefinition) -> Iterator[str]:
    """What is there without an address of the host would be served by nobody."""
    vias = (each.via for each in wanted.routes)
    told = filter(None, (wanted.router, wanted.boot_server, *wanted.nameservers, *vias))
    yield from (f"{each[:80]!r} is no IPv4 address" for each in told if not _is_address(each))
    yield from (f"{each.to[:80]!r} is no network" for each in wanted.routes if not _is_net(each.to))
    yield from (f"the route to {each.to} has no router" for each in wanted.routes if not each.via)
    if wanted.lease_seconds is not None and wanted.lease_seconds < LEAST_LEASE_SECONDS:
        yield f"a lease is good for {LEAST_LEASE_SECONDS} seconds at least"
    subnet = _subnet(wanted.address)
    if subnet is None and (wanted.address or wanted.ranges):
        yield f"{wanted.address[:80]!r} is no address with a prefix"
    elif subnet is not None:
        yield from (
            f"{each[:80]!r} is no range of {subnet}"
            for each in wanted.ranges
            if not _is_range(each, subnet)
        )


def _subnet(address: str) -> IPv4Network | None:
    try:
        return IPv4Interface(address).network if "/" in address else None
    except ValueError:
        return None


def _is_range(text: str, subnet: IPv4Network) -> bool:
    first, dash, last = text.partition("-")
    if not (dash and _is_address(first) and _is_address(last)):
        return False
    low, high = IPv4Address(first), IPv4Address(last)
    return low <= high and low in subnet and high in subnet


def _is_net(text: str) -> bool:
    try:
        return str(IPv4Network(text)) == text
    except ValueError:
        return False


def _is_address(text: str) -> bool:
    try:
        return str(IPv4Address(text)) == text
    except ValueError:
        return False
