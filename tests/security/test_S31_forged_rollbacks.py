"""S31: a forged rollback in the journal is told, and neither followed nor the program's end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reconciler.errors import Stalled
from reconciler.gitops.flow.rollback import acknowledged
from reconciler.model.condition import Condition, ConditionType
from reconciler.model.condition import Status as Is
from reconciler.model.standing import Quarantined
from reconciler.plan.show.rollbacks import read_rollbacks
from reconciler.plan.show.status import Status, read_status
from tests.story.people import FlowDesk

TREE, BAD, GOOD = "1" * 40, "2" * 40, "3" * 40
SINCE = "2026-11-22T08:00:00Z"
SOUND = {"tree": TREE, "commit": BAD, "good": GOOD, "reason": "it failed", "since": SINCE}
FORGED = [
    {"commit": "--help"},
    {"commit": ""},
    {"good": "--output=/tmp/x"},
    {"good": "HEAD"},
    {"tree": "A" * 40},
    {"tree": TREE + "\n"},
    {"since": "yesterday"},
    {"since": ""},
    {"since": "2026-11-22T08:00:00"},
    {"since": "9999-99-99T00:00:00Z"},
    {"since": "9999-12-31T23:59:59-23:59"},
]


def test_a_sound_one_is_read() -> None:
    [read] = read_rollbacks({"rollbacks/x.json": json.dumps(SOUND).encode()})
    assert read == Quarantined(TREE, BAD, GOOD, "it failed", SINCE)


@pytest.mark.parametrize("wrong", FORGED, ids=lambda each: str(each)[:40])
def test_a_forged_one_stops_its_environment(wrong: dict[str, str]) -> None:
    with pytest.raises(Stalled, match=r"rollbacks/x\.json in the journal cannot be read"):
        read_rollbacks({"rollbacks/x.json": json.dumps(SOUND | wrong).encode()})


@pytest.mark.parametrize(
    "wrong",
    [
        {"ready_since": "soon"},
        {"ready_since": "2026-11-22T08:00:00"},
        {"failing": {"commit": "HEAD", "since": SINCE}},
        {"failing": {"commit": BAD, "since": "always"}},
    ],
)
def test_a_status_with_no_times_of_ours_is_not_read(wrong: dict[str, object]) -> None:
    with pytest.raises(Stalled, match=r"status\.json in the journal cannot be read"):
        read_status(json.dumps({"environment": "production", **wrong}).encode())


def test_a_decision_acknowledges_guards_of_the_way_back_only() -> None:
    allows = ("mass-deletion", "protected", "quarantine", "signature")
    rollback = Quarantined(TREE, BAD, GOOD, "it failed", SINCE, allows)
    told = Condition(ConditionType.ROLLED_BACK, Is.TRUE, "RolledBack", "so", SINCE)
    past = Status("production", GOOD, GOOD, (told,), quarantined=(rollback,))
    assert acknowledged(past) == {"mass-deletion"}


def test_the_program_says_what_is_wrong_and_where(tmp_path: Path) -> None:
    desk = FlowDesk.of(tmp_path, ("staging", "production"))
    desk.sync("production")
    desk.git("branch", "forged", "reconciler/production")
    desk.put({"rollbacks/x.json": json.dumps(SOUND | {"commit": "--help"})}, "forged")
    desk.git("update-ref", "refs/heads/reconciler/production", desk.head("forged"))
    said = desk.sync("production", 1)
    assert "rollbacks/x.json in the journal cannot be read: '--help' is not a full id" in said
    assert "remove it" in said
