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
from reconciler.plan.show.background import NOTHING, Background
from reconciler.plan.show.json import drift_document, json_text, plan_json
from reconciler.plan.show.junit import junit
from reconciler.plan.show.markdown import MOST_CHARACTERS, plan_markdown
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
    plan: Plan,
    violations: Sequence[Violation],
    form: Format,
    view: View = View.PLAN,
    background: Background = NOTHING,
) -> None:
    """Write a plan, or the drift in it, to standard output."""
    if form is Format.TEXT:
        screen().lines(plan_lines(plan, violations, view=view, background=background))
    elif form is Format.JSON and view is View.DRIFT:
        click.echo(json_text(drift_document(plan)), nl=False)
    else:
        click.echo(plan_document(plan, violations, form, view, background), nl=False)


def write_problems(problems: Sequence[Problem], form: Format) -> None:
    """Write what is wrong with a config repository to standard output."""
    if form is Format.TEXT:
        screen().lines(problem_lines(problems))
    else:
        click.echo(problems_document(problems, form), nl=False)


def plan_document(
    plan: Plan,
    violations: Sequence[Violation],
    form: Format,
    view: View = View.PLAN,
    background: Background = NOTHING,
    *,
    limit: int = MOST_CHARACTERS,
) -> bytes:
    """A plan in a format for files: JSON, markdown of at most `limit` characters, JUnit, SARIF."""
    if form is Format.MARKDOWN:
        page = plan_markdown(plan, violations, view=view, limit=limit, background=background)
        return page.encode()
    if form is Format.JSON:
        return json_text(plan_json(plan, violations, background=background)).encode()
    notices = plan_notices(plan, violations, view=view, background=background)
    return _notices_document(notices, f"{view}/{plan.environment}", form)


def problems_document(
    problems: Sequence[Problem],
    form: Format,
    environment: str = "",
    background: Background = NOTHING,
    *,
    limit: int = MOST_CHARACTERS,
) -> bytes:
    """What is wrong with a config repository, or keeps an environment from having a plan.

    The formats are those of `plan_document`.
    """
    if form is Format.MARKDOWN:
        return problems_markdown(
            problems, limit=limit, environment=environment, background=background
        ).encode()
    if form is Format.JSON:
        return json_text(problems_json(problems)).encode()
    name = f"{View.PLAN}/{environment}" if environment else "validate"
    return _notices_document(problem_notices(problems), name, form)


def _notices_document(notices: Sequence[Notice], name: str, form: Format) -> bytes:
    if form is Format.JUNIT:
        return junit(notices, suite=name)
    return json_text(sarif(notices, category=name)).encode()
