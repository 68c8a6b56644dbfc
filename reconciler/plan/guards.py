"""Guards: what a plan must not do, each with numbers and the way out.

Who means it writes the guard's name into the commit: `Reconciler-Allow: mass-deletion`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from reconciler.kinds.base.kind import ChangeBase
from reconciler.kinds.zone import ZoneSpec
from reconciler.kinds.zone_operations import CreateZone
from reconciler.model.address import Address
from reconciler.model.change import Action
from reconciler.model.position import Position
from reconciler.plan.plan import Cause, Change, Obstacle, Plan
from reconciler.plan.policy import Policy
from reconciler.ports.acts import Forget, PutMark

RECORDS_AT_LEAST = 10
BASE_AT_ONCE = 5
APEX_NS = "@/NS"
APEX_FIELDS = ((f"records.{APEX_NS}", "the NS records"), ("timers.primary", "the SOA mname"))
ALLOW_TRAILER = "Reconciler-Allow"


@dataclass(frozen=True, slots=True)
class Violation:
    """One reason why a plan is not applied. `name` is the guard's name, `remedy` the way out.

    `opens` is when it may be gone without anybody doing anything, if that time is known.
    """

    name: str
    message: str
    remedy: str
    addresses: tuple[Address, ...] = ()
    position: Position | None = None
    opens: datetime | None = None

    def __str__(self) -> str:
        return f"{self.name}: {self.message}; {self.remedy}"


Guard = Callable[[Plan, Policy], Iterator[Violation]]


def check(plan: Plan, policy: Policy) -> tuple[Violation, ...]:
    """Every way in which the plan breaks the policy, less what was acknowledged.

    The operator's floor cannot be acknowledged away: it is not the repository's to give.
    """
    found = [violation for guard in GUARDS for violation in guard(plan, policy)]
    left = [v for v in found if v.name not in policy.allowed or v.name in NEVER_ALLOWED]
    return (*left, *_below_floor(plan, policy))


def empty_desire(plan: Plan, _: Policy) -> Iterator[Violation]:
    """Nothing at all is wanted, although something is there: a broken tree rather than a wish."""
    owned = sum(plan.owned.values())
    if owned and not plan.desired:
        yield Violation(
            "empty-desire",
            f"the commit describes nothing, but {owned} resources are there",
            f"restore the documents, or say in the commit {ALLOW_TRAILER}: empty-desire",
        )


def mass_deletion(plan: Plan, policy: Policy) -> Iterator[Violation]:
    """More machines would go than the policy allows at once."""
    gone = [c for c in plan.active if c.action is Action.DELETE and c.address.kind == "domain"]
    owned = plan.owned.get("domain", 0)
    limit = max(1, owned * policy.machines_percent // 100)
    if len(gone) > limit:
        yield Violation(
            "mass-deletion",
            f"{len(gone)} of {owned} machines would be deleted, "
            f"{limit} are allowed at once ({policy.machines_percent} %)",
            f"delete fewer in one commit, or say in it {ALLOW_TRAILER}: mass-deletion",
            tuple(change.address for change in gone),
        )


def base_removal(plan: Plan, _: Policy) -> Iterator[Violation]:
    """Much of what a host itself is made of would be undone: a stack left out, most likely."""
    undone: dict[str, list[Address]] = {}
    for change in plan.active:
        if change.action is Action.DELETE and change.address.host and _undoes(change):
            undone.setdefault(change.address.host, []).append(change.address)
    for host, addresses in undone.items():
        if len(addresses) > BASE_AT_ONCE:
            yield Violation(
                "base-removal",
                f"{len(addresses)} things of the base of {host} would be undone, "
                f"{BASE_AT_ONCE} are allowed at once",
                f"undo fewer in one commit, or say in it {ALLOW_TRAILER}: base-removal",
                tuple(addresses),
            )


def _undoes(change: Change) -> bool:
    """Whether something is done to the host, and not only forgotten."""
    acts = (
        act
        for step in change.operations
        for act in (step.acts if isinstance(step, ChangeBase) else (step,))
    )
    return any(not isinstance(act, Forget | PutMark) for act in acts)


def mass_record_change(plan: Plan, policy: Policy) -> Iterator[Violation]:
    """A large part of a zone's record sets, or a whole zone, would be changed or deleted.

    What heals drift is not measured: it makes the zone again what it was. Who allows all of the
    records allows the end of a zone as well.
    """
    for change in plan.active:
        touched, total = _records(change)
        is_more = touched * 100 > total * policy.records_percent
        is_much = is_more and (total >= RECORDS_AT_LEAST or _ends_zone(change))
        if is_much and change.cause is not Cause.DRIFT:
            yield Violation(
                "mass-record-change",
                f"{_fate(change, touched, total)}, {policy.records_percent} % of the record sets "
                "of a zone may change at once",
                f"change fewer in one commit, or say in it {ALLOW_TRAILER}: mass-record-change",
                (change.address,),
                change.position,
            )


def _fate(change: Change, touched: int, total: int) -> str:
    if _ends_zone(change):
        return f"{change.address} would be deleted with its {total} record sets"
    return f"{touched} of {total} record sets of {change.address} would be changed or deleted"


def apex_change(plan: Plan, _: Policy) -> Iterator[Violation]:
    """Who answers for a zone would change: whoever is asked next may not know it.

    What heals drift makes it again what it was, and another TTL is no other server.
    """
    for change in plan.active:
        fields = [
            f.path
            for f in change.fields
            if f.before is not None and f.after is not None and not f.path.endswith(".ttl_seconds")
        ]
        touched = sorted(
            {name for path in fields for at, name in APEX_FIELDS if path.startswith(at)}
        )
        if touched and _had_authority(change) and change.cause is not Cause.DRIFT:
            yield Violation(
                "apex-change",
                f"{' and '.join(touched)} of {change.address} would change",
                f"make sure that the new servers answer for it, and say in the commit "
                f"{ALLOW_TRAILER}: apex-change",
                (change.address,),
                change.position,
            )


def no_nameservers(plan: Plan, _: Policy) -> Iterator[Violation]:
    """A zone would be left without any server that answers for it."""
    for change in plan.active:
        new = [step.zone.records for step in change.operations if isinstance(step, CreateZone)]
        is_bare = any(all(record.key != APEX_NS for record in records) for records in new)
        goes = any(f.path == f"records.{APEX_NS}" and f.after is None for f in change.fields)
        stays = change.action is not Action.DELETE
        if is_bare or (goes and stays and not new and _had_authority(change)):
            yield Violation(
                "no-nameservers",
                f"{change.address} would have no NS record",
                f"name its servers, or say in the commit {ALLOW_TRAILER}: no-nameservers",
                (change.address,),
                change.position,
            )


def foreign_owner(plan: Plan, _: Policy) -> Iterator[Violation]:
    """A name or place we need is taken by something that is not ours."""
    for obstacle in plan.obstacles:
        yield Violation(
            "foreign-owner",
            f"{obstacle.address} needs {obstacle.claim}, but that is {obstacle.holder}",
            _way_out(obstacle),
            (obstacle.address,),
            obstacle.position,
        )


def no_room(plan: Plan, _: Policy) -> Iterator[Violation]:
    """A machine fits on no host."""
    for unplaced in plan.unplaced:
        yield Violation(
            "no-room",
            f"{unplaced.address} fits on no host: {unplaced.reason}",
            "make it smaller, or make room",
            (unplaced.address,),
            unplaced.position,
        )


def disruption(plan: Plan, policy: Policy) -> Iterator[Violation]:
    """A change would cost its users more than the policy allows.

    A deletion is what its author asked for, so only one that takes a part away from something
    that stays is measured.
    """
    most = policy.max_disruption
    for change in plan.active:
        if change.disruption > most and not _whole_removal(change, plan):
            yield Violation(
                "disruption",
                f"{change.address}: {_paths(change)} costs {change.disruption.label}, "
                f"the environment allows {most.label}",
                f"raise max_disruption to {change.disruption.label} in the Environment document, "
                f"or say in the commit {ALLOW_TRAILER}: disruption",
                (change.address,),
                change.position,
            )


GUARDS: tuple[Guard, ...] = (
    empty_desire,
    mass_deletion,
    base_removal,
    mass_record_change,
    apex_change,
    no_nameservers,
    foreign_owner,
    no_room,
    disruption,
)
FLOORED: tuple[Guard, ...] = (mass_deletion, mass_record_change, disruption)
NEVER_ALLOWED = frozenset({"foreign-owner", "no-room"})


def _below_floor(plan: Plan, policy: Policy) -> Iterator[Violation]:
    """What was acknowledged, although the operator forbids it."""
    if policy.floor is None:
        return
    for guard in FLOORED:
        for violation in guard(plan, policy.floor):
            if violation.name in policy.allowed:
                remedy = "the operator's settings forbid it: change less, or raise their floor"
                yield replace(violation, remedy=remedy)


def _records(change: Change) -> tuple[int, int]:
    """How many record sets that are there would change, and how many there are."""
    total = len(change.observed.records) if isinstance(change.observed, ZoneSpec) else 0
    if change.action is Action.DELETE:
        return total, total
    there = [f for f in change.fields if f.path.startswith("records.") and f.before is not None]
    return len({_record_key(each.path) for each in there}), total


def _ends_zone(change: Change) -> bool:
    """Whether a zone would not be served any more."""
    return _had_authority(change) and change.action is Action.DELETE


def _had_authority(change: Change) -> bool:
    """Whether a zone is there, and it is this environment's."""
    return isinstance(change.observed, ZoneSpec) and change.observed.timers is not None


def _way_out(obstacle: Obstacle) -> str:
    """What to do about something that is in the way."""
    kind, _, what = obstacle.claim.partition(" ")
    if obstacle.address.kind != "zone" or not obstacle.is_foreign:
        return "choose another name, or remove or adopt what is there"
    if kind == "record":
        accepted = f"reconciler accept {obstacle.address} {what.rpartition(' ')[2]}"
        return f"take it over as it is with `{accepted}`, choose another name, or remove it"
    return "let the document say what is there, or remove it"


def _record_key(path: str) -> str:
    """The key of a record set: in `records.www.sub/A.values` it is `www.sub/A`."""
    name, _, rest = path.removeprefix("records.").rpartition("/")
    return f"{name}/{rest.partition('.')[0]}"


def _whole_removal(change: Change, plan: Plan) -> bool:
    """Whether a thing goes with all it is part of. A volume may have been taken out by hand.

    What a machine was plugged into is no part of it: it goes when the machine has left.
    """
    if change.action is not Action.DELETE:
        return False
    stays = {other.address for other in plan.changes if other.action is not Action.DELETE}
    stays |= {remark.address for remark in plan.remarks}
    parts = {need for need in change.needs if not (change.address.host and need.kind == "domain")}
    if parts & stays:
        return False
    gone = {other.address for other in plan.changes if other.action is Action.DELETE}
    if change.address.kind != "volume" or any(a.kind == "domain" for a in change.needs & gone):
        return True
    machines = (address.name for address in stays if address.kind == "domain")
    return not any(change.address.name.startswith(f"{machine}-") for machine in machines)


def _paths(change: Change) -> str:
    if change.action is Action.DELETE:
        return "deleting it"
    paths = [each.path for each in change.fields]
    return "changing " + ", ".join(paths[:3]) + (" and more" if len(paths) > len(paths[:3]) else "")
