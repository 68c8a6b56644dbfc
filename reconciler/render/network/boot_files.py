"""Files from which an interface is set up at boot, for each of the tools that do it.

Pure. Every name, prefix and number in them has a closed form, which the documents' checks see to.

A port, and the parent of a VLAN, is told of what it is part of in a file of its own. For networkd
that is a file for the interface and a drop-in beside it for each thing that it is part of, so that
several things can have a part in one interface; the file goes with the last of its drop-ins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from reconciler.ports.network_acts import Tool
from reconciler.ports.network_facts import Route, TextFile

HEADER = "# Written by reconciler; what is changed here by hand is lost.\n"
PROTOCOL = 201  # of the routes that we make: a number that no routing daemon has
NETWORKD = "/etc/systemd/network"
NETPLAN = "/etc/netplan"
IFUPDOWN = "/etc/network/interfaces.d"
MONITOR_MILLISECONDS = 100  # how often a bond looks whether its members have a carrier
# Of the files of networkd for an interface the first holds. A port is what we say; of the parent of
# a VLAN we know nothing else, so that whatever else there is for it goes before.
RANK, LAST = "50", "zz"


@dataclass(frozen=True, slots=True)
class BootLink:
    """An interface as it is to be after a boot.

    `internal`: somebody else makes it (Open vSwitch), and only what it has is set here. `declared`
    are the interfaces of the host for which there are such files anyway, with their types.
    """

    name: str
    type: Literal["bridge", "vlan", "bond", "internal"]
    ports: tuple[str, ...] = ()
    parent: str | None = None
    vlan: int | None = None
    mode: str | None = None
    mtu: int | None = None
    addresses: tuple[str, ...] | None = None
    routes: tuple[Route, ...] = ()
    declared: Mapping[str, str] = field(default_factory=dict)


def boot_files(link: BootLink, tool: Tool) -> tuple[TextFile, ...]:
    """The files that set up an interface at boot, sorted by path."""
    return tuple(sorted(_TOOLS[tool](link)))


def _text(path: str, *lines: str) -> TextFile:
    return TextFile(path, HEADER + "".join(f"{line}\n" for line in lines))


def _networkd(link: BootLink) -> Iterator[TextFile]:
    base = f"{NETWORKD}/{RANK}-reconciler-{link.name}"
    if link.type != "internal":
        yield _text(f"{base}.netdev", *_netdev(link))
    yield _text(f"{base}.network", *_network(link))
    for port in link.ports:
        part = "Bond" if link.type == "bond" else "Bridge"
        lines = ("[Network]", f"{part}={link.name}", "LinkLocalAddressing=no")
        yield from _part_in(port, link, RANK, lines)
    if link.parent:
        rank = RANK if link.parent in link.declared else LAST
        yield from _part_in(link.parent, link, rank, ("[Network]", f"VLAN={link.name}"))


def _netdev(link: BootLink) -> Iterator[str]:
    yield from ("[NetDev]", f"Name={link.name}", f"Kind={link.type}")
    if link.type == "vlan":
        yield from ("", "[VLAN]", f"Id={link.vlan}")
    if link.type == "bond":
        yield from ("", "[Bond]", f"Mode={link.mode}", f"MIIMonitorSec={MONITOR_MILLISECONDS}ms")


def _network(link: BootLink) -> Iterator[str]:
    yield from ("[Match]", f"Name={link.name}", "", "[Link]")
    if link.mtu:
        yield f"MTUBytes={link.mtu}"
    # Who waits at boot for the network would wait for a plug in an empty bridge.
    yield f"RequiredForOnline={'yes' if link.ports or link.parent else 'no'}"
    yield from ("", "[Network]", "ConfigureWithoutCarrier=yes")
    if link.addresses is None:
        yield "KeepConfiguration=yes"
    yield from (f"Address={address}" for address in link.addresses or ())
    for route in link.routes:
        yield from ("", "[Route]", f"Destination={route.to}", f"Protocol={PROTOCOL}")
        if route.type == "blackhole":
            yield "Type=blackhole"
        else:
            yield f"Gateway={route.via}" if route.via else "Scope=link"


def _part_in(name: str, link: BootLink, rank: str, lines: tuple[str, ...]) -> Iterator[TextFile]:
    """What makes an interface part of another, and the file that this goes with."""
    path = f"{NETWORKD}/{rank}-reconciler-{name}.network"
    if name not in link.declared:
        yield _text(path, "[Match]", f"Name={name}", "", "[Network]", "KeepConfiguration=yes")
    yield _text(f"{path}.d/{link.name}.conf", *lines)


def _netplan(link: BootLink) -> Iterator[TextFile]:
    lines = ["network:", "  version: 2"]
    others = [*link.ports, *([link.parent] if link.parent else [])]
    if bare := [name for name in others if name not in link.declared]:
        lines += ["  ethernets:", *(f'    "{name}": {{}}' for name in bare)]
    lines += [f"  {_NETPLAN_SECTIONS[link.type]}:", f'    "{link.name}":']
    lines += (f"      {line}" for line in _netplan_fields(link))
    # Netplan reads file by file, and knows in each only what the ones before it are about.
    is_on_bridge = link.declared.get(link.parent or "") in {"bridge", "switch"}
    rank = 93 if is_on_bridge else _NETPLAN_RANKS[link.type]
    yield _text(f"{NETPLAN}/{rank}-reconciler-{link.name}.yaml", *lines)


def _netplan_fields(link: BootLink) -> Iterator[str]:
    yield from _netplan_kind(link)
    if not (link.ports or link.parent):
        yield "optional: true"
    if link.mtu:
        yield f"mtu: {link.mtu}"
    if link.addresses:
        yield f"addresses: [{', '.join(map(_quoted, link.addresses))}]"
    if link.routes:
        yield "routes:"
        yield from (f"- {{{_netplan_route(route)}}}" for route in link.routes)


def _netplan_kind(link: BootLink) -> Iterator[str]:
    if link.type in {"bridge", "bond"}:
        yield f"interfaces: [{', '.join(map(_quoted, link.ports))}]"
    if link.type == "bridge":
        yield "parameters: {stp: false}"
    elif link.type == "bond":
        yield f"parameters: {{mode: {link.mode}, mii-monitor-interval: {MONITOR_MILLISECONDS}}}"
    elif link.type == "vlan":
        yield from (f"id: {link.vlan}", f"link: {_quoted(link.parent or '')}")
    else:
        yield "ignore-carrier: true"


def _netplan_route(route: Route) -> str:
    to = f"to: {_quoted(route.to)}"
    if route.type == "blackhole":
        return f"{to}, type: blackhole"
    return f"{to}, via: {_quoted(route.via)}" if route.via else f"{to}, scope: link"


def _quoted(text: str) -> str:
    return f'"{text}"'


def _ifupdown2(link: BootLink) -> Iterator[TextFile]:
    method = "static" if link.addresses else "manual"
    lines = [f"auto {link.name}", f"iface {link.name} inet {method}"]
    lines += (f"    {line}" for line in _ifupdown2_fields(link))
    yield _text(f"{IFUPDOWN}/reconciler-{link.name}", *lines)


def _ifupdown2_fields(link: BootLink) -> Iterator[str]:
    if link.type == "bridge":
        yield from (f"bridge-ports {' '.join(link.ports) or 'none'}", "bridge-stp off")
        yield "bridge-fd 0"
    elif link.type == "bond":
        yield from (f"bond-slaves {' '.join(link.ports)}", f"bond-mode {link.mode}")
        yield f"bond-miimon {MONITOR_MILLISECONDS}"
    elif link.type == "vlan":
        yield from (f"vlan-raw-device {link.parent}", f"vlan-id {link.vlan}")
    if link.mtu and link.type == "bridge":  # which ifupdown2 would rather have from its ports
        yield f"post-up ip link set dev {link.name} mtu {link.mtu}"
    elif link.mtu:
        yield f"mtu {link.mtu}"
    yield from (f"address {address}" for address in link.addresses or ())
    for route in link.routes:
        yield f"post-up ip route replace {_ip_route(route, link.name)} proto {PROTOCOL}"


def _ip_route(route: Route, name: str) -> str:
    if route.type == "blackhole":
        return f"blackhole {route.to}"
    return f"{route.to} via {route.via} dev {name}" if route.via else f"{route.to} dev {name}"


_NETPLAN_SECTIONS: Mapping[str, str] = {
    "bridge": "bridges",
    "vlan": "vlans",
    "bond": "bonds",
    "internal": "ethernets",
}
_NETPLAN_RANKS: Mapping[str, int] = {"bond": 90, "vlan": 91, "internal": 91, "bridge": 92}
_TOOLS: Mapping[Tool, Callable[[BootLink], Iterator[TextFile]]] = {
    "networkd": _networkd,
    "netplan": _netplan,
    "ifupdown2": _ifupdown2,
}
