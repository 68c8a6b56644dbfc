"""Make a plan: hold what is desired against what was seen, resource by resource."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, fields, replace
from typing import Any

from reconciler.kinds import KIND_BY_NAME
from reconciler.kinds.domain import DomainSpec
from reconciler.kinds.domain_operations import MigrateDomain
from reconciler.kinds.match import Matches, match
from reconciler.kinds.protocol import Kind
from reconciler.kinds.zone import ZoneSpec
from reconciler.model.address import Address
from reconciler.model.change import Action, Disruption, FieldChange
from reconciler.model.plain import digest_of, to_short
from reconciler.model.position import Problem
from reconciler.model.resource import Applied, Desired, Observed, Owner, World, owner_of
from reconciler.placement.spread import Unplaced
from reconciler.plan.order import in_order
from reconciler.plan.plan import Cause, Change, Obstacle, Plan, Remark, Unknown
from reconciler.plan.ties import marked, ties_of
from reconciler.plan.zones import Adoption, adopt, foreign_names, obstacles, waiting

UNDONE = "it cut its host off, which took it back by itself; change it in git to try again"
# First boot data, what a policy does, what is encrypted, and what the `needs` of a change tell.
UNTOLD = frozenset({"after", "marks", "networks", "sealed", "seed", "snapshot_from"})
TOLD_WHERE_SO = frozenset({"open"})


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

    `applied` is what the journal remembers: what was made once, and where it was if that cannot be
    seen now. `unplaced` are wanted machines without a host: nothing is done to them.

    Raises:
        DependencyLoop: resources need each other in a circle.
    """
    adoption = adopt(environment, desired, world)
    matches = match(environment, desired, adoption.world)
    homeless = frozenset[Address]().union(*({u.address, *u.parts} for u in unplaced))
    pairs = _Pairs.of(environment, desired, adoption, matches.found, applied or {})
    changes = pairs.changes(desired, matches)
    unchanged = len(desired) - len(changes) - len(pairs.unknown) - len(pairs.waiting)
    unwanted = [each for each in matches.unwanted if each.address not in homeless]
    changes |= _removals(unwanted, _carried(matches.found, changes))
    wanted_ties, seen_ties = ties_of(desired, matches.found, unwanted, changes)
    return Plan(
        environment=environment,
        revision=revision,
        changes=in_order(changes.values(), wanted_ties, seen_ties),
        remarks=tuple(pairs.remarks(desired, changes, matches.left)),
        unknown=tuple(pairs.unknown[each] for each in sorted(pairs.unknown)),
        obstacles=tuple(_obstacles(desired, _others(environment, adoption.world, matches))),
        foreign=_foreign(adoption.world, matches),
        unplaced=tuple(unplaced),
        waiting=tuple(pairs.waiting.values()),
        unchanged=unchanged,
        desired=len(desired) + len(homeless),
        owned=_owned(matches),
    )


@dataclass(frozen=True)
class _Pairs:
    """Which seen resource each desired one is."""

    environment: str
    found: Mapping[Address, Observed[Any]]
    unknown: Mapping[Address, Unknown]
    memory: Mapping[Address, Applied]
    undone: Mapping[Address, str]
    adopted: Mapping[Address, tuple[str, ...]]
    waiting: Mapping[Address, Problem]

    @classmethod
    def of(
        cls,
        environment: str,
        desired: Sequence[Desired[Any]],
        adoption: Adoption,
        found: Mapping[Address, Observed[Any]],
        memory: Mapping[Address, Applied],
    ) -> _Pairs:
        world = adoption.world
        unknown = {
            want.address: Unknown(want.address, reason)
            for want in desired
            if (reason := _why_unknown(want, found.get(want.address), world, memory))
        }
        waits = {each: why for each, why in waiting(desired, world) if each not in unknown}
        return cls(environment, found, unknown, memory, world.undone, adoption.adopted, waits)

    def changes(self, desired: Sequence[Desired[Any]], matches: Matches) -> dict[Address, Change]:
        """The changes of all desired resources."""
        changes = {want.address: change for want in desired if (change := self.compare(want))}
        replaced = frozenset(change.address for change in changes.values() if _replaces(change))
        there = {marked(seen) for seen in (*matches.found.values(), *matches.unwanted)}
        for want in desired:
            found = self.found.get(want.address)
            moves = _destination(changes.get(want.address))
            if found is not None and (replaced or moves):
                kind = KIND_BY_NAME[want.address.kind]
                lost = _parts(kind.needs(want.address, found.spec)) & replaced
                gone = _parts(kind.needs(marked(found), found.spec)) - there
                if change := self._bereft(want, lost, gone if moves else frozenset()):
                    changes[want.address] = change
        return changes

    def compare(self, want: Desired[Any]) -> Change | None:
        """The change of one desired resource, or None."""
        if want.address in self.unknown or want.address in self.waiting:
            return None
        found = self.found.get(want.address)
        change = self._creation(want) if found is None else self._update(want, found)
        if change and self.undone.get(want.address) == digest_of(want.spec):
            return replace(change, held=UNDONE)
        return change

    def _bereft(
        self, want: Desired[Any], lost: frozenset[Address], gone: frozenset[Address]
    ) -> Change | None:
        """The change of what loses something that it needs.

        What is replaced takes care that it is set free: `lost`. What is not there any more cannot
        be taken along in a move, and is forgotten before: `gone`, by the address in the mark.
        """
        if not lost and not gone:
            return None
        found, kind = self.found[want.address], KIND_BY_NAME[want.address.kind]
        rest = kind.without(want.address, found.spec, lost)
        rest = kind.without(marked(found), rest, gone)
        change = self._update(want, replace(found, spec=rest))
        first = kind.release(marked(found), found.spec, gone, owner_of(self.environment, want))
        return change and replace(
            change,
            cause=Cause.PENDING if lost else change.cause,
            operations=(*first, *change.operations),
            observed=found.spec,
        )

    def _creation(self, want: Desired[Any]) -> Change:
        kind = KIND_BY_NAME[want.address.kind]
        remembered = self.memory.get(want.address)
        was_there = remembered is not None and remembered.digest == digest_of(want.spec)
        return Change(
            address=want.address,
            action=Action.CREATE,
            cause=Cause.DRIFT if was_there else Cause.PENDING,
            fields=tuple(_as_fields(kind, want.spec, created=True)),
            operations=kind.create(want.spec, owner_of(self.environment, want)),
            position=want.position,
        )

    def _update(self, want: Desired[Any], found: Observed[Any]) -> Change | None:
        kind = KIND_BY_NAME[want.address.kind]
        differs = kind.diff(want.spec, found.spec)
        keys = self.adopted.get(want.address)
        changed = (*differs, FieldChange("adopt", None, list(keys))) if keys else differs
        if not changed:
            return None
        owner = owner_of(self.environment, want)
        same = bool(differs) and self._last_applied(want, found) == owner.digest
        moved = kind.host(want.spec) != kind.host(found.spec)
        return Change(
            address=want.address,
            action=Action.MOVE if moved else Action.UPDATE,
            cause=Cause.DRIFT if same else Cause.PENDING,
            fields=changed,
            operations=kind.update(want.spec, found.spec, changed, owner),
            position=want.position_of(changed[0].path),
            observed=found.spec,
            formerly=found.address if found.address != want.address else None,
        )

    def _last_applied(self, want: Desired[Any], found: Observed[Any]) -> str | None:
        """The digest of what was applied last; as remembered, if its mark on a host was lost."""
        if found.owner is not None:
            return found.owner.digest
        remembered = self.memory.get(want.address)
        return remembered.digest if remembered and want.address.host else None

    def remarks(
        self,
        desired: Iterable[Desired[Any]],
        changes: Mapping[Address, Change],
        left: Mapping[Address, Observed[Any]],
    ) -> Iterator[Remark]:
        """Bring the marks of what does not differ up to date, and tidy up after changes.

        Of what is left where something came from, the move is finished.
        """
        for want in desired:
            found = self.found.get(want.address)
            if found is None or want.address in changes or want.address in self.unknown:
                continue
            owner = owner_of(self.environment, want)
            kind = KIND_BY_NAME[want.address.kind]
            if (here := left.get(marked(found))) and _is_rest_of(here.spec, found.spec):
                move = MigrateDomain(here.spec.host, here.spec.libvirt_name, found.spec.host)
                yield Remark(want.address, (move,))
            if found.owner != owner or kind.is_untidy(found.spec):
                yield Remark(want.address, kind.mark(found.spec, owner))


def _is_rest_of(left: DomainSpec, arrived: DomainSpec) -> bool:
    """Whether a finished move leaves just this: a host that lies could name any other domain."""
    same = (left.uuid, left.libvirt_name) == (arrived.uuid, arrived.libvirt_name)
    return same and left.moving_to == arrived.host


def _why_unknown(
    want: Desired[Any],
    found: Observed[Any] | None,
    world: World,
    memory: Mapping[Address, Applied],
) -> str:
    """Why nobody can say whether the resource is there; empty if that is clear.

    What was on a host once and is not seen any more may have gone to any host that is not seen.
    What was on its way to a host that is not seen may be there.
    """
    if found is not None:
        goal = found.spec.moving_to if isinstance(found.spec, DomainSpec) else None
        is_lost = goal in world.unknown_hosts
        return f"it was being moved to {goal}, which cannot be looked at" if is_lost else ""
    kind = KIND_BY_NAME[want.address.kind]
    names = [name for name in (want.address, want.formerly) if name is not None]
    had_a_host = any(memory[name].host for name in names if name in memory)
    for scope, reason in sorted(world.unknown.items()):
        may_hold_it = had_a_host or scope.name == kind.host(want.spec)
        is_hidden = scope.kind == "host" and may_hold_it and not kind.is_bound
        if not (is_hidden or scope in kind.scopes((want.spec,), ())):
            continue
        unseen = world.unseen.get(scope)
        if unseen is None:
            return f"{scope.lock} cannot be looked at: {reason}"
        if any((each.about, each.name) in unseen for each in kind.questions(want.spec)):
            return f"{scope.lock}: {reason}"
    return ""


def _removals(
    unwanted: Iterable[Observed[Any]], carried: Mapping[Address, str]
) -> dict[Address, Change]:
    """The changes that take away what nobody wants any more."""
    return {
        each.address: _removal(each, each.owner, carried.get(marked(each)))
        for each in unwanted
        if each.owner
    }


def _removal(found: Observed[Any], owner: Owner, host: str | None) -> Change:
    """The change that takes away what nobody wants; `host` is where it will be by then."""
    kind = KIND_BY_NAME[found.address.kind]
    return Change(
        address=found.address,
        action=Action.DELETE,
        cause=Cause.PENDING,
        fields=tuple(_as_fields(kind, found.spec, created=False)),
        operations=kind.delete(replace(found.spec, host=host) if host else found.spec, owner),
        observed=found.spec,
    )


def _replaces(change: Change) -> bool:
    """Whether a wish in git takes a thing away and puts another in its place."""
    is_wish = change.cause is Cause.PENDING and change.action is not Action.CREATE
    return is_wish and change.disruption is Disruption.DATA_LOSS


def _carried(
    found: Mapping[Address, Observed[Any]], changes: Mapping[Address, Change]
) -> dict[Address, str]:
    """Where migrations take along what the machines need, by the address in the mark."""
    carried: dict[Address, str] = {}
    for address, change in changes.items():
        if destination := _destination(change):
            seen = found[address]
            needs = KIND_BY_NAME[address.kind].needs(marked(seen), seen.spec)
            carried |= dict.fromkeys(_parts(needs), destination)
    return carried


def _parts(needs: AbstractSet[Address]) -> frozenset[Address]:
    """What can be taken from a thing or along with it: not what belongs to a host."""
    return frozenset(need for need in needs if need.host is None)


def _destination(change: Change | None) -> str | None:
    """The host to which the change takes the resource along with what it needs."""
    steps = change.operations if change else ()
    return next((step.destination for step in steps if isinstance(step, MigrateDomain)), None)


def _obstacles(
    desired: Sequence[Desired[Any]], others: Sequence[Observed[Any]]
) -> Iterator[Obstacle]:
    yield from obstacles(desired, others)
    taken = {
        claim: seen
        for seen in others
        if not isinstance(seen.spec, ZoneSpec)  # what clashes there depends on the types
        for claim in KIND_BY_NAME[seen.address.kind].claims(seen.spec)
    }
    for want in desired:
        if taken and not isinstance(want.spec, ZoneSpec):
            claims = KIND_BY_NAME[want.address.kind].claims(want.spec)
            for claim in sorted(claims & taken.keys()):
                yield Obstacle.of(want, claim, taken[claim])


def _owned(matches: Matches) -> Counter[str]:
    """How many of each kind are there and ours."""
    return Counter(seen.address.kind for seen in (*matches.found.values(), *matches.unwanted))


def _others(environment: str, world: World, matches: Matches) -> tuple[Observed[Any], ...]:
    """What belongs to others, or to nobody and is not being adopted."""
    ours = {id(each) for each in matches.adopted}
    others = (each for each in world.others(environment) if id(each) not in ours)
    return (*others, *matches.copies)


def _foreign(world: World, matches: Matches) -> tuple[Address, ...]:
    """What is nobody's that we know, and what carries our mark a second time."""
    ours = {id(each) for each in matches.adopted}
    strange = [seen for seen in world.observed if seen.owner is None and id(seen) not in ours]
    named = (name for seen in (*strange, *matches.copies) for name in foreign_names(seen))
    return tuple(sorted(named))


def _as_fields(kind: Kind[Any], spec: Any, *, created: bool) -> Iterator[FieldChange]:
    """The managed fields of a spec; of those that matter at creation only, what is unusual.

    Nobody wants to read first boot data in a plan: its digest is enough. Nor what the address of a
    thing that is bound to its host says already, or that there is nothing of something.
    """
    said = {kind.host(spec), *(each.name for each in kind.questions(spec)), ()}
    for each in fields(spec):
        value = getattr(spec, each.name)
        is_told = each.compare or (created and value != each.default and each.name not in UNTOLD)
        is_usual = each.name in TOLD_WHERE_SO and not value
        if value is None or is_usual or not is_told or (kind.is_bound and value in said):
            continue
        plain = to_short(value)
        before, after = (None, plain) if created else (plain, None)
        yield FieldChange(each.name, before, after)
