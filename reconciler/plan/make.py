"""Make a plan: hold what is desired against what was seen, resource by resource."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reconciler.kinds import KIND_BY_NAME
from reconciler.model.address import Address
from reconciler.model.change import Action, FieldChange
from reconciler.model.plain import digest_of, to_plain
from reconciler.model.resource import Applied, Desired, Observed, World, owner_of
from reconciler.placement.spread import Unplaced
from reconciler.plan.order import in_order
from reconciler.plan.plan import Cause, Change, Obstacle, Plan, Remark, Unknown


def make_plan(
    environment: str,
    desired: Sequence[Desired[Any]],
    world: World,
    *,
    revision: str = "",
    applied: Mapping[Address, Applied] | None = None,
    unplaced: Sequence[Unplaced] = (),
) -> Plan:
    """What has to be done so that the world is as desired.

    `applied` is what the journal remembers: it tells a resource that somebody deleted from one
    that was never made, and says where things were that cannot be seen now. `unplaced` are wanted
    machines without a host: nothing is done to them.

    Raises:
        DependencyLoop: resources need each other in a circle.
    """
    memory = applied or {}
    homeless = frozenset[Address]().union(*({u.address, *u.parts} for u in unplaced))
    pairs = _Pairs.of(environment, desired, world, memory, homeless)
    changes = [change for change in map(pairs.compare, desired) if change is not None]
    changes += [pairs.removal(seen) for seen in pairs.unwanted]
    return Plan(
        environment=environment,
        revision=revision,
        changes=in_order(changes, _wanted(desired), pairs.released()),
        remarks=tuple(pairs.remarks(desired)),
        unknown=tuple(pairs.unknown[each] for each in sorted(pairs.unknown)),
        obstacles=tuple(_obstacles(desired, world.others(environment))),
        foreign=tuple(sorted(seen.address for seen in world.observed if seen.owner is None)),
        unplaced=tuple(unplaced),
        unchanged=len(desired) + len(pairs.unwanted) - len(changes) - len(pairs.unknown),
        desired=len(desired) + len(homeless),
        owned=Counter(address.kind for address in pairs.seen),
    )


@dataclass(frozen=True)
class _Pairs:
    """Which seen resource each desired one is."""

    environment: str
    seen: Mapping[Address, Observed[Any]]
    matched: Mapping[Address, Observed[Any]]
    unwanted: tuple[Observed[Any], ...]
    unknown: Mapping[Address, Unknown]
    memory: Mapping[Address, Applied]

    @classmethod
    def of(
        cls,
        environment: str,
        desired: Sequence[Desired[Any]],
        world: World,
        memory: Mapping[Address, Applied],
        homeless: frozenset[Address],
    ) -> _Pairs:
        seen = world.of(environment)
        matched = {want.address: found for want in desired if (found := _match(want, seen))}
        taken = {found.address for found in matched.values()} | homeless
        unwanted = tuple(seen[each] for each in sorted(seen.keys() - taken))
        unknown = {
            want.address: Unknown(want.address, reason)
            for want in desired
            if want.address not in matched and (reason := _why_unknown(want, world, memory))
        }
        return cls(environment, seen, matched, unwanted, unknown, memory)

    def compare(self, want: Desired[Any]) -> Change | None:
        """The change of one desired resource, or None."""
        if want.address in self.unknown:
            return None
        found = self.matched.get(want.address)
        return self._creation(want) if found is None else self._update(want, found)

    def _creation(self, want: Desired[Any]) -> Change:
        kind = KIND_BY_NAME[want.address.kind]
        remembered = self.memory.get(want.address)
        was_there = remembered is not None and remembered.digest == digest_of(want.spec)
        return Change(
            address=want.address,
            action=Action.CREATE,
            cause=Cause.DRIFT if was_there else Cause.PENDING,
            fields=tuple(_as_fields(want.spec, created=True)),
            operations=kind.create(want.spec, owner_of(self.environment, want)),
            position=want.position,
        )

    def _update(self, want: Desired[Any], found: Observed[Any]) -> Change | None:
        kind = KIND_BY_NAME[want.address.kind]
        changed = kind.diff(want.spec, found.spec)
        if not changed:
            return None
        owner = owner_of(self.environment, want)
        same = found.owner is not None and found.owner.digest == owner.digest
        moved = kind.host(want.spec) != kind.host(found.spec)
        return Change(
            address=want.address,
            action=Action.MOVE if moved else Action.UPDATE,
            cause=Cause.DRIFT if same else Cause.PENDING,
            fields=changed,
            operations=kind.update(want.spec, found.spec, changed, owner),
            position=want.position,
            observed=found.spec,
        )

    def removal(self, found: Observed[Any]) -> Change:
        """The change that takes away what nobody wants any more."""
        if found.owner is None:
            message = f"{found.address} is not ours"
            raise ValueError(message)
        return Change(
            address=found.address,
            action=Action.DELETE,
            cause=Cause.PENDING,
            fields=tuple(_as_fields(found.spec, created=False)),
            operations=KIND_BY_NAME[found.address.kind].delete(found.spec, found.owner),
            observed=found.spec,
        )

    def remarks(self, desired: Iterable[Desired[Any]]) -> Iterator[Remark]:
        """Bring the marks of what does not differ up to date."""
        for want in desired:
            found = self.matched.get(want.address)
            if found is not None and found.owner != owner_of(self.environment, want):
                kind = KIND_BY_NAME[want.address.kind]
                if not kind.diff(want.spec, found.spec):
                    owner = owner_of(self.environment, want)
                    yield Remark(want.address, kind.mark(found.spec, owner))

    def released(self) -> dict[Address, frozenset[Address]]:
        """What each seen resource needs as it is, under the address it is planned with."""
        renamed = {found.address: address for address, found in self.matched.items()}
        return {
            renamed.get(address, address): frozenset(
                renamed.get(need, need)
                for need in KIND_BY_NAME[address.kind].needs(address, found.spec)
            )
            for address, found in self.seen.items()
        }


def _match(want: Desired[Any], seen: Mapping[Address, Observed[Any]]) -> Observed[Any] | None:
    found = seen.get(want.address)
    if found is None and want.formerly is not None:
        return seen.get(want.formerly)
    return found


def _why_unknown(want: Desired[Any], world: World, memory: Mapping[Address, Applied]) -> str:
    """Why nobody can say whether the resource is there; empty if it certainly is not."""
    kind = KIND_BY_NAME[want.address.kind]
    hosts = {kind.host(want.spec)}
    for address in (want.address, want.formerly):
        if address is not None and address in memory:
            hosts.add(memory[address].host)
    for scope, reason in sorted(world.unknown.items()):
        is_host = scope.kind == "host" and scope.name in hosts
        if is_host or scope in kind.scopes((want.spec,), ()):
            return f"{scope.lock} cannot be looked at: {reason}"
    return ""


def _wanted(desired: Iterable[Desired[Any]]) -> dict[Address, frozenset[Address]]:
    return {
        want.address: KIND_BY_NAME[want.address.kind].needs(want.address, want.spec)
        for want in desired
    }


def _obstacles(
    desired: Iterable[Desired[Any]], others: Iterable[Observed[Any]]
) -> Iterator[Obstacle]:
    taken = {
        claim: seen
        for seen in others
        for claim in KIND_BY_NAME[seen.address.kind].claims(seen.spec)
    }
    for want in desired:
        for claim in sorted(KIND_BY_NAME[want.address.kind].claims(want.spec) & taken.keys()):
            holder = taken[claim]
            whose = f"environment {holder.owner.environment}" if holder.owner else "nobody we know"
            owner = f"{holder.address}, which belongs to {whose}"
            yield Obstacle(want.address, claim, owner, want.position)


def _as_fields(spec: Any, *, created: bool) -> Iterator[FieldChange]:
    for name, value in to_plain(spec).items():
        yield FieldChange(name, None, value) if created else FieldChange(name, value, None)
