"""What a forge is told of commits after a turn."""

from __future__ import annotations

import pytest

from reconciler.errors import (
    ConfigError,
    GateClosed,
    GuardRefused,
    HistoryRewritten,
    ReconcilerError,
    SourceUnavailable,
    Stalled,
)
from reconciler.gitops.forges.port import State
from reconciler.gitops.forges.verdicts import context_of, verdicts
from reconciler.gitops.report import Refusal, Report
from reconciler.model.position import Position, Problem
from reconciler.plan.guards import Violation

GOOD, BAD = "1" * 40, "2" * 40
PROBLEMS = tuple(Problem(Position("vms/web.yaml", n, 1), f"wrong {n}") for n in (3, 4))


def closed(*names: str) -> GateClosed:
    return GateClosed([Violation(name, "it is so", "do that") for name in names])


@pytest.mark.parametrize(
    ("error", "state", "why"),
    [
        (ConfigError(PROBLEMS), State.FAILURE, "vms/web.yaml:3:1: wrong 3 (and 1 more)"),
        (GuardRefused(["mass-deletion: too many"]), State.FAILURE, "mass-deletion: too many"),
        (closed("window"), State.PENDING, "window: it is so; do that"),
        (closed("soak", "approval"), State.PENDING, "soak: it is so; do that (and 1 more)"),
        (closed("window", "signature"), State.FAILURE, "window: it is so; do that (and 1 more)"),
        (closed("lost-work"), State.FAILURE, "lost-work: it is so; do that"),
        (HistoryRewritten("it was rewritten"), State.FAILURE, "it was rewritten"),
        (Stalled("broken", "mend it"), State.FAILURE, "broken; mend it"),
        (SourceUnavailable("away"), State.PENDING, "away"),
    ],
)
def test_a_head_that_is_not_applied_has_its_reason(
    error: ReconcilerError, state: State, why: str
) -> None:
    told = verdicts(Report("production", GOOD, refusal=Refusal(BAD, error)))
    assert list(told) == [BAD]  # nothing was seen of the commit in force
    assert told[BAD].state is state
    assert told[BAD].why == f"{type(error).__name__}: {why}"


def test_without_a_commit_nothing_is_said() -> None:
    refusal = Refusal("", SourceUnavailable("away"))
    assert verdicts(Report("production", "", refusal=refusal)) == {}


def test_each_environment_has_its_own_context() -> None:
    assert context_of("staging") == "reconciler/staging"
