"""What the operator lets the reconciler fetch. The repository names images; it decides none of it.

A repository that may name any address could have the reconciler ask things inside the farm that
only the reconciler reaches. So a name is resolved once, each of its addresses is judged, and the
connection goes to a judged address and not to the name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from pathlib import Path

from reconciler.config.image_settings import ImageSettings
from reconciler.model.quantity import format_size, parse_size

IpAddress = IPv4Address | IPv6Address
Judgement = Callable[[IpAddress], bool]
# Translators take the last 32 bits of such an address for the IPv4 address to go to.
_TRANSLATED = IPv6Network("64:ff9b::/96")
ANY_SUBDOMAIN = "*."


@dataclass(frozen=True, slots=True)
class ImageRules:
    """The limits of fetching.

    No `allowed_hosts`: any that is public; `*.example.org` allows what is below `example.org`.
    `largest_bytes` is what may be fetched, `largest_disk_bytes` what it may claim to be as a disk.
    """

    allowed_hosts: tuple[str, ...] = ()
    directories: tuple[Path, ...] = (Path("/srv/images"),)
    private_networks: bool = False
    largest_bytes: int = parse_size("16 GiB")
    largest_disk_bytes: int = parse_size("2 TiB")
    deadline: timedelta = timedelta(minutes=30)

    @classmethod
    def of(cls, settings: ImageSettings) -> ImageRules:
        """The limits that the operator set."""
        return cls(
            allowed_hosts=tuple(settings.allowed_hosts),
            directories=tuple(map(Path, settings.directories)),
            private_networks=settings.private_networks,
            largest_bytes=settings.largest,
            largest_disk_bytes=settings.largest_disk,
            deadline=settings.deadline,
        )

    def allows_host(self, name: str) -> bool:
        """Whether images may come from the host of this name."""
        return not self.allowed_hosts or any(
            name == each or (each.startswith(ANY_SUBDOMAIN) and name.endswith(each[1:]))
            for each in self.allowed_hosts
        )

    def allows_address(self, address: IpAddress) -> bool:
        """Whether to connect to this address: one of the internet, or of a private network."""
        real = _real(address)
        if real.is_loopback or real.is_link_local or real.is_multicast or real.is_unspecified:
            return False
        return real.is_global or (self.private_networks and not real.is_reserved)

    def too_large(self, size_bytes: int) -> str:
        """Why so much is not fetched; empty if it is."""
        if size_bytes <= self.largest_bytes:
            return ""
        return f"it is larger than the {format_size(self.largest_bytes)} that images.largest allows"


def _real(address: IpAddress) -> IpAddress:
    """Where packets to this address end up: several IPv6 addresses lead to an IPv4 one."""
    if isinstance(address, IPv4Address):
        return address
    if address in _TRANSLATED:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address
