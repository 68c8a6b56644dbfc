"""The cheap look between two full ones: is the base of a host still as it was seen last?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from reconciler.engine.observe import observe
from reconciler.errors import Unreachable
from reconciler.kinds import KIND_BY_NAME
from reconciler.model.address import Address, Scope
from reconciler.model.resource import Observed, World
from reconciler.ports.facts import Question
from reconciler.ports.world import Ports

_NOTHING: frozenset[tuple[str, str]] = frozenset()
COSTLY = frozenset({"command"})  # their checks may take minutes: a full look asks them


def moved(
    seen: World, scope: Scope, questions: Iterable[Question], ports: Ports
) -> frozenset[Address]:
    """What is not as it was in the last full look, of what can be told of now and was then.

    Raises:
        Unreachable: the base cannot be looked at now.
    """
    asked = frozenset(each for each in questions if each.about not in COSTLY)
    now = observe([scope], ports, {scope: asked})
    if scope not in now.unseen and (reason := now.unknown.get(scope)):
        raise Unreachable(scope.lock, "look", reason.removeprefix(f"{scope.lock}: "))
    unseen = seen.unseen.get(scope, _NOTHING) | now.unseen.get(scope, _NOTHING)
    old = (each for each in seen.observed if _is_of(each, scope))
    before, after = (Counter(_cheap(told, unseen)) for told in (old, now.observed))
    return frozenset(each.address for each in (before - after) + (after - before))


def _cheap(
    observed: Iterable[Observed[Any]], unseen: frozenset[tuple[str, str]]
) -> Iterator[Observed[Any]]:
    for each in observed:
        asked = KIND_BY_NAME[each.address.kind].questions(each.spec)
        is_hidden = any((question.about, question.name) in unseen for question in asked)
        if each.address.kind not in COSTLY and not is_hidden:
            yield each


def _is_of(seen: Observed[Any], scope: Scope) -> bool:
    return seen.address.host == scope.name and KIND_BY_NAME[seen.address.kind].is_bound
