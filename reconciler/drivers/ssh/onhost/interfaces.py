"""The network interfaces of a host as `ip` tells of them: what they are, have and lead to.

All is asked once, in two questions. Of what somebody else may have given an interface only that
is told which is asked for by name: ports that are ends of guests and containers, and routes that
do not have our number.
"""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

ADDRESSES = ("ip", "-json", "-details", "address", "show")
ROUTES = ("ip", "-json", "route", "show", "table", "all")
PROTOCOL = "201"  # of the routes that we make: a number that no routing daemon has
_BY_PEOPLE = frozenset({PROTOCOL, "static", "boot"})
_EVERYWHERE = {False: "0.0.0.0/0", True: "::/0"}


class Asked:
    """What is asked by name besides an interface itself: paths of files, ports, destinations."""

    __slots__ = ("paths", "ports", "prefixes")

    def __init__(self, details: Iterable[str] = ()) -> None:
        self.paths: set[str] = set()
        self.ports: set[str] = set()
        self.prefixes: set[str] = set()
        self.add(details)

    def add(self, details: Iterable[str]) -> None:
        """Ask for these, too."""
        for each in details:
            if each.startswith("/"):
                self.paths.add(each)
            elif "/" in each:
                self.prefixes.add(each)
            else:
                self.ports.add(each)


def asked_of(questions: Iterable[dict[str, Any]]) -> dict[str, Asked]:
    """What all questions of one name ask together: what is not wanted any more is still seen."""
    found: dict[str, Asked] = {}
    for question in questions:
        found.setdefault(question["name"], Asked()).add(question["details"])
    return found


class Interfaces:
    """All interfaces of a host, by name, and the routes that people or programs like us made."""

    __slots__ = ("links", "routes")

    def __init__(self, addresses: str, routes: str) -> None:
        """Given is what the two questions are answered.

        Raises:
            ValueError: that cannot be read.
        """
        self.links: dict[str, dict[str, Any]] = {
            link["ifname"]: link for link in _listed(addresses) if "ifname" in link
        }
        self.routes = [route for route in map(_route, _listed(routes)) if route is not None]

    def kind(self, name: str) -> str:
        """What an interface is, such as `bridge` or `veth`; `ether` if it is a plain one."""
        link = self.links[name]
        return str(link.get("linkinfo", {}).get("info_kind") or link.get("link_type") or "?")

    def data(self, name: str) -> dict[str, Any]:
        """What only interfaces of its kind have."""
        told: dict[str, Any] = self.links[name].get("linkinfo", {}).get("info_data") or {}
        return told

    def master(self, name: str) -> str | None:
        """What an interface is plugged into, or a member of."""
        found = self.links.get(name, {}).get("master")
        return None if found is None else str(found)

    def plugged(self, name: str) -> list[str]:
        """All that is plugged into an interface."""
        return sorted(port for port in self.links if self.master(port) == name)

    def is_end(self, name: str) -> bool:
        """Whether it is the end of a guest, or of a container, whose other end is elsewhere."""
        kind = self.kind(name)
        return kind == "tun" or (kind == "veth" and "link_netnsid" in self.links[name])

    def addresses(self, name: str) -> list[str]:
        """The addresses that somebody gave an interface for good, with their prefix, sorted."""
        return sorted(
            f"{each['local']}/{each['prefixlen']}"
            for each in self.links[name].get("addr_info", ())
            if each.get("scope") == "global" and not each.get("dynamic") and "address" not in each
        )

    def routes_of(self, name: str, prefixes: Iterable[str]) -> list[dict[str, str]]:
        """The routes of an interface that are ours or asked for, and blackholes asked for."""
        prefixes = frozenset(prefixes)
        found = []
        for route in self.routes:
            is_asked = route["to"] in prefixes
            is_ours = route["dev"] == name and route["protocol"] == PROTOCOL
            if route["type"] == "blackhole":
                is_of_it = is_asked
            else:
                is_of_it = route["dev"] == name and (is_asked or is_ours)
            if is_of_it:
                found.append({key: route[key] for key in ("to", "via", "type")})
        return sorted(found, key=lambda each: (each["to"], each["via"], each["type"]))

    def has(self, name: str, asked: Asked) -> dict[str, Any]:
        """What an interface has, as facts about it and about switches say it."""
        link = self.links[name]
        return {
            "mtu": link.get("mtu"),
            "is_up": "UP" in link.get("flags", ()),
            "addresses": self.addresses(name),
            "routes": self.routes_of(name, asked.prefixes),
        }


def _listed(text: str) -> list[dict[str, Any]]:
    """A list of objects; without any, `ip` says nothing."""
    told = json.loads(text or "[]")
    if not isinstance(told, list) or not all(isinstance(each, dict) for each in told):
        raise ValueError("ip does not tell what it should")
    return told


def _route(told: dict[str, Any]) -> dict[str, str] | None:
    """A route of the main table that a person or a program like us made."""
    protocol = str(told.get("protocol", "boot"))
    kind = str(told.get("type", "unicast"))
    is_main = told.get("table", "main") == "main"
    if not is_main or protocol not in _BY_PEOPLE or kind not in {"unicast", "blackhole"}:
        return None
    device = "" if kind == "blackhole" else str(told.get("dev", ""))
    to, via = str(told.get("dst", "")), str(told.get("gateway", ""))
    is_six = ":" in via or ":" in to
    return {
        "to": _EVERYWHERE[is_six] if to == "default" else _with_length(to),
        "via": via,
        "type": kind,
        "dev": device,
        "protocol": protocol,
    }


def _with_length(to: str) -> str:
    return to if "/" in to else f"{to}/{128 if ':' in to else 32}"


def ends_of(interfaces: Interfaces, name: str) -> Iterator[str]:
    """The guests' and containers' ends that are plugged into a bridge."""
    return (port for port in interfaces.plugged(name) if interfaces.is_end(port))


def on_top_of(interfaces: Interfaces, name: str) -> list[str]:
    """What goes with an interface: VLANs of it, and guests' and containers' parts of it."""
    return sorted(
        other
        for other, link in interfaces.links.items()
        if link.get("link") == name and "link_netnsid" not in link
        if interfaces.kind(other) != "veth"  # which is the other end of a pair, and not on top
    )
