"""What the resources of a plan need and claim, so that their changes can be put in order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from reconciler.kinds import KIND_BY_NAME
from reconciler.model.address import Address
from reconciler.model.change import Action
from reconciler.model.resource import Desired, Observed
from reconciler.plan.order import Ties
from reconciler.plan.plan import Change


def ties_of(
    desired: Iterable[Desired[Any]],
    found: Mapping[Address, Observed[Any]],
    unwanted: Iterable[Observed[Any]],
    changes: Mapping[Address, Change],
) -> tuple[dict[Address, Ties], dict[Address, Ties]]:
    """The ties of what changes, as it is wanted and as it was seen.

    Claims count only where a deletion gives something free, and are not asked for otherwise.
    """
    frees = any(change.action is Action.DELETE for change in changes.values())
    wanted = {want.address: want for want in desired if want.address in changes}
    return (
        {address: _wanted(want, frees=frees) for address, want in wanted.items()},
        _seen({**found, **{each.address: each for each in unwanted}}, changes, frees=frees),
    )


def marked(seen: Observed[Any]) -> Address:
    """The address in its mark."""
    if seen.owner is None:
        return seen.address
    kind = KIND_BY_NAME[seen.address.kind]
    return Address(kind.name, seen.owner.name, kind.host(seen.spec) if kind.is_bound else None)


def _wanted(want: Desired[Any], *, frees: bool) -> Ties:
    kind = KIND_BY_NAME[want.address.kind]
    claims = kind.claims(want.spec) if frees else frozenset[str]()
    return Ties(kind.needs(want.address, want.spec), claims)


def _seen(
    seen: Mapping[Address, Observed[Any]], changes: Mapping[Address, Change], *, frees: bool
) -> dict[Address, Ties]:
    """Under the addresses they are planned with."""
    planned = {marked(each): address for address, each in seen.items()}
    ties = {}
    for address in changes.keys() & seen.keys():
        each = seen[address]
        kind = KIND_BY_NAME[address.kind]
        needs = (planned.get(need, need) for need in kind.needs(marked(each), each.spec))
        claims = kind.claims(each.spec) if frees else frozenset[str]()
        ties[address] = Ties(frozenset(needs), claims)
    return ties
