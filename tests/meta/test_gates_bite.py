"""Each gate is proved to bite: without it, and only without it, its commit would be applied."""

from __future__ import annotations

import pytest

from reconciler.plan.gates import ALL_GATES, GATES, Case, Gate, closed
from tests.farms.closed_gates import CANDIDATE, CLOSED, NOON, Closed


def found_without(left_out: Gate | None, each: Closed) -> set[str]:
    case = Case(each.asked, each.evidence, CANDIDATE, NOON)
    asked = [gate for gate in ALL_GATES if gate is not left_out]
    return {violation.name for gate in asked for violation in gate(case)}


def test_every_gate_has_its_commit_and_its_name() -> None:
    assert [each.gate for each in CLOSED] == list(ALL_GATES)
    assert [each.name for each in CLOSED] == list(GATES)


@pytest.mark.parametrize("each", CLOSED, ids=lambda each: each.name)
def test_just_this_gate_stops_its_commit(each: Closed) -> None:
    told = closed(each.asked, each.evidence, CANDIDATE, NOON)
    assert {violation.name for violation in told} == {each.name}
    assert all(violation.remedy for violation in told)
    assert found_without(None, each) == {each.name}
    assert found_without(each.gate, each) == set()
