"""All that networks, firewalls and proxies make of hosts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from reconciler.config.repository import Documents
from reconciler.model.resource import Desired

_PARTS: tuple[Callable[[Documents], Iterator[Desired[Any]]], ...] = ()


def network_resources(documents: Documents) -> Iterator[Desired[Any]]:
    """What the environment makes of the hosts' networks."""
    for part in _PARTS:
        yield from part(documents)
