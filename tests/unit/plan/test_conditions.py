"""What can be said about an environment after a run."""

from __future__ import annotations

from dataclasses import replace

from reconciler.model.address import Address
from reconciler.model.change import Action
from reconciler.model.condition import Condition, ConditionType, Status
from reconciler.model.resource import World
from reconciler.plan.conditions import Finding, conditions_of
from reconciler.plan.plan import Cause, Change, Plan
from tests.farms.specs import machine, seen

NOW, BEFORE = "2026-05-01T12:00:00Z", "2026-04-01T12:00:00Z"
PLAN = Plan("production", "1a2b3c4d5e")
DRIFT = tuple(
    Change(Address("domain", f"m{number}"), Action.UPDATE, Cause.DRIFT, (), ())
    for number in range(7)
)
DOMAIN = machine()[1]


def say(
    plan: Plan | None = None,
    world: World | None = None,
    finding: Finding | None = None,
    previous: tuple[Condition, ...] = (),
) -> dict[str, Condition]:
    found = conditions_of(
        "production",
        "1a2b3c4d5e",
        finding=finding,
        seen=None if plan is None and world is None else (world or World(), plan or PLAN),
        now=NOW,
        previous=previous,
    )
    return {str(condition.type): condition for condition in found}


def test_a_run_without_a_finding_is_ready_and_nothing_else() -> None:
    ready = say()
    assert list(ready) == ["Ready"]
    assert ready["Ready"].status is Status.TRUE
    assert ready["Ready"].message == "the farm is what 1a2b3c4 says"


def test_a_finding_that_passes_is_being_reconciled() -> None:
    said = say(finding=Finding("ApplyFailed", "virt1 is away", stalled=False))
    assert (said["Ready"].status, said["Ready"].reason) == (Status.FALSE, "ApplyFailed")
    assert said["Reconciling"].message == "virt1 is away"
    assert "Stalled" not in said


def test_a_finding_that_needs_a_person_is_stalled() -> None:
    said = say(finding=Finding("GuardRefused", "too much", stalled=True))
    assert said["Stalled"].status is Status.TRUE
    assert "Reconciling" not in said


def test_drift_is_named_but_not_all_of_it() -> None:
    assert say(plan=PLAN)["Drifted"].status is Status.FALSE
    drifted = say(plan=replace(PLAN, changes=DRIFT))["Drifted"]
    assert drifted.status is Status.TRUE
    names = ", ".join(f"domain/m{number}" for number in range(5))
    assert drifted.message == f"{names} and 2 more differ from what was applied"


def test_machines_that_wait_for_a_restart_are_named() -> None:
    waiting = World((seen(DOMAIN, pending_restart=True), seen(DOMAIN, "staging")))
    said = say(world=waiting)["PendingRestart"]
    assert said.status is Status.TRUE
    assert said.message == "domain/web-1 run on an older definition"
    assert say(world=World((seen(DOMAIN),)))["PendingRestart"].status is Status.FALSE


def test_a_status_that_stays_keeps_the_time_since_when() -> None:
    before = tuple(replace(each, since=BEFORE) for each in say(plan=PLAN).values())
    now = say(plan=replace(PLAN, changes=DRIFT), previous=before)
    assert now["Ready"].since == BEFORE
    assert now["Drifted"].since == NOW


def test_conditions_have_the_names_that_flux_gives_them() -> None:
    assert {str(each) for each in ConditionType} >= {"Ready", "Reconciling", "Stalled"}
