"""What is left alone for a time: which holds are in force, and drift that documents ignore. Pure.

Where a document ignores some fields of a resource and others drifted too, the others are healed and
the ignored ones stay as they were seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from reconciler.kinds import KIND_BY_NAME
from reconciler.model.plain import digest_of
from reconciler.model.resource import Desired, Observed, World
from reconciler.model.standing import Hold, Ignored

TIME = "%Y-%m-%dT%H:%M:%SZ"


def holds_at(holds: Iterable[Hold], now: datetime) -> tuple[Hold, ...]:
    """The holds that have not ended."""
    moment = now.strftime(TIME)
    return tuple(hold for hold in holds if not hold.is_over(moment))


def spared(
    environment: str, desired: Sequence[Desired[Any]], world: World, ignored: Sequence[Ignored]
) -> tuple[Desired[Any], ...]:
    """What is desired, where only some of what drifted is ignored: that as it was seen.

    What drifted in ignored fields only is left as it is: it is shown, and held.
    """
    by_fields = [each for each in ignored if each.fields]
    if not by_fields:
        return tuple(desired)
    seen = world.of(environment)
    return tuple(_spared(want, seen.get(want.address), by_fields) for want in desired)


def _spared(
    want: Desired[Any], found: Observed[Any] | None, ignored: Iterable[Ignored]
) -> Desired[Any]:
    about = [each for each in ignored if each.is_about(want.address)]
    digest = digest_of(want.spec) if want.digest is None else want.digest
    if not about or found is None or found.owner is None or found.owner.digest != digest:
        return want
    differing = KIND_BY_NAME[want.address.kind].diff(want.spec, found.spec)
    left = {each.path for each in differing if any(one.covers(each.path) for one in about)}
    if not left or len(left) == len(differing):
        return want
    heads = {path.partition(".")[0] for path in left}
    kept = {head: getattr(found.spec, head) for head in heads}
    return replace(want, spec=replace(want.spec, **kept), digest=digest)
