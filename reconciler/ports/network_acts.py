"""What a machine can be asked to do about its network; as in `reconciler.ports.acts`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from reconciler.ports.network_facts import DhcpOption, Reservation, Route, TextFile, TunnelPort

Tool = Literal["networkd", "netplan", "ifupdown2"]


@dataclass(frozen=True, slots=True)
class PutInterface:
    """Make a bridge, a VLAN or a bond, or set it right, now and at each boot.

    `files` are what its tool sets it up from, which is told of them by its directory. What is None
    is left as it is. The `former` are paths, routes and ports that we or others gave it, and that
    it is to lose.
    """

    name: str
    type: Literal["bridge", "vlan", "bond"]
    files: tuple[TextFile, ...]
    ports: tuple[str, ...] = ()
    parent: str | None = None
    vlan: int | None = None
    mode: str | None = None
    mtu: int | None = None
    addresses: tuple[str, ...] | None = None
    routes: tuple[Route, ...] = ()
    former_files: tuple[str, ...] = ()
    former_routes: tuple[Route, ...] = ()
    former_ports: tuple[str, ...] = ()

    def __str__(self) -> str:
        """In words."""
        return f"set up {self.type} {self.name}"


@dataclass(frozen=True, slots=True)
class RemoveInterface:
    """Take a bridge, a VLAN or a bond away, now and at each boot; its ports stay as they are.

    With `keeps` the interface itself stays, and only its files and our routes go.
    """

    name: str
    type: Literal["bridge", "vlan", "bond"]
    files: tuple[str, ...]
    routes: tuple[Route, ...] = ()
    keeps: bool = False

    def __str__(self) -> str:
        """In words."""
        if self.keeps:
            return f"leave {self.type} {self.name} to whoever made it"
        return f"remove {self.type} {self.name}"


@dataclass(frozen=True, slots=True)
class PutSwitch:
    """Make an Open vSwitch bridge, or set it right, in one transaction, now and at each boot.

    `files` set up its own interface at boot; `former_files` and `former_routes` are ours, and to go
    unless they are named again. Without `addresses` those that it has stay. Of its ports those go
    that we once plugged in; tunnels, guests and what others plugged in stay.
    """

    name: str
    datapath: Literal["system", "netdev"]
    files: tuple[TextFile, ...] = ()
    ports: tuple[str, ...] = ()
    mtu: int | None = None
    addresses: tuple[str, ...] | None = None
    routes: tuple[Route, ...] = ()
    former_files: tuple[str, ...] = ()
    former_routes: tuple[Route, ...] = ()

    def __str__(self) -> str:
        """In words."""
        return f"set up switch {self.name}"


@dataclass(frozen=True, slots=True)
class RemoveSwitch:
    """Take an Open vSwitch bridge away, now and at each boot.

    `keeps`: it stays, as it was there before us, and so does what it has now.
    """

    name: str
    files: tuple[str, ...] = ()
    routes: tuple[Route, ...] = ()
    keeps: bool = False

    def __str__(self) -> str:
        """In words."""
        return f"leave switch {self.name} to itself" if self.keeps else f"remove switch {self.name}"


@dataclass(frozen=True, slots=True)
class PutTunnels:
    """Make just these the tunnels of a switch that are ours, in one transaction."""

    switch: str
    ports: tuple[TunnelPort, ...]
    ipsec: tuple[str, ...] = ()

    def __str__(self) -> str:
        """In words."""
        if not self.ports:
            return f"remove the tunnels of {self.switch}"
        return f"connect {self.switch} with {', '.join(port.peer for port in self.ports)}"


@dataclass(frozen=True, slots=True)
class PutRuleset:
    """Make this the content of our table of the packet filter, now and at each boot, at once.

    The source must name no table but this one. `management` are the networks from which it lets us
    in, or none if from everywhere: what would shut us out is refused.
    """

    table: str
    source: str
    management: tuple[str, ...] = ()

    def __str__(self) -> str:
        """In words."""
        return f"load table {self.table}"


@dataclass(frozen=True, slots=True)
class RemoveRuleset:
    """Take our table of the packet filter away."""

    table: str

    def __str__(self) -> str:
        """In words."""
        return f"remove table {self.table}"


@dataclass(frozen=True, slots=True)
class PutSubnet:
    """Let the DHCP server serve a subnet, now and at each boot; reservations in it stay.

    What the network had as its subnet before is served no more. `names` is the zone in which
    clients get names, if any.
    """

    network: str
    environment: str
    subnet: str
    interface: str
    pools: tuple[str, ...]
    options: tuple[DhcpOption, ...]
    lease_seconds: int
    next_server: str = ""
    boot_file: str = ""
    names: str = ""

    def __str__(self) -> str:
        """In words."""
        return f"serve {self.subnet} by DHCP"


@dataclass(frozen=True, slots=True)
class RemoveSubnet:
    """Let the DHCP server serve a subnet no more."""

    network: str
    subnet: str

    def __str__(self) -> str:
        """In words."""
        return f"serve {self.subnet} no more"


@dataclass(frozen=True, slots=True)
class PutReservations:
    """Make just these the reservations of an environment in a subnet; none takes them away."""

    network: str
    subnet: str
    environment: str
    entries: tuple[Reservation, ...]

    def __str__(self) -> str:
        """In words."""
        count = len(self.entries)
        what = "one address" if count == 1 else f"{count} addresses"
        return f"reserve {what} of {self.network}"


NetworkAct = (
    PutInterface
    | RemoveInterface
    | PutSwitch
    | RemoveSwitch
    | PutTunnels
    | PutRuleset
    | RemoveRuleset
    | PutSubnet
    | RemoveSubnet
    | PutReservations
)
