"""Questions about switches of Open vSwitch, and about the ends of our tunnels on them."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.drivers.ssh.onhost.boot_files import files_at
from reconciler.drivers.ssh.onhost.interfaces import asked_of
from reconciler.drivers.ssh.onhost.look_links import interfaces_seen
from reconciler.drivers.ssh.onhost.ovs import IPSEC, LISTED, end_of, told
from reconciler.drivers.ssh.onhost.programs import ask

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from reconciler.drivers.ssh.onhost.interfaces import Asked, Interfaces
    from reconciler.drivers.ssh.onhost.ovs import Port, Switches
    from reconciler.drivers.ssh.onhost.remembered import Remembered


def switches(questions: list[dict[str, Any]], known: Remembered) -> Iterator[dict[str, Any] | None]:
    """The answers about switches.

    Raises:
        OSError: Open vSwitch or `ip` cannot say.
    """
    there, interfaces, wanted = told(ask(LISTED)), interfaces_seen(), asked_of(questions)
    for question in questions:
        asked = wanted[question["name"]]
        fact = switch_of(there, interfaces, question["name"], asked)
        files = files_at(known, asked.paths)
        is_there = fact["datapath"] or fact["routes"] or files
        yield {**fact, "files": files} if is_there else None


def switch_of(there: Switches, interfaces: Interfaces, name: str, asked: Asked) -> dict[str, Any]:
    """A switch with the ports that are ours or asked for; one without a datapath is not there.

    While Open vSwitch does not serve it, its interface is not there.
    """
    ports = [
        port.name
        for port in there.of(name)
        if not port.peer and (port.is_ours or port.name in asked.ports)
    ]
    if name in interfaces.links:
        has = interfaces.has(name, asked)
    else:
        routes = interfaces.routes_of(name, asked.prefixes)
        has = {"mtu": None, "is_up": False, "addresses": [], "routes": routes}
    return {"datapath": there.bridges.get(name, ""), "ports": ports, **has}


def tunnels(questions: list[dict[str, Any]], known: Remembered) -> Iterator[dict[str, Any] | None]:
    """The answers about tunnels: those that lead from a switch and are ours.

    Raises:
        OSError: Open vSwitch cannot say.
    """
    del known
    there = told(ask(LISTED))
    for question in questions:
        yield tunnels_of(there, question["name"])


def tunnels_of(there: Switches, bridge: str) -> dict[str, Any] | None:
    """Our tunnels on a bridge; None if there is none."""
    ends = there.ends(bridge)
    if not ends:
        return None
    is_encrypted = any("remote_name" in end.interface.get("options", {}) for end in ends)
    settings = [str(there.settings.get(name, "")) for name in IPSEC] if is_encrypted else []
    return {"ports": list(_told(ends)), "ipsec": settings}


def _told(ends: list[Port]) -> Iterator[dict[str, Any]]:
    """One end for each peer; a second one is a flaw of the first."""
    by_peer: dict[str, list[Port]] = {}
    for end in ends:
        by_peer.setdefault(end.peer, []).append(end)
    for _, (first, *others) in sorted(by_peer.items()):
        fact = end_of(first)
        flaws = sorted([*fact["flaws"], *(f"also {other.name}" for other in others)])
        yield {**fact, "flaws": flaws}
