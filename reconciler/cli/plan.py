"""`reconciler plan`: what a sync would do, for a commit and a world of one's choice."""

from __future__ import annotations

import click

from reconciler.cli.background import background_of
from reconciler.cli.choices import (
    branch_option,
    environment_of,
    environment_option,
    revision_option,
)
from reconciler.cli.command import Given, command
from reconciler.cli.exits import Exit
from reconciler.cli.formats import Format, format_option, write_plan, write_problems
from reconciler.cli.proposed import subject_of
from reconciler.cli.repository import open_repository, settings_of
from reconciler.cli.site import site_of
from reconciler.cli.world import LIVE, surroundings
from reconciler.errors import ConfigError
from reconciler.plan.guards import Violation
from reconciler.plan.plan import Plan
from reconciler.reconcile import plan as make_plan


@command("plan")
@environment_option
@branch_option
@revision_option
@click.option(
    "--merge/--no-merge",
    default=True,
    help="Whether to plan what merging --branch into the environment's branch would give, or the "
    "branch as it is. The environment's own branch is planned as it is.",
    show_default="--merge",
)
@click.option(
    "--world",
    metavar="live|journal|empty|FILE",
    default=LIVE,
    show_default=True,
    help="What to plan against. journal and empty need no access to any host; FILE is a "
    "simulated farm.",
)
@format_option()
@click.pass_obj
def plan(
    given: Given,
    environment: str | None,
    branch: str | None,
    revision: str | None,
    merge: bool,
    world: str,
    form: Format,
) -> Exit:
    """Show what a sync would do, and what that costs.

    Nothing is changed. Exits with 2 if there are changes, and with 1 if the plan would be refused,
    or if something could not be looked at and nothing else differs.
    """
    with open_repository(settings_of(given)) as repository:
        repository.fetch()
        name = environment_of(repository, environment, branch)
        try:
            subject = subject_of(repository, name, branch, revision, merge=merge)
            site = site_of(repository, surroundings(repository, name, world))
            look, violations = make_plan(name, subject.revision, site)
        except ConfigError as error:
            if form is Format.TEXT:
                raise
            write_problems(error.problems, form)
            return Exit.ERROR
        background = background_of(repository, site, subject, look.plan, world)
    write_plan(look.plan, violations, form, background=background)
    return exit_of(look.plan, violations)


def exit_of(plan: Plan, violations: tuple[Violation, ...]) -> Exit:
    """What the plan means for whoever asked: refused, something to do, uncertain, or nothing."""
    if violations:
        return Exit.ERROR
    if plan.changes:
        return Exit.DIFFERENT
    return Exit.ERROR if plan.unknown else Exit.SAME
