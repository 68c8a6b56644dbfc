"""Each guard is proved to bite: without it, and only without it, its danger would be applied."""

from __future__ import annotations

import pytest

from reconciler.plan.guards import GUARDS, Guard, check
from reconciler.plan.plan import Plan
from reconciler.plan.policy import Policy
from tests.farms.dangers import DANGERS, Danger


def found_without(left_out: Guard | None, plan: Plan, policy: Policy) -> set[str]:
    guards = [guard for guard in GUARDS if guard is not left_out]
    return {violation.name for guard in guards for violation in guard(plan, policy)}


def test_every_guard_has_its_danger() -> None:
    assert [danger.guard for danger in DANGERS] == list(GUARDS)


@pytest.mark.parametrize("danger", DANGERS, ids=lambda danger: danger.name)
def test_just_this_guard_stops_its_danger(danger: Danger) -> None:
    plan = danger.plan()
    assert {violation.name for violation in check(plan, danger.policy)} == {danger.name}
    assert found_without(None, plan, danger.policy) == {danger.name}
    assert found_without(danger.guard, plan, danger.policy) == set()
