"""JUnit and SARIF: what fails, and which line it points at."""

from __future__ import annotations

from typing import Any

import pytest
from lxml import etree

from reconciler.model.position import Position, Problem
from reconciler.plan.guards import GUARDS
from reconciler.plan.show.json import json_text
from reconciler.plan.show.junit import junit
from reconciler.plan.show.notices import (
    RULES,
    Level,
    Notice,
    plan_notices,
    problem_notices,
)
from reconciler.plan.show.sarif import sarif
from reconciler.plan.show.view import View
from tests.golden.plan.cases import CASES

HOME = Position("environments/production/environment.yaml")
PROBLEM = Problem(Position("vms/a b.yaml", 3, 7), "unknown key {x} [y](z)", "remove it")


def notices_of(name: str, view: View = View.PLAN) -> tuple[Notice, ...]:
    case = CASES[name]()
    return plan_notices(case.plan(), case.violations(), view=view)


def suite_of(notices: tuple[Notice, ...]) -> Any:
    return etree.fromstring(junit(notices, suite="plan production"))[0]


def run_of(notices: tuple[Notice, ...]) -> Any:
    return sarif(notices, category="plan/production")["runs"][0]


def test_drift_points_at_the_line_that_owns_it() -> None:
    found = {each.subject: each for each in notices_of("drift")}
    assert found["domain/web-1"].rule == "drift"
    assert found["domain/web-1"].level is Level.WARNING
    assert found["domain/web-1"].position == Position("vms/web-1.yaml", 1, 1)
    assert "memory_bytes: 1 GiB → 2 GiB; running: false → true" in found["domain/web-1"].message


def test_pending_change_is_only_a_note() -> None:
    assert {(each.rule, each.level) for each in notices_of("first-machine")} == {
        ("pending", Level.NOTE)
    }


def test_held_change_says_why() -> None:
    messages = [each.message for each in notices_of("drift-that-is-only-reported")]
    assert all("; held: drift is only reported" in each for each in messages)


def test_drift_view_leaves_pending_changes_out_and_names_what_is_foreign() -> None:
    assert notices_of("first-machine", View.DRIFT) == ()
    foreign = notices_of("nothing-to-do", View.DRIFT)
    assert [(each.rule, each.subject) for each in foreign] == [("foreign", "domain@virt2/scratch")]


def test_what_no_document_owns_points_at_the_environment() -> None:
    found = notices_of("mass-deletion")
    assert {each.position for each in found} == {HOME}
    assert found[0].rule == "mass-deletion"
    assert found[0].level is Level.ERROR
    assert {each.position for each in notices_of("host-unreachable") if each.rule == "unknown"} == {
        HOME
    }


def test_violation_points_at_what_it_is_about() -> None:
    places = {each.rule: each.position for each in notices_of("costs-too-much")}
    assert places["disruption"] == Position("vms/web-1.yaml", 1, 1)
    assert places["no-room"] == HOME


def test_every_guard_has_a_rule_with_words() -> None:
    names = {guard.__name__.replace("_", "-") for guard in GUARDS}
    assert names <= RULES.keys()
    assert all(RULES.values())
    used = {each.rule for name in CASES for each in notices_of(name)}
    assert used <= RULES.keys()


def test_junit_counts_failures_and_errors() -> None:
    suite = suite_of(notices_of("host-unreachable"))
    assert dict(suite.attrib) == {
        "name": "plan production",
        "tests": "3",
        "failures": "0",
        "errors": "2",
    }
    assert len(suite.findall("testcase/error")) == 2
    assert len(suite.findall("testcase/system-out")) == 1


def test_junit_case_names_the_resource_its_file_and_its_line() -> None:
    case = suite_of(problem_notices([PROBLEM]))[0]
    assert (case.get("file"), case.get("line")) == ("vms/a b.yaml", "3")
    failure = case[0]
    assert failure.tag == "failure"
    assert failure.get("type") == "config/problem"
    assert failure.text == "vms/a b.yaml:3:7: unknown key {x} [y](z); remove it"


def test_junit_with_nothing_to_say_passes() -> None:
    suite = suite_of(())
    assert suite.get("tests") == "1"
    assert [len(case) for case in suite] == [0]


@pytest.mark.parametrize("text", ["\x00\x08", "\ufffe\uffff", "\ud800", "]]>", "<a b='\"'>"])
def test_junit_takes_any_text(text: str) -> None:
    notice = Notice(text, Level.ERROR, text, text, Position(text))
    assert len(suite_of((notice,))) == 1


def test_sarif_points_at_the_line() -> None:
    result = run_of(problem_notices([PROBLEM]))["results"][0]
    assert result["ruleId"] == "config/problem"
    assert result["level"] == "error"
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "vms/a%20b.yaml"
    assert place["region"] == {"startLine": 3, "startColumn": 7}


def test_sarif_message_has_no_link_and_no_placeholder() -> None:
    text = run_of(problem_notices([PROBLEM]))["results"][0]["message"]["text"]
    assert text == r"vms/a b.yaml: unknown key {{x}} \[y\](z); remove it"


@pytest.mark.parametrize("name", sorted(CASES))
def test_sarif_has_the_structure_that_the_standard_demands(name: str) -> None:
    notices = notices_of(name)
    log = sarif(notices, category="plan/production")
    assert log["version"] == "2.1.0"
    run = log["runs"][0]
    assert run["tool"]["driver"]["name"] == "reconciler"
    rules = run["tool"]["driver"]["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules)
    assert len(run["results"]) == len(notices)
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in {"error", "warning", "note"}
        assert result["message"]["text"]
        (location,) = result["locations"]
        region = location["physicalLocation"]["region"]
        assert region["startLine"] >= 1
        assert region["startColumn"] >= 1
        uri = location["physicalLocation"]["artifactLocation"]["uri"]
        assert not uri.startswith("/")
        assert uri.isascii()
    assert json_text(log)


def test_sarif_fingerprint_stays_when_lines_move() -> None:
    moved = Problem(Position("vms/a b.yaml", 30, 7), PROBLEM.what, PROBLEM.remedy)
    prints = [
        run_of(problem_notices([each]))["results"][0]["partialFingerprints"]
        for each in (PROBLEM, moved)
    ]
    assert prints[0] == prints[1]


def test_sarif_tells_runs_apart_by_category() -> None:
    assert run_of(())["automationDetails"] == {"id": "reconciler/plan/production/"}


def test_notice_without_a_place_has_only_a_name() -> None:
    notice = Notice("odd", Level.NOTE, "thing", "it is so")
    run = run_of((notice,))
    assert run["results"][0]["locations"] == [
        {"logicalLocations": [{"fullyQualifiedName": "thing"}]}
    ]
    assert run["tool"]["driver"]["rules"] == [{"id": "odd", "shortDescription": {"text": "odd"}}]
    assert suite_of((notice,))[0].get("file") is None
