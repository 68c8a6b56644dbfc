"""The zone that tells the secondaries of a server which zones there are (RFC 9432).

It belongs to the environment that makes the server; each environment lists its own zones in it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

from reconciler.config.nameserver import Nameserver, View, catalog_name
from reconciler.config.repository import Documents
from reconciler.kinds.zone import ZoneSpec, zone_address
from reconciler.kinds.zone_registry import registry_grant
from reconciler.model.resource import Desired
from reconciler.ports.nameserver import Grant, RecordSet, Rules, Timers
from reconciler.render.names.ground import APEX, VIEWS
from reconciler.render.names.server import makes, set_up_by
from reconciler.render.names.shared import takes_updates

NOBODY = "invalid."  # nobody asks this zone for names
MEMBERS = "zones"
TTL_SECONDS = 60
ENVIRONMENTS = ("development", "staging", "production")
TIMERS = Timers(NOBODY, NOBODY, 3600, 600, 2147483646, 0)


def catalog_zones(documents: Documents, zones: Iterable[ZoneSpec]) -> Iterator[Desired[Any]]:
    """The catalogs of all servers with secondaries, as far as this environment writes them."""
    specs = tuple(zones)
    for server in documents.nameservers.values():
        if takes_updates(server) and len(server.hosts) > 1:
            for view in VIEWS if server.outside else VIEWS[:1]:
                door = server.door(view)
                names = [spec.name for spec in specs if spec.server == door and spec.timers]
                spec = _catalog(documents, server, view, names)
                if spec.records:
                    position = documents.position("Nameserver", server.name)
                    yield Desired(zone_address(door, spec.name), spec, position)


def _catalog(documents: Documents, server: Nameserver, view: View, names: list[str]) -> ZoneSpec:
    ours = makes(documents, server.environment)
    members = [RecordSet(member(name), "PTR", TTL_SECONDS, (f"{name}.",)) for name in names]
    skeleton = (
        RecordSet(APEX, "NS", TTL_SECONDS, (NOBODY,)),
        RecordSet("version", "TXT", TTL_SECONDS, ('"2"',)),
    )
    return ZoneSpec(
        server=server.door(view),
        name=catalog_name(server.name),
        timers=TIMERS if ours else None,
        records=tuple(sorted([*members, *(skeleton if ours else ())])),
        rules=_rules(server, documents.environment) if ours else None,
        after=set_up_by(documents, server.name) if ours else (),
    )


def _rules(server: Nameserver, owner: str) -> Rules:
    others = [each for each in ENVIRONMENTS if each != owner and server.keys.of(each)]
    listed = [Grant(each, MEMBERS, below=True, types=("PTR",)) for each in others]
    return Rules((Grant(owner), *listed, *map(registry_grant, others)))


def member(zone: str) -> str:
    """The name by which a zone is listed: the hash of its name as it is on the wire."""
    labels = [*zone.lower().split("."), ""]
    wire = b"".join(bytes([len(label)]) + label.encode() for label in labels)
    return f"{hashlib.sha1(wire, usedforsecurity=False).hexdigest()}.{MEMBERS}"
