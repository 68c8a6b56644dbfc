"""What a machine answers about its network: interfaces, switches, DHCP and the packet filter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, order=True)
class Route:
    """A route of an interface; `via` is empty where there is no router."""

    to: str
    via: str = ""
    type: Literal["unicast", "blackhole"] = "unicast"

    @property
    def key(self) -> str:
        """Where it leads."""
        return self.to


@dataclass(frozen=True, slots=True, order=True)
class TextFile:
    """A small file that sets something up at boot: a path, and what it says."""

    path: str
    content: str

    @property
    def key(self) -> str:
        """Its path."""
        return self.path


@dataclass(frozen=True, slots=True)
class LinkFact:
    """A network interface as it is now. `files` are those that were asked for and are there.

    `type` is empty where there are only files. `ports` are what is plugged into a bridge, or the
    members of a bond, sorted, without the ends of guests and containers; `parent` and `vlan` are
    those of a VLAN. `addresses` are those that somebody gave it, with their prefix, sorted.
    `routes` are ours, and those that were asked for, sorted.
    """

    type: str
    ports: tuple[str, ...] = ()
    parent: str | None = None
    vlan: int | None = None
    mode: str | None = None
    mtu: int | None = None
    is_up: bool = True
    addresses: tuple[str, ...] = ()
    routes: tuple[Route, ...] = ()
    files: tuple[TextFile, ...] = ()


@dataclass(frozen=True, slots=True)
class SwitchFact:
    """An Open vSwitch bridge.

    `ports` are those of its ports that were asked for or that we plugged in, sorted: not its own,
    no tunnels, and nobody else's.
    """

    datapath: str
    ports: tuple[str, ...] = ()
    mtu: int | None = None
    is_up: bool = True
    addresses: tuple[str, ...] = ()
    routes: tuple[Route, ...] = ()
    files: tuple[TextFile, ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class TunnelPort:
    """One end of a tunnel: the host on the other side, the port's name, and the other's address.

    A `tunnel_key` of 0 is none. `is_isolated`: what came through a tunnel goes into no other.
    `remote_name` is what the other's certificate must say, where the tunnel is encrypted. `flaws`
    are what else of it is not as we made it, and why the switch does not serve it.
    """

    peer: str
    name: str
    remote: str
    type: str
    tunnel_key: int = 0
    is_isolated: bool = True
    remote_name: str = ""
    flaws: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The other side."""
        return self.peer


@dataclass(frozen=True, slots=True)
class TunnelFact:
    """The ends of our tunnels on one switch.

    `ipsec`: the certificate, the private key, the authority and the packet mark, or nothing.
    """

    ports: tuple[TunnelPort, ...] = ()
    ipsec: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RulesetFact:
    """Our table of the packet filter: what its file says, and whether the kernel has just that.

    `is_persisted`: a boot brings it back.
    """

    source: str | None
    is_loaded: bool
    is_persisted: bool = True


@dataclass(frozen=True, slots=True, order=True)
class DhcpOption:
    """A DHCP option by Kea's name, with the value as Kea writes it."""

    name: str
    value: str

    @property
    def key(self) -> str:
        """Its name."""
        return self.name


@dataclass(frozen=True, slots=True, order=True)
class Lease:
    """An address that a DHCP server gave to a hardware address it has no reservation for."""

    mac: str
    address: str


@dataclass(frozen=True, slots=True)
class SubnetFact:
    """A subnet that a DHCP server serves. `pools` are `first-last`, sorted, as are the options.

    `is_served`: the server runs, and has it wholly. `is_persisted`: so it will at its next start.
    `leases` are those that are good now, at most a thousand. `names` is the zone in which we let
    clients have names.
    """

    subnet: str
    interface: str
    pools: tuple[str, ...]
    options: tuple[DhcpOption, ...]
    lease_seconds: int
    next_server: str = ""
    boot_file: str = ""
    is_served: bool = True
    is_persisted: bool = True
    leases: tuple[Lease, ...] = ()
    names: str = ""


@dataclass(frozen=True, slots=True, order=True)
class Reservation:
    """An address that a DHCP server keeps for a hardware address; any of the pools if empty."""

    mac: str
    address: str
    hostname: str

    @property
    def key(self) -> str:
        """The name of whom it is for."""
        return self.hostname


@dataclass(frozen=True, slots=True)
class ReservationsFact:
    """What one environment reserves in one subnet, sorted. `is_...` as of the subnet."""

    entries: tuple[Reservation, ...]
    is_served: bool = True
    is_persisted: bool = True


NetworkFact = LinkFact | SwitchFact | TunnelFact | RulesetFact | SubnetFact | ReservationsFact
