"""Whether what records point at is there, as far as it is ours to know."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from reconciler.config.check_targets import target_problems
from reconciler.model.position import Position, Problem
from reconciler.ports.nameserver import RecordSet
from reconciler.render.names.contents import Layout
from reconciler.render.names.ground import APEX, VIEWS, Plot
from reconciler.render.names.shared import inside, is_maker


def lost_targets(layout: Layout, found: Mapping[Plot, tuple[RecordSet, ...]]) -> Iterator[Problem]:
    """Records of ours that point at nothing, at an alias, or in a circle; view by view."""
    for view in VIEWS:
        ours = {
            plot.origin: plot
            for plot in found
            if plot.view == view and is_maker(layout.documents, plot.zone)
        }
        others = [f"{name}." for plot in ours.values() for name in _of_others(plot)]
        zones = {origin: _own(plot, found[plot]) for origin, plot in ours.items()}

        def where(origin: str, record: RecordSet, ours: Mapping[str, Plot] = ours) -> Position:
            return _position(layout, ours[origin], record)

        yield from target_problems(zones, where, others)


def _own(plot: Plot, records: tuple[RecordSet, ...]) -> tuple[RecordSet, ...]:
    """The records of a zone that are not just those of its document's first zone again."""
    if plot.is_forward:
        return records
    return tuple(record for record in records if record.key != f"{APEX}/NS")


def _of_others(plot: Plot) -> Iterator[str]:
    """The names at and below which somebody else writes, or which may lack: of addresses."""
    if plot.is_dynamic or plot.cover is not None:
        yield plot.origin
    if plot.is_forward:
        for share in plot.zone.share.values():
            yield from (inside(name, plot.origin) for name in share.below)


def _position(layout: Layout, plot: Plot, record: RecordSet) -> Position:
    """Where a record was decided."""
    for each in layout.places[plot]:
        if (each.name, each.type) == (record.name, record.type):
            return layout.documents.position(*each.entry.where)
    name = plot.zone.name
    if any(each.key == record.key for each in plot.written):
        return layout.documents.position("Zone", name, "records", record.key)
    if cut := layout.borders[plot].cuts.get(record.name):
        return layout.documents.position(*cut.where)
    return layout.documents.position("Zone", name, "nameservers")
