"""A plan: its digest, what of it is applied, and what it counts."""

from __future__ import annotations

from dataclasses import replace

from reconciler.kinds.domain_operations import StartDomain, StopDomain
from reconciler.model.address import Address
from reconciler.model.change import Action, Disruption, FieldChange
from reconciler.plan.plan import Cause, Change, Plan

WEB = Address("domain", "web-1")
CHANGE = Change(
    WEB,
    Action.UPDATE,
    Cause.DRIFT,
    (FieldChange("vcpus", 1, 2),),
    (StopDomain("virt1", "web"), StartDomain("virt2", "web")),
)
PLAN = Plan("production", "1a2b3c4", (CHANGE,))


def test_a_change_costs_what_its_costliest_step_costs() -> None:
    assert CHANGE.disruption is Disruption.RESTART
    assert replace(CHANGE, operations=()).disruption is Disruption.LIVE


def test_a_change_keeps_the_machines_of_all_its_steps_busy() -> None:
    assert CHANGE.machines == {"virt1", "virt2"}


def test_a_change_is_called_by_what_it_does() -> None:
    assert str(CHANGE) == "update domain/web-1"


def test_only_what_is_not_held_is_applied() -> None:
    held = replace(CHANGE, address=Address("domain", "db"), held="drift is only reported")
    plan = replace(PLAN, changes=(CHANGE, held))
    assert plan.active == (CHANGE,)
    assert plan.drifted == (CHANGE, held)
    assert (plan.count(Action.UPDATE), plan.count(Action.DELETE)) == (2, 0)


def test_the_digest_is_that_of_what_would_be_done_and_not_of_the_commit() -> None:
    assert replace(PLAN, revision="other").digest == PLAN.digest
    assert len(PLAN.digest) == 16


def test_the_digest_changes_with_everything_that_would_be_done() -> None:
    others = [
        replace(PLAN, environment="staging"),
        replace(PLAN, changes=()),
        replace(PLAN, changes=(replace(CHANGE, held="why"),)),
        replace(PLAN, changes=(replace(CHANGE, action=Action.MOVE),)),
        replace(PLAN, changes=(replace(CHANGE, fields=(FieldChange("vcpus", 1, 3),)),)),
        replace(PLAN, changes=(replace(CHANGE, operations=CHANGE.operations[:1]),)),
    ]
    assert len({plan.digest for plan in [PLAN, *others]}) == len(others) + 1


def test_a_digest_is_the_same_in_every_process() -> None:
    assert PLAN.digest == "b7e0404cac624091"
