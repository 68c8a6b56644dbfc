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
    is left as it is. `former_files` (paths) and `former_routes` are what we made once and want no
    more.
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
    """Make an Open vSwitch bridge, or set it right, in one transaction.

    Of its ports those go that we once plugged in; tunnels, guests and what others plugged in stay.
    """

    name: str
    datapath: Literal["system", "netdev"]
    tool: Tool
    files: tuple[TextFile, ...]
    ports: tuple[str, ...] = ()
    mtu: int | None = None
    addresses: tuple[str, ...] = ()
    routes: tuple[Route, ...] = ()

    def __str__(self) -> str:
        """In words."""
        return f"set up switch {self.name}"


@dataclass(frozen=True, slots=True)
class RemoveSwitch:
    """Take an Open vSwitch bridge away."""

    name: str
    tool: Tool
    files: tuple[str, ...]

    def __str__(self) -> str:
        """In words."""
        return f"remove switch {self.name}"


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

    The source must name no table but this one.
    """

    table: str
    source: str

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
    """Let the DHCP server serve a subnet, now and at each boot; reservations in it stay."""

    network: str
    subnet: str
    interface: str
    pools: tuple[str, ...]
    options: tuple[DhcpOption, ...]
    lease_seconds: int
    next_server: str = ""
    boot_file: str = ""

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
