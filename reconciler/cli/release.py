"""`reconciler release`: end a hold."""

from __future__ import annotations

import os

import click

from reconciler.cli.command import Failure, Given, command
from reconciler.cli.exits import Exit
from reconciler.cli.hold import by_option, environment_argument, resource_argument, told
from reconciler.cli.repository import open_repository, settings_of
from reconciler.daemon.clock import SystemClock
from reconciler.gitops.person import person
from reconciler.plan.show.escape import visible
from reconciler.plan.sparing import holds_at


@command("release")
@environment_argument
@resource_argument
@by_option
@click.pass_obj
def release(given: Given, environment: str, resource: str | None, by: str | None) -> Exit:
    """End the hold of an environment, or of one RESOURCE.

    The environment is looked at soon, and made what its branch says.
    """
    with open_repository(settings_of(given)) as repository:
        repository.try_fetch()
        holds = repository.chronicle.recall(environment).holds
        wanted = resource or ""
        if wanted not in {each.resource for each in holds}:
            now = SystemClock().now()
            known = [each.resource or "everything" for each in holds_at(holds, now)]
            what = f"{resource} of {environment}" if resource else environment
            raise Failure(f"{what} is not held; held there: {', '.join(known) or 'nothing'}")
        name = by or person(os.environ)  # noqa: TID251 - for git
        outcome = repository.chronicle.release(environment, wanted, name)
    click.echo(visible(f"{environment}: {resource or 'everything'} is released"))
    return told(outcome, f"reconciler sync -e {environment} looks at once, else run does soon")
