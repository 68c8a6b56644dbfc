"""The matrix as people see it: all that is told fits on the paper, and nothing acts on it."""

from __future__ import annotations

from reconciler.cli.matrix import WIDTH, document, lines
from reconciler.gitops.flow.matrix import Column, Mark, Matrix, Row
from reconciler.gitops.lineage import Step
from reconciler.model.condition import Condition, ConditionType
from reconciler.model.condition import Status as Truth
from reconciler.model.standing import Hold, Quarantined
from reconciler.plan.show.status import Status

NOW = "2025-06-02T12:00:00Z"
LONG = "A subject \x1b[31m" + "that goes on " * 20
STEPS = tuple(Step(f"{n:040x}", "d" * 40, (), LONG) for n in range(7))
PAST = Status(
    "production",
    revision="a" * 40,
    ready_revision="a" * 40,
    ready_since=NOW,
    refused="b" * 40,
    holds=(Hold("why " * 60, NOW), Hold("past", NOW, until="2025-01-01T00:00:00Z")),
    quarantined=(Quarantined("d" * 40, "c" * 40, "a" * 40, "ill " * 60, NOW),),
    conditions=(Condition(ConditionType.STALLED, Truth.TRUE, "ConfigError", "bad\nworse", NOW),),
)
COLUMNS = (
    Column("development", Status("development"), "develop", "a" * 40),
    Column("staging", Status("staging"), "release/" + "v1" * 30, "a" * 40, lower="development"),
    Column("production", PAST, None, None, "v1.0.0", "staging", STEPS, STEPS),
)
MARKS = dict(zip(("development", "staging", "production"), Mark, strict=False))
MATRIX = Matrix(COLUMNS, tuple(Row(step, MARKS) for step in STEPS))


def test_no_line_is_wider_than_the_paper_or_acts_on_a_terminal() -> None:
    shown = [text for text, _style in lines(MATRIX, NOW)]
    assert max(map(len, shown)) <= WIDTH
    assert all(text.isprintable() for text in shown)


def test_everything_that_stops_an_environment_is_told() -> None:
    shown = "\n".join(text for text, _style in lines(MATRIX, NOW))
    assert "production: everything is held: why" in shown
    assert "ccccccc was rolled back to aaaaaaa: ill" in shown
    assert "stalled: ConfigError: bad" in shown
    assert "bbbbbbb is refused" in shown
    assert "(none is open)" in shown
    assert "past" not in shown, "a hold that is over"


def test_what_waits_is_counted_and_the_newest_are_named() -> None:
    shown = "\n".join(text for text, _style in lines(MATRIX, NOW))
    assert "production: 7 commits Ready in staging can be promoted" in shown
    assert "  and 2 more" in shown


def test_the_document_has_whole_ids_and_all_that_waits() -> None:
    told = document(MATRIX, NOW)
    production = told["environments"][2]
    assert production["behind"] == 7
    assert len(production["waiting"]) == 7
    assert len(production["holds"]) == 1
    assert told["commits"][0]["environments"]["development"] == "in force"
