"""The order of changes: after what a resource needs, before the end of what it releases.

The order is total: among changes that may come at the same time, kind and address decide, so
that the same differences always give the same plan.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from graphlib import CycleError, TopologicalSorter
from heapq import heappop, heappush

from reconciler.errors import DependencyLoop
from reconciler.kinds import KINDS
from reconciler.model.address import Address
from reconciler.model.change import Action
from reconciler.plan.plan import Change

_RANK = {kind.name: rank for rank, kind in enumerate(KINDS)}


@dataclass(frozen=True, slots=True)
class Ties:
    """What a resource needs, and the names and places it claims: as desired, or as it was seen."""

    needs: frozenset[Address] = frozenset()
    claims: frozenset[str] = frozenset()


def in_order(
    changes: Iterable[Change], wanted: Mapping[Address, Ties], seen: Mapping[Address, Ties]
) -> tuple[Change, ...]:
    """Sort changes and tell each which of the others come first.

    A change comes after what its resource needs, and after the deletion of what has a name or
    place that it takes; a deletion comes after the changes of those who needed the resource, unless
    it makes way for what they need instead.

    Raises:
        DependencyLoop: resources need each other in a circle.
    """
    by_address = {change.address: change for change in changes}
    edges = {address: set[Address]() for address in by_address}
    freed = _freed(by_address, seen)
    for address, change in by_address.items():
        before = seen.get(address, Ties())
        after = Ties() if change.action is Action.DELETE else wanted.get(address, Ties())
        if change.action is not Action.DELETE:
            edges[address] |= _present(after.needs, by_address)
            edges[address] |= {freed[c] for c in after.claims - before.claims if c in freed}
        for needed in before.needs:
            if needed in by_address and by_address[needed].action is Action.DELETE:
                claims = seen.get(needed, Ties()).claims
                if not _is_in_the_way(claims, after.needs, wanted):
                    edges[needed].add(address)
    return tuple(
        replace(by_address[address], needs=frozenset(edges[address])) for address in _sorted(edges)
    )


def _freed(changes: Mapping[Address, Change], seen: Mapping[Address, Ties]) -> dict[str, Address]:
    """Which deletion gives a name or place free."""
    return {
        claim: address
        for address, change in changes.items()
        if change.action is Action.DELETE
        for claim in seen.get(address, Ties()).claims
    }


def _is_in_the_way(
    claims: frozenset[str], needs: Iterable[Address], wanted: Mapping[Address, Ties]
) -> bool:
    """Whether something that is needed takes what is held by these claims."""
    return bool(claims) and any(claims & wanted[need].claims for need in needs if need in wanted)


def _present(needs: Iterable[Address], changes: Mapping[Address, Change]) -> set[Address]:
    return {need for need in needs if need in changes and changes[need].action is not Action.DELETE}


def _sorted(edges: Mapping[Address, set[Address]]) -> list[Address]:
    sorter = TopologicalSorter(edges)
    try:
        sorter.prepare()
    except CycleError as error:
        needed_first: list[Address] = error.args[1]
        raise DependencyLoop(needed_first[::-1]) from error
    ordered: list[Address] = []
    ready: list[tuple[tuple[int, str, str], Address]] = []
    while sorter.is_active():
        for address in sorter.get_ready():
            heappush(ready, (_tie(address), address))
        _, first = heappop(ready)
        ordered.append(first)
        sorter.done(first)
    return ordered


def _tie(address: Address) -> tuple[int, str, str]:
    return (_RANK.get(address.kind, len(_RANK)), address.name, address.host or "")
