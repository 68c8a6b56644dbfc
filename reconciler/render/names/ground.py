"""The zones that the documents of an environment speak of, and which of them holds a name.

A Zone document is a zone, and with `reverse` some reverse zones beside it. Each view of a server
is a world of its own: a name or an address is looked up in one of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from ipaddress import ip_network

from reconciler.config.nameserver import INSIDE, OUTSIDE, View
from reconciler.config.repository import Documents
from reconciler.config.zones import Zone
from reconciler.model.position import Problem
from reconciler.ports.nameserver import RecordSet
from reconciler.render.names.reverse import (
    Cover,
    Ip,
    cover_of_network,
    covers_of_prefix,
    prefix_of,
)
from reconciler.render.names.written import written

VIEWS: tuple[View, ...] = (INSIDE, OUTSIDE)
APEX = "@"


@dataclass(frozen=True, eq=False)
class Plot:
    """One zone in DNS, and the document it follows from. `cover`: what it names, if reverse."""

    origin: str
    zone: Zone
    cover: Cover | None = None

    @property
    def view(self) -> View:
        """Who is answered from it."""
        return self.zone.view

    @property
    def is_forward(self) -> bool:
        """Whether it is the zone that the document is named for, and not one of its `reverse`."""
        return self.origin == self.zone.zone_name

    @cached_property
    def written(self) -> tuple[RecordSet, ...]:
        """Its records by hand."""
        return written(self.zone) if self.is_forward else ()

    @property
    def is_dynamic(self) -> bool:
        """Whether DHCP servers write its names."""
        return self.zone.updated_by == "dhcp"

    def relative(self, fqdn: str) -> str:
        """A name as it stands in the zone."""
        return APEX if fqdn == self.origin else fqdn.removesuffix(f".{self.origin}")

    def holds(self, fqdn: str) -> bool:
        """Whether a name is in it, or below it."""
        return fqdn == self.origin or fqdn.endswith(f".{self.origin}")


@dataclass(frozen=True)
class Ground:
    """All zones, forward ones first."""

    plots: tuple[Plot, ...]

    @cached_property
    def _by_name(self) -> dict[tuple[View, str], Plot]:
        return {(plot.view, plot.origin): plot for plot in reversed(self.plots)}

    @cached_property
    def _by_prefix(self) -> dict[View, dict[tuple[int, int], dict[int, Plot]]]:
        """Reverse zones by view, by version and the bits behind the prefix, and by the prefix."""
        found: dict[View, dict[tuple[int, int], dict[int, Plot]]] = {view: {} for view in VIEWS}
        for plot in self.plots:
            if plot.cover is not None:
                prefix = plot.cover.prefix
                behind = prefix.max_prefixlen - prefix.prefixlen
                level = found[plot.view].setdefault((prefix.version, behind), {})
                level.setdefault(int(prefix.network_address) >> behind, plot)
        return {view: dict(sorted(levels.items())) for view, levels in found.items()}

    def holder(self, view: View, fqdn: str) -> Plot | None:
        """The zone that a name belongs to: the longest one it ends with."""
        while fqdn:
            if plot := self._by_name.get((view, fqdn)):
                return plot
            fqdn = fqdn.partition(".")[2]
        return None

    def around(self, plot: Plot) -> Plot | None:
        """The zone that a zone is delegated from, if it is one of these."""
        return self.holder(plot.view, plot.origin.partition(".")[2])

    def naming(self, address: Ip, view: View) -> Plot | None:
        """The reverse zone in which an address stands: that of the longest prefix."""
        number = int(address)
        for (version, behind), level in self._by_prefix[view].items():
            if version == address.version and (plot := level.get(number >> behind)):
                return plot
        return None


def ground_of(documents: Documents, problems: list[Problem]) -> Ground:
    """The zones of the documents; what is made twice is a problem."""
    forward = [
        Plot(zone.zone_name, zone, _own_cover(zone.zone_name)) for zone in documents.zones.values()
    ]
    reverse = [
        Plot(cover.origin, zone, cover)
        for zone in documents.zones.values()
        for cover in _covers(documents, zone)
    ]
    made: dict[tuple[View, str], Plot] = {}
    for plot in (*forward, *reverse):
        other = made.setdefault((plot.view, plot.origin), plot)
        if other is not plot:
            problems.append(_made_twice(documents, plot, other))
    return Ground(tuple(made.values()))


def _own_cover(origin: str) -> Cover | None:
    prefix = prefix_of(origin)
    return Cover(origin, prefix) if prefix is not None else None


def _covers(documents: Documents, zone: Zone) -> Iterator[Cover]:
    """The reverse zones beside a zone, each once."""
    found = (cover for item in zone.reverse for cover in _covers_of(documents, item))
    yield from {cover.origin: cover for cover in found}.values()


def _covers_of(documents: Documents, item: str) -> Iterator[Cover]:
    if "/" in item:
        yield from covers_of_prefix(ip_network(item))
    else:
        yield cover_of_network(documents.networks[item].subnet)


def _made_twice(documents: Documents, plot: Plot, other: Plot) -> Problem:
    path = ("origin",) if plot.is_forward else ("reverse",)
    position = documents.position("Zone", plot.zone.name, *path)
    there = documents.position("Zone", other.zone.name)
    what = f"zone {plot.origin} comes from zone {other.zone.name} already ({there})"
    return Problem(position, what, "let one zone list it, or give one of them another view")
