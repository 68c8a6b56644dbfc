"""The server of a zone: the door at which it is asked for, and what sets it up."""

from __future__ import annotations

from reconciler.config.nameserver import INSIDE, OUTSIDE
from reconciler.config.repository import Documents
from reconciler.config.zones import Zone
from reconciler.model.address import Address
from reconciler.render.nameservers.places import places_of


def door_of(documents: Documents, zone: Zone) -> str:
    """The name by which the zone is asked for."""
    if server := documents.nameservers.get(zone.server):
        return server.door(zone.view)
    return zone.server if zone.view == INSIDE else f"{zone.server}/{OUTSIDE}"


def set_up_by(documents: Documents, name: str) -> tuple[Address, ...]:
    """The service of the primary, if this environment makes it: zones come after it."""
    server = documents.nameservers.get(name)
    if server is None or not server.hosts or not makes(documents, server.environment):
        return ()
    return (Address("service", places_of(server).unit, server.hosts[0].name),)


def makes(documents: Documents, environment: str | None) -> bool:
    """Whether a document of this environment is made by the one whose documents these are."""
    return environment in {None, documents.environment}
