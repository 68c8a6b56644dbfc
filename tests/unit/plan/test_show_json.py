"""The JSON of a plan and its published schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from reconciler.model.address import Address
from reconciler.model.change import Action, FieldChange
from reconciler.plan.plan import Cause, Change, Plan
from reconciler.plan.show.json import (
    drift_document,
    json_text,
    plan_json,
    plan_schema,
)
from reconciler.plan.show.value import HIDDEN
from tests.golden.plan.cases import CASES

SCHEMAS = Path(__file__).resolve().parents[3] / "schemas"


def document_of(name: str) -> Any:
    """The document as its readers get it."""
    case = CASES[name]()
    return json.loads(json_text(plan_json(case.plan(), case.violations())))


def test_published_schema_is_fresh() -> None:
    assert (SCHEMAS / "plan.json").read_text(encoding="utf-8") == json_text(plan_schema())


def test_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(plan_schema())


@pytest.mark.parametrize("name", sorted(CASES))
def test_plan_obeys_the_schema(name: str) -> None:
    Draft202012Validator(plan_schema()).validate(document_of(name))


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("extra",), 1),
        (("changes", 0, "extra"), 1),
        (("changes", 0, "action"), "explode"),
        (("changes", 0, "disruption"), "none"),
        (("changes", 0, "source", "line"), 0),
        (("summary", "create"), -1),
        (("violations", 0, "remedy"), None),
        (("digest",), None),
    ],
)
def test_schema_refuses_what_is_no_plan(place: tuple[Any, ...], value: object) -> None:
    document = document_of("costs-too-much")
    here = document
    for step in place[:-1]:
        here = here[step]
    here[place[-1]] = value
    assert not Draft202012Validator(plan_schema()).is_valid(document)


def test_every_key_of_a_plan_is_there() -> None:
    document = document_of("costs-too-much")
    assert document.keys() == {
        *("environment", "revision", "digest", "summary"),
        *("changes", "unknown", "violations"),
    }
    assert document["changes"][0].keys() == {
        *("address", "action", "cause", "disruption", "fields"),
        *("operations", "needs", "source"),
    }
    assert document["changes"][0]["source"] == {"file": "vms/web-1.yaml", "line": 1, "column": 1}
    assert document["violations"][0].keys() == {"name", "message", "remedy", "addresses", "source"}


def test_summary_counts_by_action() -> None:
    assert document_of("move-to-another-host")["summary"] == {
        "create": 0,
        "update": 0,
        "delete": 2,
        "move": 2,
        "unchanged": 0,
    }


def test_only_a_held_change_says_held() -> None:
    held = {
        each["action"]: each.get("held") for each in document_of("move-to-another-host")["changes"]
    }
    assert held == {"move": None, "delete": "prune is off: it is reported and kept"}
    assert not any("held" in each for each in document_of("drift")["changes"])


def test_sizes_stay_numbers() -> None:
    fields = document_of("drift")["changes"]
    values = [f["before"] for c in fields for f in c["fields"] if f["path"] == "memory_bytes"]
    assert 1024**3 in values


def test_former_address_is_said_only_where_there_is_one() -> None:
    change = Change(
        Address("domain", "new"),
        Action.UPDATE,
        Cause.PENDING,
        (),
        (),
        formerly=Address("domain", "old"),
    )
    document = plan_json(Plan("production", "", (change,)))
    assert document["changes"][0]["formerly"] == "domain/old"
    Draft202012Validator(plan_schema()).validate(document)
    assert not any("formerly" in each for each in document_of("drift")["changes"])


def test_secret_is_hidden_before_and_after() -> None:
    field = FieldChange("password", "hunter2", "secret://vm/root")
    change = Change(Address("domain", "a"), Action.UPDATE, Cause.PENDING, (field,), ())
    shown = plan_json(Plan("production", "", (change,)))["changes"][0]["fields"][0]
    assert shown == {"path": "password", "before": HIDDEN, "after": "secret://vm/root"}


def test_drift_document_is_the_same_at_another_commit_and_with_more_to_do() -> None:
    case = CASES["drift"]()
    document = drift_document(case.plan())
    assert [each["cause"] for each in document["changes"]] == [Cause.DRIFT] * 4
    assert document["foreign"] == ["domain@virt2/scratch"]
    assert "1a2b3c4" not in json_text(document)


@given(st.text(alphabet=st.characters(codec="utf-8")) | st.from_regex(r"[#\\\[\]\x7f]+"))
def test_json_text_is_harmless_ascii_and_loses_nothing(text: str) -> None:
    shown = json_text({"name": text})
    assert json.loads(shown) == {"name": text}
    assert shown.isascii()
    assert all(line.isprintable() for line in shown.split("\n"))
    assert "##" not in shown
