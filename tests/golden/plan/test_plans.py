"""Each case's plan in every format, and its world as the journal keeps it."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.plan.inventory import load_world, world_files
from reconciler.plan.show.json import drift_document, json_text, plan_json
from reconciler.plan.show.junit import junit
from reconciler.plan.show.markdown import plan_markdown
from reconciler.plan.show.notices import plan_notices
from reconciler.plan.show.sarif import sarif
from reconciler.plan.show.text import plan_text
from reconciler.plan.show.view import View
from tests.conftest import Golden
from tests.golden.plan.cases import CASES, Case

HERE = Path(__file__).parent


@pytest.fixture(params=sorted(CASES))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def case(name: str) -> Case:
    return CASES[name]()


def test_plan_reads_as_it_did(name: str, case: Case, golden: Golden) -> None:
    plan, violations = case.plan(), case.violations()
    notices = plan_notices(plan, violations)
    formats = {
        "plan.json": json_text(plan_json(plan, violations)),
        "plan.txt": plan_text(plan, violations),
        "plan.md": plan_markdown(plan, violations),
        "plan.junit.xml": junit(notices, suite="plan production").decode(),
        "plan.sarif": json_text(sarif(notices, category="plan/production")),
    }
    for file, text in formats.items():
        golden(HERE / name / file, text)


def test_drift_reads_as_it_did(name: str, case: Case, golden: Golden) -> None:
    plan = case.plan()
    formats = {
        "drift.json": json_text(drift_document(plan)),
        "drift.txt": plan_text(plan, view=View.DRIFT),
        "drift.md": plan_markdown(plan, view=View.DRIFT),
    }
    for file, text in formats.items():
        golden(HERE / name / file, text)


def test_journal_keeps_the_world_as_it_did(name: str, case: Case, golden: Golden) -> None:
    for path, content in world_files(case.world, case.scopes).items():
        golden(HERE / name / path, content.decode())


def test_plan_from_the_journal_is_the_plan_from_a_look(case: Case) -> None:
    world = load_world(world_files(case.world, case.scopes))
    assert plan_json(case.plan(world)) == plan_json(case.plan())


def test_no_golden_file_is_without_a_case() -> None:
    assert sorted(each.name for each in HERE.iterdir() if (each / "plan.json").exists()) == sorted(
        CASES
    )
