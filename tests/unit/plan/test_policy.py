"""What an environment allows, and what is shown but not done."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.kinds.domain_operations import StopDomain, UndefineDomain
from reconciler.kinds.volume_operations import FreeVolume
from reconciler.model.address import Address
from reconciler.model.change import Action, Disruption, FieldChange
from reconciler.model.standing import Hold, Ignored
from reconciler.plan.plan import Cause, Change, Plan, Remark
from reconciler.plan.policy import Policy, hold_back

WEB, ROOT, DB = Address("domain", "web"), Address("volume", "web-root"), Address("domain", "db")
CREATE = Change(WEB, Action.CREATE, Cause.PENDING, (), ())
DELETE = Change(ROOT, Action.DELETE, Cause.PENDING, (), (), needs=frozenset({WEB}))
DRIFT = Change(DB, Action.UPDATE, Cause.DRIFT, (), (StopDomain("virt1", "db"),))


def held(policy: Policy, *changes: Change) -> list[str | None]:
    return [each.held for each in hold_back(Plan("production", "", changes), policy).changes]


def test_usually_nothing_is_held() -> None:
    assert held(Policy(), CREATE, DELETE, DRIFT) == [None, None, None]


def test_a_suspended_environment_holds_everything() -> None:
    assert held(Policy(suspend=True), CREATE, DRIFT) == ["the environment is suspended"] * 2


def test_without_prune_nothing_is_deleted() -> None:
    assert held(Policy(prune=False), CREATE, DELETE) == [
        None,
        "prune is off: it is reported and kept",
    ]


def test_drift_may_be_only_reported() -> None:
    assert held(Policy(drift="report"), CREATE, DRIFT) == [None, "drift is only reported"]


def test_drift_of_a_host_in_maintenance_is_only_reported() -> None:
    chrony = Address("package", "chrony", "virt1")
    drift = Change(chrony, Action.UPDATE, Cause.DRIFT, (), ())
    reason = "host virt1 is in maintenance: drift is only reported"
    policy = Policy(in_maintenance=frozenset({"virt1"})).tightened(Policy())
    assert held(policy, drift, DRIFT) == [reason, None], "but its machines are kept up"
    assert held(policy, replace(drift, cause=Cause.PENDING)) == [None]
    assert held(policy, replace(drift, address=replace(chrony, host="virt2"))) == [None]


def test_drift_that_costs_more_than_is_allowed_stays_and_stops_nothing_else() -> None:
    dear = replace(DRIFT, operations=(UndefineDomain("virt1", "db"),))
    assert held(Policy(), CREATE, dear) == [
        None,
        "healing it costs replace, the environment allows restart",
    ]
    assert held(Policy(allowed=frozenset({"disruption"})), dear) == [None]
    assert held(Policy(max_disruption=Disruption.REPLACE), dear) == [None]


def test_a_costly_wish_is_for_the_guard() -> None:
    dear = replace(DRIFT, cause=Cause.PENDING, operations=(UndefineDomain("virt1", "db"),))
    assert held(Policy(), dear) == [None]


def test_what_needs_a_held_change_is_held() -> None:
    first = replace(CREATE, cause=Cause.DRIFT)
    last = replace(DRIFT, cause=Cause.PENDING, needs=frozenset({ROOT}))
    assert held(Policy(drift="report"), first, DELETE, last) == [
        "drift is only reported",
        "it comes after domain/web",
        "it comes after volume/web-root",
    ]


def test_what_its_host_took_back_stays_held_whatever_the_policy_says() -> None:
    taken_back = replace(CREATE, held="it cut its host off")
    after = "it comes after domain/web"
    assert held(Policy(), taken_back, DELETE) == ["it cut its host off", after]
    assert held(Policy(suspend=True), taken_back) == ["it cut its host off"]


LATER = Policy(restart="later", max_disruption=Disruption.DATA_LOSS)
REMADE = replace(DELETE, action=Action.UPDATE, needs=frozenset())
FREE = FreeVolume("virt1", "default", "production-web-root", "production")
WAITS = "it takes the machine down, which waits for the restart window"


def test_what_takes_a_machine_down_waits_for_the_window() -> None:
    volume = replace(REMADE, operations=(FREE,))
    domain = replace(CREATE, action=Action.UPDATE, needs=frozenset({ROOT}))
    assert held(LATER, volume, domain) == [WAITS, "it comes after volume/web-root"]
    assert held(LATER, replace(DRIFT, cause=Cause.PENDING)) == [WAITS]
    assert held(replace(LATER, restart="now"), volume, domain) == [None, None]
    assert held(replace(LATER, restart="written"), volume, domain) == [None, None]


def test_what_the_guards_refuse_waits_for_no_window() -> None:
    dear = replace(REMADE, operations=(FREE, UndefineDomain("virt1", "web")))
    assert held(replace(LATER, max_disruption=Disruption.RESTART), dear) == [None]


def test_a_machine_that_is_to_be_off_or_gone_needs_no_window() -> None:
    off = FieldChange("running", before=True, after=False)
    stopped = replace(DRIFT, cause=Cause.PENDING, fields=(off,))
    gone = replace(DRIFT, cause=Cause.PENDING, action=Action.DELETE)
    assert held(LATER, stopped) == [None]
    assert held(LATER, gone) == [None]


LOOSE = Policy(max_disruption=Disruption.DATA_LOSS, machines_percent=50, records_percent=60)


@pytest.mark.parametrize(
    "strict",
    [
        {"prune": False},
        {"drift": "report"},
        {"max_disruption": Disruption.LIVE},
        {"machines_percent": 1},
        {"records_percent": 2},
        {"suspend": True},
    ],
)
def test_the_stricter_of_two_policies_counts_either_way(strict: dict[str, Any]) -> None:
    tight = replace(LOOSE, **strict)
    assert LOOSE.tightened(tight) == replace(tight, floor=tight)
    assert tight.tightened(LOOSE) == replace(tight, floor=LOOSE)


def test_an_acknowledgement_lets_drift_be_healed_down_to_the_floor() -> None:
    dear = replace(DRIFT, operations=(UndefineDomain("virt1", "db"),))
    floor = Policy(max_disruption=Disruption.RESTART)
    acknowledged = Policy(allowed=frozenset({"disruption"}))
    assert held(acknowledged.tightened(floor), dear) == [
        "healing it costs replace, the environment allows restart"
    ]
    assert held(acknowledged.tightened(LOOSE), dear) == [None]


def test_a_floor_acknowledges_nothing() -> None:
    allowed = frozenset({"mass-deletion"})
    assert LOOSE.tightened(replace(LOOSE, allowed=allowed)).allowed == frozenset()
    assert replace(LOOSE, allowed=allowed).tightened(LOOSE).allowed == allowed


WHOLE = Hold("disks", "2026-01-01T00:00:00Z", "Ada")
END = "2999-01-01T00:00:00Z"


def test_a_held_environment_holds_everything_and_renews_no_marks() -> None:
    plan = Plan("production", "", (CREATE, DRIFT), remarks=(Remark(DB, ()),))
    kept = hold_back(plan, Policy(holds=(WHOLE,)))
    assert {each.held for each in kept.changes} == {"held by Ada until it is released: disks"}
    assert kept.remarks == ()
    assert kept.hold == WHOLE


def test_a_held_resource_holds_itself_and_what_needs_it() -> None:
    mine = Hold("a trial", "2026-01-01T00:00:00Z", until=END, resource=str(WEB))
    assert held(Policy(holds=(mine,)), CREATE, DELETE, DRIFT) == [
        f"held until {END}: a trial",
        f"it comes after {WEB}",
        None,
    ]


@pytest.mark.parametrize(
    ("resource", "fields", "is_held"),
    [
        ("domain/db", (), True),
        ("domain/*", (), True),
        ("domain/web", (), False),
        ("volume/*", (), False),
        ("domain/db", ("vcpus",), True),
        ("domain/db", ("vcpus", "running"), True),
        ("domain/db", ("memory_bytes",), False),
        ("domain/d?", (), False),
        ("domain/[d]b", (), False),
    ],
)
def test_drift_that_documents_ignore_is_held(
    resource: str, fields: tuple[str, ...], is_held: bool
) -> None:
    ignored = Ignored("trial", resource, END, "a test", fields)
    drift = replace(DRIFT, fields=(FieldChange("vcpus", 1, 2),))
    made = hold_back(Plan("production", "", (drift,)), Policy(ignored=(ignored,))).changes[0]
    assert (made.held is not None, made.is_ignored) == (is_held, is_held)


def test_what_git_wants_is_never_ignored() -> None:
    ignored = Ignored("trial", "domain/*", END, "a test")
    assert held(Policy(ignored=(ignored,)), CREATE) == [None]


def test_what_is_held_for_another_reason_is_not_ignored() -> None:
    ignored = Ignored("trial", "domain/*", END, "a test")
    plan = Plan("production", "", (DRIFT,))
    made = hold_back(plan, Policy(holds=(WHOLE,), ignored=(ignored,))).changes[0]
    assert not made.is_ignored
