"""Colour and bars on a terminal, plain words everywhere else."""

from __future__ import annotations

import io

from rich.console import Console

from reconciler.cli.progress import Bar, Steps, progress
from reconciler.cli.terminal import STYLES, Screen, screen
from reconciler.engine.apply import Outcome, Result, Silent
from reconciler.kinds.volume_operations import GrowVolume
from reconciler.model.address import Address
from reconciler.model.change import Action
from reconciler.plan.plan import Cause, Change, Plan
from reconciler.plan.show.text import Line, LineKind

DATA = Address("volume", "web-1-data")
STEP = GrowVolume("virt1", "default", "production-web-1-data", 12 << 30)
CHANGE = Change(DATA, Action.UPDATE, Cause.PENDING, (), (STEP,))
PLAN = Plan("production", "", (CHANGE,))


def terminal(*, no_color: bool = False) -> tuple[Screen, io.StringIO]:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, no_color=no_color, width=100)
    return Screen(console), stream


def test_every_kind_of_line_has_a_style() -> None:
    assert STYLES.keys() == set(LineKind)


def test_no_terminal_no_colour(capsys: object) -> None:
    assert screen().console is None


def test_what_looks_like_markup_is_said_as_it_is() -> None:
    shown, stream = terminal(no_color=True)
    shown.lines([Line(LineKind.FIELD, "[bold]x[/bold] :smile: 'a' 12")])
    assert stream.getvalue() == "[bold]x[/bold] :smile: 'a' 12\n"


def test_long_lines_are_left_whole() -> None:
    shown, stream = terminal(no_color=True)
    shown.say("x" * 500)
    assert stream.getvalue() == "x" * 500 + "\n"


def test_a_terminal_gets_colour() -> None:
    shown, stream = terminal()
    shown.lines([Line(LineKind.DELETE, "- domain/web-1")])
    assert "\x1b[31m" in stream.getvalue()


def test_a_bar_counts_what_ended_and_names_the_step() -> None:
    shown, stream = terminal(no_color=True)
    with progress(shown, "production", 0) as reporter:
        assert isinstance(reporter, Bar)
        reporter.planned(PLAN)
        reporter.begins(DATA, STEP)
        reporter.ended(Outcome(DATA, Result.DONE))
    assert "1/1" in stream.getvalue()
    assert "production: grow volume production" in stream.getvalue()


def test_a_bar_for_nothing_is_not_shown() -> None:
    shown, stream = terminal(no_color=True)
    with progress(shown, "production", 0) as reporter:
        reporter.planned(Plan("production", ""))
        reporter.begins(DATA, STEP)
        reporter.ended(Outcome(DATA, Result.DONE))
    assert "production" not in stream.getvalue()


def test_without_a_terminal_nothing_moves() -> None:
    with progress(Screen(), "production", 0) as reporter:
        assert isinstance(reporter, Silent)


def test_each_step_is_said_to_whoever_wants_to_know(capsys: object) -> None:
    with progress(Screen(), "production", 1) as reporter:
        assert isinstance(reporter, Steps)
