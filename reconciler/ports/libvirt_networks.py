"""Libvirt's own networks: a bridge of the host with DHCP for the machines that are plugged in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from reconciler.ports.network_facts import Reservation, Route


@dataclass(frozen=True, slots=True)
class NetworkDefinition:
    """What is stored of a network, as far as we manage it; None is left as it is.

    `forward` is `nat`, `route` or `none`, or another of libvirt's modes where one was seen.
    `address` is the host's own with its prefix (`192.168.122.1/24`), or empty; without it there is
    no DHCP. `bridge` is the device of the host; empty: that of a new one is called as the network.
    `ranges` are the addresses that anybody gets (`first-last`). What machines are told: `router` if
    that is not the host itself, `nameservers` if the host does not answer for names, `routes`.
    """

    name: str
    uuid: str
    forward: str = "nat"
    address: str = ""
    bridge: str = ""
    ranges: tuple[str, ...] = ()
    lease_seconds: int | None = None
    router: str = ""
    nameservers: tuple[str, ...] = ()
    routes: tuple[Route, ...] = ()
    domain: str | None = None
    mtu: int | None = None
    boot_file: str = ""
    boot_server: str = ""


@dataclass(frozen=True, slots=True)
class NetworkState:
    """A network as it is. `subnet` is its IPv4 network (CIDR), where it has one.

    `live` and `live_reservations` are what it runs with where that is not what is stored. `users`
    are the interfaces that are plugged in.
    """

    name: str
    bridge: str
    subnet: str | None = None
    definition: NetworkDefinition | None = None
    reservations: tuple[Reservation, ...] = ()
    running: bool = True
    autostart: bool = True
    users: int = 0
    live: NetworkDefinition | None = None
    live_reservations: tuple[Reservation, ...] | None = None


class Networks(Protocol):
    """The networks of one virtualization host."""

    def networks(self) -> tuple[NetworkState, ...]:
        """Every network of libvirt's own that is stored, by name."""
        ...

    def define_network(self, definition: NetworkDefinition) -> None:
        """Make this the network, start it, and let it start with the host. Idempotent.

        What is reserved in it stays. What cannot be changed while it runs is stored, and takes
        effect at once if nobody is plugged in, else by another call when nobody is.

        Raises:
            Conflict: libvirt does not take it, or cannot start it.
        """
        ...

    def remove_network(self, name: str) -> None:
        """Stop a network and forget it. Idempotent.

        Raises:
            Conflict: somebody is plugged in.
        """
        ...

    def reserve(self, network: str, environment: str, entries: tuple[Reservation, ...]) -> None:
        """Make these the reservations of an environment in a network, while it runs. Idempotent.

        Those of others stay, but for one of a hardware address that is among these.

        Raises:
            NotFound: there is no such network.
            Conflict: an address or a name is reserved for another.
        """
        ...


def reserved_name(environment: str, name: str) -> str:
    """What a machine is called in the reservations of a network, where all environments meet."""
    return f"{environment}-{name}"


def reserved_by(environment: str, entries: Iterable[Reservation]) -> tuple[Reservation, ...]:
    """The reservations of an environment, as their names tell; sorted."""
    prefix = reserved_name(environment, "")
    return tuple(sorted(each for each in entries if each.hostname.startswith(prefix)))


def outdated(
    environment: str,
    present: Iterable[Reservation],
    wanted: Iterable[Reservation],
) -> tuple[Reservation, ...]:
    """The reservations that have to go before `wanted` can be those of the environment."""
    entries, kept = frozenset(present), frozenset(wanted)
    macs = {each.mac for each in kept}
    ours = {*reserved_by(environment, entries), *(e for e in entries if e.mac in macs)}
    return tuple(sorted(ours - kept))
