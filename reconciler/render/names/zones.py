"""Zone documents become zones with the farm's names in them, and reverse zones.

A name stands in the zone that is the longest suffix of it, a PTR in the reverse zone of the longest
prefix around its address.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from reconciler.config.repository import Documents
from reconciler.errors import ConfigError
from reconciler.kinds.zone import ZoneSpec, zone_address
from reconciler.model.position import Problem
from reconciler.model.resource import Desired
from reconciler.ports.nameserver import RecordSet
from reconciler.render.names.catalog import catalog_zones
from reconciler.render.names.contents import Layout, contents
from reconciler.render.names.delegations import borders_of
from reconciler.render.names.ground import Ground, Plot, ground_of
from reconciler.render.names.named import entries_of
from reconciler.render.names.placing import placed
from reconciler.render.names.server import door_of, set_up_by
from reconciler.render.names.shared import is_maker, rules_of
from reconciler.render.names.sites import site_entries
from reconciler.render.names.targets import lost_targets
from reconciler.render.names.written import pointed_at, timers


def zone_resources(documents: Documents) -> Iterator[Desired[Any]]:
    """All zones of the environment: forward ones first, then reverse ones, then catalogs.

    Raises:
        ConfigError: the documents contradict each other in what stands in a zone, or give names
            that this environment may not give.
    """
    problems: list[Problem] = []
    ground = ground_of(documents, problems)
    borders = borders_of(documents, ground, problems)
    targets = {name for plot in ground.plots for name in pointed_at(plot.zone, plot.written)}
    entries = (*entries_of(documents, targets.__contains__), *site_entries(documents, ground))
    places = placed(documents, ground, borders, entries, problems)
    layout = Layout(documents, ground, borders, places)
    found = contents(layout, problems)
    problems += lost_targets(layout, found)
    if problems:
        raise ConfigError(problems)
    made = [_desired(documents, ground, plot, records) for plot, records in found.items()]
    zones = [each for each in made if each.spec.records or each.spec.timers]
    yield from zones
    yield from catalog_zones(documents, [each.spec for each in zones])


def _desired(
    documents: Documents, ground: Ground, plot: Plot, records: tuple[RecordSet, ...]
) -> Desired[ZoneSpec]:
    zone = plot.zone
    ours = is_maker(documents, zone)
    server = door_of(documents, zone)
    spec = ZoneSpec(
        server=server,
        name=plot.origin,
        timers=timers(zone, documents.farm.contact) if ours else None,
        records=records,
        rules=rules_of(documents, ground, plot) if ours else None,
        serial=zone.serial,
        open=plot.is_dynamic,
        after=set_up_by(documents, zone.server) if ours else (),
    )
    position = documents.position("Zone", zone.name)
    return Desired(zone_address(server, plot.origin), spec, position)
