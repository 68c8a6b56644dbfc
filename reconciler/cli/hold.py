"""`reconciler hold`: leave an environment, or one resource, alone for a time."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

import click

from reconciler.cli.choices import resource_of
from reconciler.cli.command import Failure, Given, command
from reconciler.cli.exits import Exit
from reconciler.cli.repository import open_repository, settings_of
from reconciler.cli.terminal import remark
from reconciler.config.ignore_fields import MEANING, moment
from reconciler.config.settings import ENVIRONMENTS
from reconciler.daemon.clock import SystemClock
from reconciler.gitops.message import one_line
from reconciler.gitops.outbox import PushOutcome
from reconciler.gitops.person import person
from reconciler.model.address import Address
from reconciler.model.quantity import parse_duration
from reconciler.model.standing import Hold
from reconciler.plan.show.escape import visible
from reconciler.plan.sparing import TIME

LONGEST_REASON = 200
LONGEST = timedelta(days=3660)

environment_argument = click.argument("environment", metavar="ENV", type=click.Choice(ENVIRONMENTS))
resource_argument = click.argument("resource", required=False, metavar="[RESOURCE]")
by_option = click.option(
    "--by", metavar="NAME", help="Who wants it. Default: the user.name of your git."
)


@command("hold")
@environment_argument
@resource_argument
@click.option("--reason", required=True, metavar="TEXT", help="Why, for whoever wonders.")
@click.option(
    "--until",
    metavar="TIME|DURATION",
    help="When it ends by itself: 2h, 3d, 2026-12-31 or 2026-12-31T18:00Z.",
)
@by_option
@click.pass_obj
def hold(
    given: Given,
    environment: str,
    resource: str | None,
    reason: str,
    until: str | None,
    by: str | None,
) -> Exit:
    """Leave an environment, or one resource, alone for a time.

    RESOURCE is written as `drift` shows it, such as domain/web-1.

    Everything is looked at, planned and told as before, drift is recorded, and nothing is changed.
    The hold is written to the journal and pushed, so that it counts wherever the reconciler runs;
    a later one of the same thing replaces it. `release` ends it, or its time.
    """
    now = SystemClock().now()
    address = _address(resource)
    made = Hold(
        one_line(reason, LONGEST_REASON) or "no reason was given",
        now.strftime(TIME),
        one_line(by, LONGEST_REASON) if by else person(os.environ),  # noqa: TID251 - for git
        _end(until, now).strftime(TIME) if until else None,
        address,
    )
    with open_repository(settings_of(given)) as repository:
        repository.try_fetch()
        known = repository.chronicle.recall(environment)
        outcome = repository.chronicle.hold(environment, made)
    if address and known.applied and Address.parse(address) not in known.applied:
        remark(f"nothing of {environment} is called {address} now; the hold waits for it")
    click.echo(visible(f"{environment}: {address or 'everything'} is {made}"))
    return told(outcome, f"reconciler release {environment} {address}".rstrip() + " ends it")


def told(outcome: PushOutcome, rest: str) -> Exit:
    """Say whether it counts everywhere by now."""
    if outcome.ok:
        click.echo(rest)
        return Exit.SAME
    reason = f"it is kept here and tried again, but counts nowhere else yet: {outcome.reason}"
    click.echo(visible(f"not pushed: {reason}"), err=True)
    return Exit.ERROR


def _address(text: str | None) -> str:
    if text is None:
        return ""
    address = resource_of(text)
    if not text.isprintable():
        raise Failure(f"{text!r} is not the address of a resource")
    return str(address)


def _end(text: str, now: datetime) -> datetime:
    """The moment that is meant, which is to come."""
    try:
        is_duration = text[-1:].isalpha() and "-" not in text
        end = now + parse_duration(text) if is_duration else moment(text)
    except (ValueError, OverflowError) as error:
        message = f"--until {text!r} must be a duration, such as 2h, or {MEANING}"
        raise Failure(message) from error
    if not now < end <= now + LONGEST:
        raise Failure(f"--until {text}: that is {end:%Y-%m-%d %H:%M} UTC; name a time to come")
    return end.astimezone(UTC)
