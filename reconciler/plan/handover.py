"""A host that another environment has now: its base is left to that, as it is.

What networks made there is not: it belongs to the environment of the network.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import replace

from reconciler.kinds.base import BASE_KINDS
from reconciler.kinds.base.kind import ChangeBase
from reconciler.model.change import Action, Disruption
from reconciler.plan.plan import Change, Plan

_OF_BASES = frozenset(kind.name for kind in BASE_KINDS)


def hand_over(plan: Plan, hosts: AbstractSet[str]) -> Plan:
    """The plan with nothing undone on hosts that are not ours any more: marks go, things stay.

    What we made there its new owner finds, and takes over by declaring it. `hosts` are those that
    the documents give to other environments.
    """
    changes = tuple(
        _left(change) if _goes_along(change, hosts) else change for change in plan.changes
    )
    return replace(plan, changes=changes)


def _goes_along(change: Change, hosts: AbstractSet[str]) -> bool:
    is_base = change.address.kind in _OF_BASES and bool(change.operations)
    return change.action is Action.DELETE and change.address.host in hosts and is_base


def _left(change: Change) -> Change:
    """The last act takes the mark away."""
    steps = tuple(
        replace(step, acts=step.acts[-1:], disruption=Disruption.LIVE, safety=None)
        for step in change.operations[-1:]
        if isinstance(step, ChangeBase)
    )
    return replace(change, operations=steps)
