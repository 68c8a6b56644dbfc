"""Files from which an interface is set up at boot, for each of the tools that do it.

Pure. Every name, prefix and number in them has a closed form, which the documents' checks see to.

A port, and the parent of a VLAN, is told of what it is part of in a file of its own. For networkd
that is a file for the interface and a drop-in beside it for each thing that it is part of, so that
several things can have a part in one interface; the file goes with the last of its drop-ins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from reconciler.ports.network_acts import Tool
from reconciler.ports.network_facts import Route, TextFile

HEADER = "# Written by reconciler; what is changed here by hand is lost.\n"
PROTOCOL = 186  # of the routes that we make
NETWORKD = "/etc/systemd/network"
NETPLAN = "/etc/netplan"
IFUPDOWN = "/etc/network/interfaces.d"


@dataclass(frozen=True, slots=True)
class BootLink:
    """An interface as it is to be after a boot.

    `internal`: somebody else makes it (Open vSwitch), and only what it has is set here. `declared`
    are the interfaces of the host for which there are such files anyway, among its ports and
    parents.
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
    declared: frozenset[str] = frozenset()


def boot_files(link: BootLink, tool: Tool) -> tuple[TextFile, ...]:
    """The files that set up an interface at boot, sorted by path."""
    return tuple(sorted(_TOOLS[tool](link)))


def _text(path: str, *lines: str) -> TextFile:
    return TextFile(path, HEADER + "".join(f"{line}\n" for line in lines))


def _networkd(link: BootLink) -> Iterator[TextFile]:
    yield _text(f"{NETWORKD}/x")


def _netplan(link: BootLink) -> Iterator[TextFile]:
    yield _text(f"{NETPLAN}/x")


def _ifupdown2(link: BootLink) -> Iterator[TextFile]:
    yield _text(f"{IFUPDOWN}/reconciler-{link.name}")


_TOOLS: Mapping[Tool, Callable[[BootLink], Iterator[TextFile]]] = {
    "networkd": _networkd,
    "netplan": _netplan,
    "ifupdown2": _ifupdown2,
}
