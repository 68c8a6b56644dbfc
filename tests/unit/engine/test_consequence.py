"""What follows from each error."""

from __future__ import annotations

import inspect

import pytest

from reconciler import errors
from reconciler.engine.consequence import CONSEQUENCES, Consequence, consequence_of
from reconciler.errors import ReconcilerError

TREE = [
    each
    for _, each in inspect.getmembers(errors, inspect.isclass)
    if issubclass(each, ReconcilerError) and each is not ReconcilerError
]
TABLE = {
    "ConfigError": "stall",
    "Conflict": "retry",
    "Denied": "stall",
    "DependencyLoop": "stall",
    "DriverError": "retry",
    "GateClosed": "wait",
    "GuardRefused": "stall",
    "HistoryRewritten": "hold",
    "NotFound": "retry",
    "PlanError": "stall",
    "RolledBack": "stall",
    "SettingsError": "stall",
    "SourceCorrupt": "retry",
    "SourceError": "stall",
    "SourceUnavailable": "retry",
    "Stalled": "stall",
    "Unreachable": "retry",
    "VerifyError": "retry",
    "Waiting": "wait",
}


@pytest.mark.parametrize("error", TREE, ids=lambda error: error.__name__)
def test_each_error_has_its_consequence(error: type[ReconcilerError]) -> None:
    assert consequence_of(error) is Consequence(TABLE[error.__name__])


def test_what_nobody_thought_of_needs_a_person() -> None:
    assert consequence_of(ReconcilerError) is Consequence.STALL


def test_no_row_hides_behind_an_earlier_one() -> None:
    for index, (error, _) in enumerate(CONSEQUENCES):
        assert not any(issubclass(error, earlier) for earlier, _ in CONSEQUENCES[:index]), error
