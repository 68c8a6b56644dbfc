"""What stops nothing and is good to know is told in every format, once, with its place."""

from __future__ import annotations

from dataclasses import replace

from reconciler.model.position import Position, Problem
from reconciler.plan.plan import Plan
from reconciler.plan.show.json import plan_json, source
from reconciler.plan.show.markdown import plan_markdown
from reconciler.plan.show.notices import Level, plan_notices
from reconciler.plan.show.text import plan_text
from reconciler.plan.show.view import View

NOTE = Problem(Position("hosts/virt1.yaml", 7, 1), "files of host virt1 differ", "merge it")
BARE = Plan("staging", "abc")
PLAN = replace(BARE, notes=(NOTE,))


def test_a_note_is_told_to_people() -> None:
    assert "1 good to know\n  hosts/virt1.yaml:7:1: files of host virt1 differ\n" in plan_text(PLAN)
    assert "hosts/virt1.yaml:7:1: files of host virt1 differ" in plan_markdown(PLAN)
    assert "good to know" not in plan_text(BARE) + plan_markdown(BARE)


def test_a_note_is_told_to_programs() -> None:
    assert plan_json(PLAN)["notes"] == [
        {"message": NOTE.what, "remedy": "merge it", "source": source(NOTE.position)}
    ]
    assert "notes" not in plan_json(BARE)


def test_a_note_is_no_failure() -> None:
    (notice,) = plan_notices(PLAN)
    assert (notice.level, notice.position) == (Level.NOTE, NOTE.position)


def test_drift_has_no_notes() -> None:
    assert plan_notices(PLAN, view=View.DRIFT) == ()
    assert "good to know" not in plan_text(PLAN, view=View.DRIFT)


def test_a_note_does_not_make_another_plan() -> None:
    assert PLAN.digest == BARE.digest
