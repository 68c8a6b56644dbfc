"""Where the files of a name server are on its host. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from reconciler.config.nameserver import INSIDE, Nameserver, View

Software = Literal["bind", "nsd", "knot", "bind-files"]
NOBODYS = "none.conf"  # none of the programs likes to include nothing at all


@dataclass(frozen=True, slots=True)
class Places:
    """A program, and where it and its files are.

    `group` is the one that it reads its keys as, `home` a directory that it writes zones in, and
    `lists` where the lists of zones are that are written with the files of zones.
    """

    unit: str
    packages: tuple[str, ...]
    configuration: str
    keys: str
    group: str
    home: str = ""
    lists: str = ""

    def listed(self, view: View = INSIDE) -> str:
        """The directory of the list of the zones of a view."""
        return self.lists if view == INSIDE else f"{self.lists}-{view}"

    def included(self, view: View = INSIDE) -> str:
        """What the configuration includes: the list, once it is there."""
        return f"{self.listed(view)}/*.conf"


_BIND = ("named", ("bind9",), "/etc/bind/named.conf", "/etc/bind/reconciler.keys", "bind")
_PLACES: Mapping[Software, Places] = {
    # Debian's rules of AppArmor let named read and write there.
    "bind": Places(*_BIND, home="/var/lib/bind/reconciler"),
    "bind-files": Places(*_BIND, lists="/etc/bind/reconciler-zones"),
    "nsd": Places(
        "nsd",
        ("nsd",),
        "/etc/nsd/nsd.conf",
        "/etc/nsd/reconciler.keys",
        "nsd",
        lists="/etc/nsd/reconciler-zones",
    ),
    "knot": Places(
        "knot",
        ("knot",),
        "/etc/knot/knot.conf",
        "/etc/knot/reconciler.keys",
        "knot",
        lists="/etc/knot/reconciler-zones",
    ),
}


def places_of(server: Nameserver) -> Places:
    """Where the files of a name server are on each of its hosts."""
    return _PLACES[server.software]
