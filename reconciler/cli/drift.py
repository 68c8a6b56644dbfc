"""`reconciler drift`: what somebody changed by hand, seen now."""

from __future__ import annotations

import click

from reconciler.cli.choices import environment_of, environment_option
from reconciler.cli.command import Failure, Given, command
from reconciler.cli.exits import Exit
from reconciler.cli.formats import Format, format_option, write_plan
from reconciler.cli.repository import open_repository, settings_of
from reconciler.cli.site import site_of
from reconciler.cli.world import surroundings
from reconciler.plan.plan import Plan
from reconciler.plan.show.view import View
from reconciler.reconcile import plan as make_plan


@command("drift")
@environment_option
@format_option()
@click.pass_obj
def drift(given: Given, environment: str | None, form: Format) -> Exit:
    """Look at the farm now, and show what somebody changed by hand.

    Compares with the commit that was applied last, whatever came to the branch since. Nothing is
    changed or recorded. Exits with 2 if something drifted.
    """
    with open_repository(settings_of(given)) as repository:
        repository.try_fetch()
        name = environment_of(repository, environment)
        applied = repository.chronicle.recall(name).revision
        if not applied:
            raise Failure(
                f"nothing was applied to {name} yet, so nothing can have drifted from it; "
                f"run reconciler plan --environment {name}"
            )
        site = site_of(repository, surroundings(repository, name))
        look, _ = make_plan(name, applied, site)
    write_plan(look.plan, (), form, View.DRIFT)
    return exit_of(look.plan)


def exit_of(plan: Plan) -> Exit:
    """Whether something drifted, or nobody can say."""
    if plan.drifted:
        return Exit.DIFFERENT
    return Exit.ERROR if plan.unknown else Exit.SAME
