"""Whose doing the changes of a plan are: the branch's, or there already."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.model.address import Address
from reconciler.model.change import Action, FieldChange
from reconciler.plan.plan import Cause, Change, Plan
from reconciler.plan.show.background import Background, Merge, Sight, alike, share_of

MERGE = Merge("feature", "a" * 40, "production", "b" * 40)


def change(name: str, cause: Cause = Cause.PENDING, after: object = 2) -> Change:
    fields = (FieldChange("vcpus", 1, after),)
    return Change(Address("domain", name), Action.UPDATE, cause, fields, ())


def plan(*changes: Change) -> Plan:
    return Plan("production", "c" * 40, changes)


def test_what_both_plans_do_is_alike() -> None:
    mine, same = change("mine"), change("same")
    assert alike(plan(mine, same), plan(same)) == {same.address}


@pytest.mark.parametrize(
    "other",
    [
        change("one", after=3),
        replace(change("one"), held="later"),
        replace(change("one"), action=Action.DELETE),
    ],
)
def test_what_the_plans_do_differently_is_the_branchs(other: Change) -> None:
    assert alike(plan(change("one")), plan(other)) == frozenset()


def test_changes_are_shared_out() -> None:
    mine, waiting, drifted = change("a"), change("b"), change("c", Cause.DRIFT)
    already = frozenset({waiting.address, drifted.address})
    share = share_of((mine, waiting, drifted), Background(MERGE, already=already))
    assert (share.own, share.waiting, share.drifted) == ((mine,), (waiting,), (drifted,))


def test_without_a_merge_nobody_is_told_apart() -> None:
    changes = (change("a"), change("c", Cause.DRIFT))
    assert share_of(changes, Background()).own == changes


def test_sentences_quote_all_that_is_not_ours() -> None:
    about = Background(MERGE, Sight("2026-11-22T04:30:00Z", "sync(production): 1 updated"))
    told = " ".join(about.told(lambda text: f"<{text}>"))
    assert "<feature> at <aaaaaaa>, merged into <production> at <bbbbbbb>" in told
    assert "on <2026-11-22 04:30:00> UTC: <sync(production): 1 updated>" in told


def test_an_empty_world_is_said_to_be_one() -> None:
    assert list(Background(sight=Sight()).told(str)) == ["The world is taken for empty"]


def test_a_branch_that_is_merged_proposes_nothing() -> None:
    [told] = Background(replace(MERGE, is_merged=True)).told(str)
    assert told == "production has all of feature already: nothing is proposed"
