"""A plan as a comment: what is at the top, what is folded, and what does not fit."""

from __future__ import annotations

import re

import pytest

from reconciler.plan.guards import Violation
from reconciler.plan.show.markdown import MOST_CHARACTERS, Section, page, plan_markdown
from reconciler.plan.show.view import View
from tests.golden.plan.cases import CASES, Case, web


def big_case(machines: int) -> Case:
    return Case(tuple(each for number in range(machines) for each in web(f"web-{number}")))


def test_small_plan_is_complete() -> None:
    text = plan_markdown(CASES["drift"]().plan())
    assert text.startswith("### Plan for `production` at `1a2b3c4`\n")
    assert "| 2 | 2 | 0 | 0 | 1 | 0 | 0 |" in text
    assert "<details><summary>2 to update</summary>" in text
    assert "left out" not in text


def test_nothing_to_do_folds_nothing() -> None:
    assert "<details>" not in plan_markdown(CASES["nothing-to-do"]().plan())


def test_violations_are_not_folded() -> None:
    violation = Violation("mass-deletion", "too many", "delete fewer")
    text = plan_markdown(CASES["nothing-to-do"]().plan(), [violation])
    assert "**1 violation: the plan is not applied**" in text
    assert "<details>" not in text


def test_drift_view_names_what_is_foreign() -> None:
    text = plan_markdown(CASES["nothing-to-do"]().plan(), view=View.DRIFT)
    assert "1 foreign, left alone" in text
    assert "domain@virt2/scratch" in text


@pytest.mark.parametrize("limit", [500, 700, 1_000, 2_500, 10_000])
def test_comment_never_exceeds_its_limit_and_counts_what_is_left_out(limit: int) -> None:
    plan = big_case(30).plan()
    text = plan_markdown(plan, limit=limit)
    assert len(text) <= limit
    shown = len(re.findall(r"^\+ ", text, re.MULTILINE))
    left = int(re.findall(r"… (\d+) more left out", text)[0])
    assert shown + left == len(plan.changes)


def test_thousand_machines_fit_into_a_comment() -> None:
    text = plan_markdown(big_case(1000).plan())
    assert len(text) <= MOST_CHARACTERS
    assert "more left out" in text
    assert text.count("```") % 2 == 0
    assert text.count("<details>") == text.count("</details>")


def test_what_comes_after_the_first_thing_left_out_is_left_out_too() -> None:
    sections = [Section("first", 1, ["a" * 600]), Section("second", 1, ["b"])]
    text = page("head\n", sections, limit=500)
    assert "second" not in text
    assert "… 2 more left out" in text
