"""Which seen resource each desired one is: by what it is, by its name, or by its former name.

What a thing is counts more than the name in its mark, so that a rename that is taken back finds
its machine and volumes again instead of making new ones.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from reconciler.kinds import KIND_BY_NAME
from reconciler.kinds.domain import DomainSpec
from reconciler.model.address import Address
from reconciler.model.resource import Desired, Observed, World

_Candidates = Callable[[Desired[Any]], Sequence[Observed[Any]]]


@dataclass(frozen=True, slots=True)
class Matches:
    """What was seen of one environment.

    `found` is by the address of the desired resource. Nobody wants what is in `unwanted`. `copies`
    carry the mark of something that was seen elsewhere too; they are addressed by where they are.
    `adopted` are those of `found` that carry no mark yet, as they were seen. `left` are the remains
    of machines where they came from, by the address in the mark.
    """

    found: Mapping[Address, Observed[Any]]
    unwanted: tuple[Observed[Any], ...]
    copies: tuple[Observed[Any], ...]
    adopted: tuple[Observed[Any], ...] = ()
    left: Mapping[Address, Observed[Any]] = field(default_factory=dict)


def match(environment: str, desired: Sequence[Desired[Any]], world: World) -> Matches:
    """Hold what is desired against what carries the environment's mark; each is matched once.

    What is to be adopted is also looked for among what carries nobody's mark.
    """
    ours = [each for each in world.observed if each.owner and each.owner.environment == environment]
    left = _left(ours)
    seen = [each for each in ours if each not in left]
    by_identity = _index(seen, _identity)
    by_address = _index(seen, lambda each: each.address)
    wanted = {want.address for want in desired}
    found: dict[Address, Observed[Any]] = {}
    taken: set[int] = set()
    ways: tuple[_Candidates, ...] = (
        lambda want: by_identity.get(_identity(want), ()),
        lambda want: by_address.get(want.address, ()),
        lambda want: () if want.formerly in wanted else by_address.get(want.formerly, ()),
    )
    for candidates in ways:
        _take(desired, candidates, found, taken)
    unwanted, copies = _rest([each for each in seen if id(each) not in taken], found)
    strangers = [each for each in world.observed if each.owner is None]
    adopted = _adopt([want for want in desired if want.adopts], strangers, found)
    remains = {each.address: each for each in left}
    return Matches(found, unwanted, copies, adopted, remains)


def _left(seen: Iterable[Observed[Any]]) -> list[Observed[Any]]:
    """What is left of machines on the hosts from which they were moved."""
    machines = [each for each in seen if isinstance(each.spec, DomainSpec)]
    there = {(each.spec.uuid, each.spec.host) for each in machines}
    return [each for each in machines if (each.spec.uuid, each.spec.moving_to) in there]


def _index(
    seen: Iterable[Observed[Any]], key: Callable[[Observed[Any]], Hashable]
) -> dict[Hashable, list[Observed[Any]]]:
    index: dict[Hashable, list[Observed[Any]]] = defaultdict(list)
    for each in seen:
        index[key(each)].append(each)
    return index


def _identity(resource: Desired[Any] | Observed[Any]) -> tuple[str, str]:
    kind = KIND_BY_NAME[resource.address.kind]
    return kind.name, kind.identity(resource.spec)


def _take(
    desired: Iterable[Desired[Any]],
    candidates: _Candidates,
    found: dict[Address, Observed[Any]],
    taken: set[int],
) -> None:
    """Give each desired resource that has none yet the free candidate that differs least.

    What is where it should be is taken before what some other host says it has.
    """
    for want in desired:
        if want.address in found:
            continue
        free = [each for each in candidates(want) if id(each) not in taken]
        if free:
            best = free[0] if len(free) == 1 else min(free, key=lambda each: _distance(want, each))
            found[want.address] = best
            taken.add(id(best))


def _distance(want: Desired[Any], seen: Observed[Any]) -> tuple[bool, int]:
    kind = KIND_BY_NAME[want.address.kind]
    is_elsewhere = kind.host(want.spec) not in {None, kind.host(seen.spec)}
    return is_elsewhere, len(kind.diff(want.spec, seen.spec))


def _adopt(
    desired: Iterable[Desired[Any]],
    strangers: Iterable[Observed[Any]],
    found: dict[Address, Observed[Any]],
) -> tuple[Observed[Any], ...]:
    """Take what is nobody's, on the very host that is named, under the address it will have."""
    by_identity = _index(strangers, _identity)
    adopted = []
    for want in desired:
        kind = KIND_BY_NAME[want.address.kind]
        candidates = by_identity.get(_identity(want), ())
        there = [each for each in candidates if kind.host(each.spec) == kind.host(want.spec)]
        if want.address not in found and len(there) == 1:
            found[want.address] = replace(there[0], address=want.address)
            adopted.append(there[0])
    return tuple(adopted)


def _rest(
    left: Iterable[Observed[Any]], found: Mapping[Address, Observed[Any]]
) -> tuple[tuple[Observed[Any], ...], tuple[Observed[Any], ...]]:
    """What is left over: unwanted things, and copies of those that are known already."""
    known = {each.address for each in found.values()}
    unwanted: list[Observed[Any]] = []
    copies: list[Observed[Any]] = []
    for each in left:
        if each.address in known:
            copies.append(_by_place(each))
        else:
            known.add(each.address)
            unwanted.append(_by_place(each) if each.address in found else each)
    return tuple(unwanted), tuple(copies)


def _by_place(seen: Observed[Any]) -> Observed[Any]:
    """The same, addressed by its host, because its name is another's."""
    host = KIND_BY_NAME[seen.address.kind].host(seen.spec)
    return replace(seen, address=replace(seen.address, host=host))
