"""The registry of resource kinds: explicit, in the order in which they are dealt with."""

from __future__ import annotations

from typing import Any

from reconciler.kinds.base import BASE_KINDS
from reconciler.kinds.domain import DomainKind
from reconciler.kinds.network import NETWORK_KINDS
from reconciler.kinds.protocol import Kind
from reconciler.kinds.volume import VolumeKind
from reconciler.kinds.zone import ZoneKind

KINDS: tuple[Kind[Any], ...] = (
    *BASE_KINDS,
    *NETWORK_KINDS,
    VolumeKind(),
    DomainKind(),
    ZoneKind(),
)
KIND_BY_NAME: dict[str, Kind[Any]] = {kind.name: kind for kind in KINDS}
