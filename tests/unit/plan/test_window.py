"""When machines may be restarted."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reconciler.model.plain import digest_of
from reconciler.plan.policy import Policy, with_restarts
from reconciler.plan.window import Window
from tests.farms.specs import machine

NIGHT = Window("0 2 * * *", timedelta(hours=2))
BERLIN = replace(NIGHT, timezone="Europe/Berlin")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("time", "is_open"),
    [
        ("2026-06-01T01:59:59", False),
        ("2026-06-01T02:00:00", True),
        ("2026-06-01T03:59:59", True),
        ("2026-06-01T04:00:00", False),
        ("2026-06-01T14:00:00", False),
    ],
)
def test_a_window_opens_and_closes(time: str, *, is_open: bool) -> None:
    assert NIGHT.is_open(at(time)) is is_open


@pytest.mark.parametrize(
    ("time", "is_open"),
    [
        ("2026-06-01T00:30:00", True),  # 02:30 in summer
        ("2026-06-01T02:30:00", False),
        ("2026-12-01T00:30:00", False),
        ("2026-12-01T01:30:00", True),  # 02:30 in winter
    ],
)
def test_a_window_is_in_its_own_time_zone(time: str, *, is_open: bool) -> None:
    assert BERLIN.is_open(at(time)) is is_open


def test_a_window_may_stay_open_beyond_midnight() -> None:
    late = Window("0 23 * * sat", timedelta(hours=3))
    assert late.is_open(at("2026-11-22T01:59:00"))  # a Sunday
    assert not late.is_open(at("2026-11-21T01:59:00"))


AUTOMATIC, *_ = reversed(machine())
MANUAL = replace(AUTOMATIC, spec=replace(AUTOMATIC.spec, pending_restart=None))


@pytest.mark.parametrize(
    ("restart", "expected"),
    [("written", [False, None]), ("later", [None, None]), ("now", [False, False])],
)
def test_restarts_are_put_off_or_brought_on(restart: Any, expected: list[bool | None]) -> None:
    policy = replace(Policy(), restart=restart)
    desired = with_restarts((AUTOMATIC, MANUAL, machine()[0]), policy)
    assert [want.spec.pending_restart for want in desired[:2]] == expected
    assert desired[2] == machine()[0]


@pytest.mark.parametrize("restart", ["written", "later", "now"])
def test_the_mark_does_not_tell_when_it_was_made(restart: Any) -> None:
    for want in (AUTOMATIC, MANUAL):
        (made,) = with_restarts((want,), replace(Policy(), restart=restart))
        assert (made.digest or digest_of(made.spec)) == digest_of(want.spec)
