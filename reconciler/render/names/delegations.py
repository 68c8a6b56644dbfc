"""Where zones end: parts that other servers, or other zones of ours, answer for.

A zone inside another one of ours is delegated from it. What a document says under `delegations`
belongs to somebody else. Behind the last octet, each address gets a CNAME into the delegated zone
(RFC 2317).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_network

from reconciler.config.records import absolute
from reconciler.config.repository import Documents
from reconciler.config.zones import DelegationField, Zone
from reconciler.model.position import Problem
from reconciler.render.names.ground import APEX, Ground, Plot
from reconciler.render.names.named import Where
from reconciler.render.names.reverse import Cover, Ip, covers_of_prefix, pointer
from reconciler.render.names.shared import inside
from reconciler.render.names.written import servers


@dataclass(frozen=True, slots=True)
class Cut:
    """A name from which on others answer. `is_written`: the NS record is written by hand."""

    servers: tuple[str, ...]
    what: str
    where: Where
    is_written: bool = False


@dataclass(frozen=True, slots=True)
class Border:
    """The cuts of one zone by name in it, and the CNAMEs into classless zones."""

    cuts: dict[str, Cut] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)

    def above(self, name: str) -> Cut | None:
        """The cut at or above a name."""
        while name and self.cuts:
            if cut := self.cuts.get(name):
                return cut
            name = name.partition(".")[2]
        return None


_Layers = tuple[Documents, Ground, Mapping[Plot, Border]]


def is_named_elsewhere(
    ground: Ground, borders: Mapping[Plot, Border], plot: Plot, address: Ip
) -> bool:
    """Whether somebody else names an address in a reverse zone of ours."""
    if plot.cover is None:
        return True
    name = plot.relative(pointer(address, plot.cover))
    if name in borders[plot].aliases or borders[plot].above(name) is not None:
        return True
    around = ground.around(plot) if plot.cover.is_classless else None
    if around is None:
        return False
    alias = borders[around].aliases.get(around.relative(address.reverse_pointer))
    return alias is not None and alias != f"{name}.{plot.origin}."


def borders_of(
    documents: Documents, ground: Ground, problems: list[Problem]
) -> Mapping[Plot, Border]:
    """The borders of all zones."""
    borders = {plot: Border() for plot in ground.plots}
    for plot in ground.plots:
        around = ground.around(plot)
        if around is not None:
            cut = Cut(servers(plot.zone), f"zone {plot.origin}", ("Zone", plot.zone.name))
            borders[around].cuts[around.relative(plot.origin)] = cut
            if plot.cover is not None and plot.cover.is_classless:
                _lead_into(ground, borders, around, plot.cover)
    for plot in ground.plots:
        if plot.is_forward:
            for index, said in enumerate(plot.zone.delegations):
                where = ("Zone", plot.zone.name, "delegations", str(index))
                cut = Cut(_servers(plot.zone, said), f"the delegation of {said.to}", where)
                problems += _delegate((documents, ground, borders), plot, said.to, cut)
            _written_cuts(plot, borders[plot])
    return borders


def _delegate(layers: _Layers, plot: Plot, to: str, cut: Cut) -> Iterator[Problem]:
    """Put one delegation where it belongs."""
    documents, ground, borders = layers
    found = list(_places(ground, plot, to))
    for around, name, cover in found:
        other = borders[around].cuts.setdefault(name, cut)
        if other is not cut:
            there = documents.position(*other.where)
            what = f"{to} is delegated already: {other.what} ({there})"
            yield Problem(documents.position(*cut.where), what, "remove one of them")
        elif cover is not None and cover.is_classless:
            _lead_into(ground, borders, around, cover)
    if not found:
        what = f"{to} is in no zone that zone {plot.zone.name} makes"
        remedy = "write a name inside the zone, or a prefix inside those under `reverse`"
        yield Problem(documents.position(*cut.where), what, remedy)


def _servers(zone: Zone, said: DelegationField) -> tuple[str, ...]:
    return tuple(sorted({absolute(name, zone.zone_name) for name in said.nameservers}))


def _places(ground: Ground, plot: Plot, to: str) -> Iterator[tuple[Plot, str, Cover | None]]:
    """The zones of the same document that delegate it, and the name there."""
    if "/" not in to:
        full = inside(to, plot.origin)
        if full != plot.origin and plot.holds(full):
            yield plot, plot.relative(full), None
        return
    for cover in covers_of_prefix(ip_network(to)):
        around = ground.holder(plot.view, cover.origin.partition(".")[2])
        if around is not None and around.zone is plot.zone and around.cover is not None:
            yield around, around.relative(cover.origin), cover


def _lead_into(ground: Ground, borders: Mapping[Plot, Border], around: Plot, cover: Cover) -> None:
    """A CNAME for each address of a classless zone, unless a longer prefix of ours has it."""
    for address in cover.prefix:
        plot = ground.naming(address, around.view)
        length = plot.cover.prefix.prefixlen if plot and plot.cover else 0
        if length <= cover.prefix.prefixlen:
            name = around.relative(address.reverse_pointer)
            borders[around].aliases[name] = f"{pointer(address, cover)}."


def _written_cuts(plot: Plot, border: Border) -> None:
    """NS records by hand, below the apex."""
    for record in plot.written:
        if record.type == "NS" and record.name != APEX:
            where = ("Zone", plot.zone.name, "records", record.key)
            cut = Cut(record.values, f"the NS record of {record.name}", where, is_written=True)
            border.cuts.setdefault(record.name, cut)
