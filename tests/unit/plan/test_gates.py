"""Each gate by itself: what closes it, what is said, and what opens it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from reconciler.config.gates import GateFields
from reconciler.plan.evidence import Approver, Evidence, Lack, Soak
from reconciler.plan.gates import Candidate, Gates, closed, foreseen, opens_at
from reconciler.plan.guards import Violation
from reconciler.plan.plan import Plan

ASKED = "0123456789abcdef"
PLAN = Plan("production", "1" * 40, asked=ASKED)
CANDIDATE = Candidate("production", "1" * 40, "2" * 40, PLAN)
NOON = datetime(2026, 12, 22, 12, tzinfo=UTC)  # a Tuesday
ALICE, BOB = frozenset({"alice"}), frozenset({"bob"})


def asked(**fields: object) -> Gates:
    return Gates.of(GateFields.model_validate(fields))


def found(gates: Gates, evidence: Evidence, now: datetime = NOON) -> tuple[Violation, ...]:
    return closed(gates, evidence, CANDIDATE, now)


def approver(name: str, digest: str = ASKED, way: str = "key") -> Approver:
    return Approver(name, way, digest)


def test_nothing_is_asked_where_nobody_asks() -> None:
    assert found(Gates(), Evidence()) == ()
    assert asked() == Gates()


def test_what_changes_nothing_passes_every_gate() -> None:
    gates = asked(approvals=2, soak="1d", windows=[{"opens": "0 2 * * sat", "duration": "1h"}])
    assert found(gates, Evidence(is_free=True)) == ()


def test_all_closed_gates_are_told_at_once() -> None:
    gates = asked(
        signatures="head",
        sign_offs=1,
        approvals=1,
        soak="1d",
        windows=[{"opens": "0 2 * * sat", "duration": "1h"}],
        freezes=[{"from": "2026-12-20", "until": "2027-01-06", "reason": "Holidays"}],
    )
    names = [each.name for each in found(gates, Evidence(lacks=(Lack("it is unsigned", "sign"),)))]
    assert names == ["signature", "sign-off", "window", "freeze", "soak", "approval"]


def test_a_window_tells_when_it_opens_in_its_own_time_zone() -> None:
    window = {"opens": "0 2 * * sat", "duration": "3h", "timezone": "Europe/Berlin"}
    [shut] = found(asked(windows=[window]), Evidence())
    assert "`0 2 * * sat` for 3h (Europe/Berlin)" in shut.message
    assert "2026-12-26 02:00 CET" in shut.remedy
    assert shut.opens == datetime(2026, 12, 26, 1, tzinfo=UTC)
    assert found(asked(windows=[window]), Evidence(), shut.opens) == ()


def test_one_open_window_of_a_list_is_enough_but_each_list_must_have_one() -> None:
    noon = {"opens": "0 12 * * *", "duration": "1h"}
    night = {"opens": "0 2 * * *", "duration": "1h"}
    assert found(asked(windows=[night, noon]), Evidence()) == ()
    both = asked(windows=[noon]).with_all_of(asked(windows=[night]))
    [shut] = found(both, Evidence())
    assert "0 2" in shut.message


@pytest.mark.parametrize(
    ("now", "is_closed"),
    [
        (datetime(2026, 12, 19, 22, 59, tzinfo=UTC), False),
        (datetime(2026, 12, 19, 23, tzinfo=UTC), True),
        (datetime(2027, 1, 6, 22, 59, tzinfo=UTC), True),
        (datetime(2027, 1, 6, 23, tzinfo=UTC), False),
    ],
)
def test_a_freeze_of_days_lasts_from_the_first_moment_to_the_last(
    now: datetime, is_closed: bool
) -> None:
    days = {"from": "2026-12-20", "until": "2027-01-06", "reason": "Holidays"}
    gates = asked(freezes=[{**days, "timezone": "Europe/Berlin"}])
    assert bool(found(gates, Evidence(), now)) is is_closed


def test_a_freeze_tells_its_end_and_its_reason() -> None:
    days = {"from": "2026-12-20 08:00", "until": "2026-12-23 18:30", "reason": "Audit"}
    [shut] = found(asked(freezes=[days]), Evidence())
    assert "2026-12-20 08:00 UTC until 2026-12-23 18:30 UTC: Audit" in shut.message
    assert shut.opens == datetime(2026, 12, 23, 18, 30, tzinfo=UTC)


def test_soak_tells_what_is_missing_and_when_it_is_over() -> None:
    gates = asked(soak="1d")
    [none] = found(gates, Evidence())
    assert "there is none" in none.message
    [other] = found(gates, Evidence(soak=Soak("staging", instead="1a2b3c4 is there")))
    assert "staging for 1d, but 1a2b3c4 is there" in other.message
    since = NOON - timedelta(hours=3)
    [short] = found(gates, Evidence(soak=Soak("staging", since)))
    assert short.opens == since + timedelta(days=1)
    assert "2026-12-23 09:00 UTC" in short.remedy
    assert found(gates, Evidence(soak=Soak("staging", NOON - timedelta(days=1)))) == ()


def test_nobody_approves_of_his_own() -> None:
    gates = asked(approvals=1)
    by_alice = Evidence(authors=(ALICE,), approvers=(approver("Alice"),))
    [shut] = found(gates, by_alice)
    assert "0 of 1 people approved" in shut.message
    assert f"approve/production/{ASKED}" in shut.remedy
    assert found(gates, replace(by_alice, approvers=(approver("bob"),))) == ()


def test_two_authors_may_approve_of_each_other() -> None:
    gates = asked(approvals=1)
    both = Evidence(authors=(ALICE, BOB), approvers=(approver("alice"), approver("bob")))
    assert found(gates, both) == ()
    assert len(found(gates, replace(both, approvers=(approver("bob"),)))) == 1


def test_the_same_person_counts_once_however_often_and_in_whatever_way() -> None:
    gates = asked(approvals=2)
    twice = (approver("bob"), approver("BOB"), approver("robert", way="account"))
    [shut] = found(gates, Evidence(authors=(ALICE,), approvers=twice))
    assert "1 of 2" in shut.message
    more = (*twice, approver("carol"))
    assert found(gates, Evidence(authors=(ALICE,), approvers=more)) == ()


def test_only_those_count_who_may_approve() -> None:
    gates = asked(approvals=1, approved_by=["Carol"])
    [shut] = found(gates, Evidence(authors=(ALICE,), approvers=(approver("bob"),)))
    assert "only carol count" in shut.message
    assert found(gates, Evidence(authors=(ALICE,), approvers=(approver("carol"),))) == ()


@pytest.mark.parametrize(
    ("digest", "is_enough"),
    [(ASKED, True), (ASKED[:12], True), (ASKED[:11], False), ("f" * 16, False), ("", False)],
)
def test_an_approval_is_of_one_plan(digest: str, is_enough: bool) -> None:
    evidence = Evidence(authors=(ALICE,), approvers=(approver("bob", digest),))
    assert (found(asked(approvals=1), evidence) == ()) is is_enough


def test_an_approval_of_another_plan_is_told_with_both_digests() -> None:
    evidence = Evidence(authors=(ALICE,), approvers=(approver("bob", "f" * 16),))
    [shut] = found(asked(approvals=1), evidence)
    assert f"{'f' * 16} was approved, which is another plan" in shut.message
    assert f"approved of {ASKED}" in shut.message


def test_who_signs_off_besides_the_author_counts() -> None:
    gates = asked(sign_offs=1, sign_off_by=["bob@farm.internal"])
    own = frozenset({"alice@farm.internal"})
    evidence = Evidence(authors=(own,), sign_offs=own)
    assert len(found(gates, evidence)) == 1
    assert len(found(gates, replace(evidence, sign_offs=frozenset({"eve@farm.internal"})))) == 1
    assert found(gates, replace(evidence, sign_offs=frozenset({"bob@farm.internal"}))) == ()


def test_a_trailer_opens_no_gate_and_is_answered() -> None:
    gates = asked(freezes=[{"from": "2026-12-20", "until": "2027-01-06", "reason": "Holidays"}])
    [shut] = found(gates, Evidence(claimed=frozenset({"freeze"})))
    assert "`Reconciler-Allow: freeze` opens no gate" in shut.message
    assert "gates.production.let_through" in shut.remedy


def test_both_count_whoever_asks() -> None:
    operator = asked(signatures="tag", approvals=2, soak="1d")
    repository = asked(signatures="every", approvals=1, approved_by=["carol"], soak="2d")
    both = operator.with_all_of(repository)
    assert both.signatures == {"tag", "every"}
    assert len(both.approvals) == 2
    assert both.soak == timedelta(days=2)


def test_what_a_merge_would_wait_for_can_be_told_without_anybody() -> None:
    gates = asked(signatures="head", approvals=1, soak="1d")
    told = {each.name: each for each in foreseen(gates, "production", PLAN, NOON)}
    assert set(told) == {"signature", "approval", "soak"}
    assert ASKED in told["approval"].remedy


def test_it_is_known_when_all_gates_open_only_if_that_of_each_is() -> None:
    first = Violation("window", "", "", opens=NOON)
    later = Violation("freeze", "", "", opens=NOON + timedelta(days=1))
    assert opens_at((first, later)) == NOON + timedelta(days=1)
    assert opens_at((first, Violation("approval", "", ""))) is None
    assert opens_at(()) is None


def test_what_is_said_does_not_change_with_time() -> None:
    gates = asked(soak="1d", windows=[{"opens": "0 2 * * sat", "duration": "1h"}])
    evidence = Evidence(soak=Soak("staging", NOON - timedelta(hours=3)))
    later = NOON + timedelta(minutes=5)
    assert list(map(str, found(gates, evidence))) == list(map(str, found(gates, evidence, later)))
