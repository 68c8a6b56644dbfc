"""What stands in each zone: generated records, those by hand, and what holds zones together.

Generated and hand-written records never share a name in a way that one of them would be lost, and
each name server inside a zone of ours has its address there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from reconciler.config.naming import Scheme
from reconciler.config.repository import Documents
from reconciler.model.position import Position, Problem
from reconciler.ports.nameserver import RecordSet
from reconciler.render.names.delegations import Border, Cut
from reconciler.render.names.ground import APEX, Ground, Plot
from reconciler.render.names.named import type_of
from reconciler.render.names.placing import Placed, Places
from reconciler.render.names.shared import is_maker
from reconciler.render.names.written import servers, ttl_seconds

ADDRESSES = frozenset({"A", "AAAA"})
Sets = dict[str, RecordSet]  # by key


@dataclass(frozen=True)
class Layout:
    """Everything that is known of the zones before their contents are put together."""

    documents: Documents
    ground: Ground
    borders: Mapping[Plot, Border]
    places: Places


def contents(layout: Layout, problems: list[Problem]) -> Mapping[Plot, tuple[RecordSet, ...]]:
    """The records of each zone as far as this environment writes them, sorted."""
    generated = {plot: _generated(plot, layout.places[plot]) for plot in layout.ground.plots}
    by_hand = {
        plot: {record.key: record for record in plot.written} for plot in layout.ground.plots
    }
    for plot in layout.ground.plots:
        problems += _clashes(layout, plot, by_hand[plot])
        problems += _outside_the_scheme(layout, plot)
    for plot in layout.ground.plots:
        problems += _hidden(layout, plot, by_hand[plot])
    known = {plot: by_hand[plot] | generated[plot] for plot in layout.ground.plots}
    for plot in layout.ground.plots:
        _add_homes(layout, plot, known)
    found = {}
    for plot in layout.ground.plots:
        records = generated[plot]
        if is_maker(layout.documents, plot.zone):
            records = known[plot] | _skeleton(layout, plot, known)
        found[plot] = tuple(sorted(records.values()))
    return found


def _generated(plot: Plot, places: Sequence[Placed]) -> Sets:
    values: dict[tuple[str, str], set[str]] = defaultdict(set)
    for each in places:
        values[each.name, each.type].add(each.value)
    sets = (
        RecordSet(name, kind, ttl_seconds(plot.zone, kind), tuple(sorted(found)))
        for (name, kind), found in values.items()
    )
    return {record.key: record for record in sets}


def _clashes(layout: Layout, plot: Plot, by_hand: Sets) -> Iterator[Problem]:
    """Two things of one name, and records by hand in the way of generated ones."""
    documents = layout.documents
    first: dict[str, Placed] = {}
    types: dict[str, set[str]] = defaultdict(set)
    for each in layout.places[plot]:
        other = first.setdefault(each.name, each)
        types[each.name].add(each.type)
        if other.entry.what != each.entry.what and each.type != "PTR":
            there = documents.position(*other.entry.where)
            name = each.entry.fqdn
            what = f"{name} is the name of {each.entry.what} and of {other.entry.what} ({there})"
            position = documents.position(*each.entry.where)
            yield Problem(position, what, "give one of them another name")
    for record in by_hand.values():
        beside = types.get(record.name, set())
        if beside and (record.type in beside or "CNAME" in {record.type, *beside}):
            owner = first[record.name].entry
            place = documents.position(*owner.where)
            what = f"{record.name} in zone {plot.origin} is the name of {owner.what} ({place})"
            remedy = "remove this record, or use another name"
            yield Problem(_record_position(documents, plot, record.key), what, remedy)


def _outside_the_scheme(layout: Layout, plot: Plot) -> Iterator[Problem]:
    """Names that are not what the naming scheme of the zone says."""
    scheme = Scheme.of(plot.zone.naming.patterns)
    entries = {each.name: each.entry for each in layout.places[plot] if plot.is_forward}
    for name, entry in entries.items() if scheme.endings else ():
        if patterns := scheme.broken_by(name):
            there = layout.documents.position("Zone", plot.zone.name, "naming", "patterns")
            what = f"{entry.what} is called {entry.fqdn}, which is not {' or '.join(patterns)}"
            position = layout.documents.position(*entry.where)
            yield Problem(position, f"{what} ({there})", "give it a name of that form")


def _hidden(layout: Layout, plot: Plot, by_hand: Sets) -> Iterator[Problem]:
    """Records at or below a cut that are not the addresses of name servers: nobody gets to them."""
    documents, border = layout.documents, layout.borders[plot]
    if not border.cuts:
        return
    homes = {name for cut in border.cuts.values() for name in cut.servers} | {*servers(plot.zone)}
    for each in layout.places[plot]:
        if cut := border.above(each.name):
            position = documents.position(*each.entry.where)
            yield _behind(
                documents, f"{each.entry.what} is called {each.entry.fqdn}", cut, position
            )
    for record in by_hand.values():
        cut = border.above(record.name)
        is_glue = record.type in ADDRESSES and f"{record.name}.{plot.origin}." in homes
        is_cut = record.type == "NS" and record.name in border.cuts
        if cut and not is_glue and not (is_cut and cut.is_written):
            position = _record_position(documents, plot, record.key)
            yield _behind(
                documents, f"{record.name} {record.type} in zone {plot.origin}", cut, position
            )


def _behind(documents: Documents, what: str, cut: Cut, position: Position) -> Problem:
    there = documents.position(*cut.where)
    told = f"{what}, but that is behind {cut.what} ({there}), and nobody would find it"
    return Problem(position, told, "write it into the zone that answers for it")


def _record_position(documents: Documents, plot: Plot, key: str) -> Position:
    return documents.position("Zone", plot.zone.name, "records", key)


def _add_homes(layout: Layout, plot: Plot, known: Mapping[Plot, Sets]) -> None:
    """A name server of the zone that is called like a host that runs it has that one's address."""
    documents = layout.documents
    server = documents.nameservers.get(plot.zone.server)
    if server is None:
        return
    places = {place.name: place.address for place in server.hosts}
    for target in (name.removesuffix(".") for name in servers(plot.zone)):
        home = layout.ground.holder(plot.view, target)
        label = target.partition(".")[0]
        if home is None or label not in places or label not in documents.hosts:
            continue
        name = home.relative(target)
        if not any(record.name == name for record in known[home].values()):
            address = places[label] or documents.hosts[label].address
            kind = type_of(address)
            record = RecordSet(name, kind, ttl_seconds(home.zone, kind), (str(address),))
            known[home][record.key] = record


def _skeleton(layout: Layout, plot: Plot, known: Mapping[Plot, Sets]) -> Sets:
    """NS records of the zone and of what is delegated from it, glue, and CNAMEs of RFC 2317."""
    zone, border = plot.zone, layout.borders[plot]
    ttl = ttl_seconds(zone, "NS")
    sets = [RecordSet(APEX, "NS", ttl, servers(zone))]
    sets += [
        RecordSet(name, "NS", ttl, cut.servers)
        for name, cut in border.cuts.items()
        if not cut.is_written
    ]
    ttl = ttl_seconds(zone, "CNAME")
    sets += [RecordSet(name, "CNAME", ttl, (target,)) for name, target in border.aliases.items()]
    for target in {*servers(zone), *(name for cut in border.cuts.values() for name in cut.servers)}:
        if plot.holds(target.removesuffix(".")):
            sets += _glue(layout, plot, target, known)
    return {record.key: record for record in sets}


def _glue(
    layout: Layout, plot: Plot, target: str, known: Mapping[Plot, Sets]
) -> tuple[RecordSet, ...]:
    """The addresses of a name server inside the zone that stand in another zone of ours."""
    fqdn = target.removesuffix(".")
    home = layout.ground.holder(plot.view, fqdn) or plot
    name, here = home.relative(fqdn), plot.relative(fqdn)
    found = [known[home][key] for key in (f"{name}/A", f"{name}/AAAA") if key in known[home]]
    return tuple(
        RecordSet(here, each.type, ttl_seconds(plot.zone, each.type), each.values)
        for each in found
        if home is not plot
    )
