"""What the farm gives a zone by itself, and what a person must change to change that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from reconciler.config.repository import Documents
from reconciler.config.zones import Zone
from reconciler.model.position import Problem
from reconciler.ports.nameserver import RecordSet
from reconciler.render.names.contents import Layout, contents
from reconciler.render.names.delegations import borders_of
from reconciler.render.names.ground import ground_of
from reconciler.render.names.named import entries_of
from reconciler.render.names.placing import placed
from reconciler.render.names.sites import site_entries
from reconciler.render.names.written import pointed_at


@dataclass(frozen=True, slots=True)
class Generated:
    """The record sets that a zone has without its records by hand, by key.

    `sources` tells of those that come from things of the farm: which, and where that is written.
    """

    records: Mapping[str, RecordSet]
    sources: Mapping[str, str]


def generated(documents: Documents, zone: Zone) -> Generated:
    """What a zone has by itself. `zone` takes the place of the document of its name.

    What contradicts itself is left out here; rendering says it.
    """
    problems: list[Problem] = []
    bare = zone.model_copy(update={"records": ()})
    documents = replace(documents, zones={**documents.zones, zone.name: bare})
    ground = ground_of(documents, problems)
    borders = borders_of(documents, ground, problems)
    targets = {name for plot in ground.plots for name in pointed_at(plot.zone, plot.written)}
    entries = (*entries_of(documents, targets.__contains__), *site_entries(documents, ground))
    places = placed(documents, ground, borders, entries, problems)
    found = contents(Layout(documents, ground, borders, places), problems)
    records: dict[str, RecordSet] = {}
    sources: dict[str, str] = {}
    for plot, here in places.items():
        if plot.zone.name == zone.name and plot.is_forward:
            records = {record.key: record for record in found[plot]}
            sources = {
                f"{each.name}/{each.type}": f"{each.entry.what} "
                f"({documents.position(*each.entry.where)})"
                for each in here
            }
    return Generated(records, sources)
