"""The formats that people and machines ask for, and the files that take them."""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from reconciler.cli.terminal import screen
from reconciler.model.position import Problem
from reconciler.plan.guards import Violation
from reconciler.plan.plan import Plan
from reconciler.plan.show.json import drift_document, json_text, plan_json
from reconciler.plan.show.junit import junit
from reconciler.plan.show.markdown import plan_markdown
from reconciler.plan.show.notices import Notice, plan_notices, problem_notices
from reconciler.plan.show.problems import problem_lines, problems_json, problems_markdown
from reconciler.plan.show.sarif import sarif
from reconciler.plan.show.text import plan_lines
from reconciler.plan.show.view import View

F = TypeVar("F", bound=Callable[..., Any])


class Format(enum.StrEnum):
    """How a result is written."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"
    JUNIT = "junit"
    SARIF = "sarif"


def format_option(*formats: Format) -> Callable[[F], F]:
    """`--format`, for the formats that a command has."""
    return click.option(
        "--format",
        "form",
        type=click.Choice([each.value for each in formats or Format]),
        default=Format.TEXT.value,
        show_default=True,
        callback=lambda _context, _option, value: Format(value),
        help="How to write it.",
    )


def write_plan(
    plan: Plan, violations: Sequence[Violation], form: Format, view: View = View.PLAN
) -> None:
    """Write a plan, or the drift in it, to standard output."""
    if form is Format.TEXT:
        screen().lines(plan_lines(plan, violations, view=view))
    elif form is Format.MARKDOWN:
        click.echo(plan_markdown(plan, violations, view=view), nl=False)
    elif form is Format.JSON and view is View.DRIFT:
        click.echo(json_text(drift_document(plan)), nl=False)
    elif form is Format.JSON:
        click.echo(json_text(plan_json(plan, violations)), nl=False)
    else:
        notices = plan_notices(plan, violations, view=view)
        _write_notices(notices, f"{view}/{plan.environment}", form)


def write_problems(problems: Sequence[Problem], form: Format) -> None:
    """Write what is wrong with a config repository to standard output."""
    if form is Format.TEXT:
        screen().lines(problem_lines(problems))
    elif form is Format.MARKDOWN:
        click.echo(problems_markdown(problems), nl=False)
    elif form is Format.JSON:
        click.echo(json_text(problems_json(problems)), nl=False)
    else:
        _write_notices(problem_notices(problems), "validate", form)


def _write_notices(notices: Sequence[Notice], name: str, form: Format) -> None:
    if form is Format.JUNIT:
        click.echo(junit(notices, suite=name), nl=False)
    else:
        click.echo(json_text(sarif(notices, category=name)), nl=False)
