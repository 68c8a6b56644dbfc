"""The serials of zones: what tells, without reading a zone, that somebody changed it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.kinds.zone import ZoneSpec, zone_address
from reconciler.model.address import Address, Scope
from reconciler.model.resource import World


@dataclass(frozen=True, slots=True)
class ZoneSeen:
    """A zone as a look saw it. `serial` None: it was not there."""

    serial: int | None
    address: Address


def serials_of(world: World) -> Mapping[Scope, int]:
    """The serial of each zone that was seen."""
    specs = (seen.spec for seen in world.observed if isinstance(seen.spec, ZoneSpec))
    return {_scope(spec): spec.serial for spec in specs}


def zones_seen(world: World, scopes: frozenset[Scope]) -> Mapping[Scope, ZoneSeen]:
    """The zones in some scopes of which one can tell by the serial that they moved.

    Those that could not be looked at are left out, and so are those that DHCP servers fill: there
    the serial goes up with every lease.
    """
    serials = serials_of(world)
    filled = {_scope(seen.spec) for seen in world.observed if _is_of_dhcp(seen.spec)}
    return {
        scope: ZoneSeen(serials.get(scope), zone_address(scope.server, scope.name))
        for scope in scopes - world.unknown.keys() - filled
        if scope.kind == "zone" and scope.server is not None
    }


def _scope(spec: ZoneSpec) -> Scope:
    return Scope("zone", spec.name, spec.server)


def _is_of_dhcp(spec: Any) -> bool:
    return isinstance(spec, ZoneSpec) and spec.open
