"""What Open vSwitch knows: its bridges, their ports, and which ends of tunnels are ours."""

from __future__ import annotations

import json

from reconciler.drivers.ssh.onhost.programs import MISSING, TOO_LATE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

_SECONDS = 10
VSCTL = ("ovs-vsctl", f"--timeout={_SECONDS}")
LISTED = (
    *VSCTL,
    "--format=json",
    *("--", "--columns=name,datapath_type,ports", "list", "Bridge"),
    *("--", "--columns=_uuid,name,interfaces,external_ids,protected,tag,trunks,vlan_mode"),
    *("list", "Port"),
    *("--", "--columns=_uuid,name,type,options,external_ids,error", "list", "Interface"),
    *("--", "--columns=other_config", "list", "Open_vSwitch"),
)
_TABLES = 4
PEER = "reconciler-peer"  # of a port: the host that the tunnel leads to
OURS = "reconciler"  # of a port: it was plugged in by us
GUESTS = ("iface-id", "vm-id", "attached-mac")  # of an interface: a machine is plugged in by it
TUNNELS = ("gre", "vxlan")
IPSEC = ("certificate", "private_key", "ca_cert", "ipsec_skb_mark")
_OPTIONS = frozenset({"remote_ip", "key", "remote_name"})
_MOST_LETTERS = 120


class Port:
    """A port of a bridge. `interface` is its only one; a bond's is empty."""

    __slots__ = ("bridge", "interface", "name", "row")

    def __init__(
        self, bridge: str, name: str, row: Mapping[str, Any], interface: Mapping[str, Any]
    ) -> None:
        self.bridge = bridge
        self.name = name
        self.row = row
        self.interface = interface

    @property
    def peer(self) -> str:
        """The host that it leads to, if it is the end of a tunnel of ours."""
        return str(self.row["external_ids"].get(PEER, ""))

    @property
    def is_ours(self) -> bool:
        """Whether we plugged it in."""
        return OURS in self.row["external_ids"]

    @property
    def is_guest(self) -> bool:
        """Whether it is there for a machine."""
        return any(key in self.interface.get("external_ids", {}) for key in GUESTS)


class Switches:
    """The bridges by name, each with its kind of datapath, all ports by name, and the settings."""

    __slots__ = ("bridges", "ports", "settings")

    def __init__(
        self, bridges: Mapping[str, str], ports: Mapping[str, Port], settings: Mapping[str, str]
    ) -> None:
        self.bridges = bridges
        self.ports = ports
        self.settings = settings

    def of(self, bridge: str) -> list[Port]:
        """The ports of a bridge but its own, sorted by name."""
        found = (port for port in self.ports.values() if port.bridge == bridge != port.name)
        return sorted(found, key=lambda port: port.name)

    def ends(self, bridge: str) -> list[Port]:
        """The ends of our tunnels on a bridge."""
        return [port for port in self.of(bridge) if port.peer]


def switches_of(text: str) -> Switches:
    """What `LISTED` prints: a table on each line."""
    bridges, ports, interfaces, settings = (_rows(line) for line in text.splitlines()[:_TABLES])
    interface_by_id = {row["_uuid"]: row for row in interfaces}
    port_by_id = {row["_uuid"]: row for row in ports}
    found = {}
    for bridge in bridges:
        for each in _listed(bridge["ports"]):
            row = port_by_id[each]
            inner = [interface_by_id[one] for one in _listed(row["interfaces"])]
            interface = inner[0] if len(inner) == 1 else {}
            found[row["name"]] = Port(bridge["name"], row["name"], row, interface)
    datapaths = {row["name"]: row["datapath_type"] or "system" for row in bridges}
    return Switches(datapaths, found, settings[0]["other_config"] if settings else {})


def told(answer: tuple[int, str, str]) -> Switches:
    """What Open vSwitch answered; nothing where it is not there, or does not run.

    Raises:
        OSError: it is there, and cannot say.
    """
    code, out, complaint = answer
    if code == 0:
        return switches_of(out)
    if code == MISSING or "database connection failed" in complaint:
        return Switches({}, {}, {})
    late = f"was not done within {_SECONDS} s" if code == TOO_LATE else complaint.strip()
    raise OSError(f"ovs-vsctl: {late or f'exit code {code}'}")


def end_of(port: Port) -> dict[str, Any]:
    """An end of a tunnel as it is told."""
    options = port.interface.get("options", {})
    key = str(options.get("key", "0"))
    return {
        "peer": port.peer,
        "name": port.name,
        "remote": str(options.get("remote_ip", "")),
        "type": str(port.interface.get("type", "")),
        "tunnel_key": int(key) if key.isdigit() else 0,
        "is_isolated": bool(port.row["protected"]),
        "remote_name": str(options.get("remote_name", "")),
        "flaws": sorted(flaws_of(port)),
    }


def flaws_of(port: Port) -> Iterator[str]:
    """What is not as we make an end, besides what is told of it anyway."""
    for name, value in port.interface.get("options", {}).items():
        is_odd = name not in _OPTIONS and (name, value) != ("df_default", "true")
        if is_odd or (name == "key" and not value.isdigit()):
            yield f"{name}={value}"[:_MOST_LETTERS]
    for name in ("tag", "trunks", "vlan_mode"):
        if port.row[name] != []:
            yield f"{name}={port.row[name]}"[:_MOST_LETTERS]
    if port.interface.get("error"):
        yield f"error: {port.interface['error']}"[:_MOST_LETTERS]


def _rows(line: str) -> list[dict[str, Any]]:
    table = json.loads(line)
    names = table["headings"]
    return [
        dict(zip(names, map(_value, row)))  # noqa: B905 (`strict` is of Python 3.10)
        for row in table["data"]
    ]


def _value(cell: Any) -> Any:
    """A cell of RFC 7047: an atom, or what it is and its content."""
    if not isinstance(cell, list):
        return cell
    sort, content = cell
    if sort == "map":
        return {key: value for key, value in content}  # noqa: C416 (pairs are lists)
    return [_value(each) for each in content] if sort == "set" else content


def _listed(value: Any) -> list[Any]:
    """A set of one is told as what is in it."""
    return value if isinstance(value, list) else [value]
