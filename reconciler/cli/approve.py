"""`reconciler approve`: see what a commit asks for, and how to approve of just that."""

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
from reconciler.cli.formats import Format, write_plan
from reconciler.cli.proposed import Subject, subject_of
from reconciler.cli.repository import open_repository, settings_of
from reconciler.cli.site import site_of
from reconciler.cli.terminal import screen
from reconciler.cli.world import JOURNAL, surroundings
from reconciler.plan.gates import APPROVE_TRAILER, approval_tag
from reconciler.reconcile import plan as make_plan


@command("approve")
@environment_option
@branch_option
@revision_option
@click.option(
    "--world",
    metavar="journal|live|empty|FILE",
    default=JOURNAL,
    show_default=True,
    help="What to plan against. What is approved of is the same against each of them.",
)
@click.pass_obj
def approve(
    given: Given, environment: str | None, branch: str | None, revision: str | None, world: str
) -> Exit:
    """Show a plan, and the commands that approve of it.

    An approval is a tag that you sign with your own git and push. No key is touched here. It is for
    just what the plan asks for: a commit that asks for something else needs another one.

    Exits with 1 if the plan would be refused; approving does not help it then.
    """
    with open_repository(settings_of(given)) as repository:
        repository.fetch()
        name = environment_of(repository, environment, branch)
        subject = subject_of(repository, name, branch, revision)
        site = site_of(repository, surroundings(repository, name, world))
        look, violations = make_plan(name, subject.revision, site)
        background = background_of(repository, site, subject, look.plan, world)
    write_plan(look.plan, violations, Format.TEXT, background=background)
    _tell(subject, look.plan.approval_digest)
    return Exit.ERROR if violations else Exit.SAME


def _tell(subject: Subject, digest: str) -> None:
    """How to approve, by the commit that people have: nobody has that of a merge to come."""
    shown, tag = screen(), approval_tag(subject.environment, digest)
    commit = subject.merge.head if subject.merge else subject.revision
    shown.say()
    shown.say(f"This approves of {digest}, in a clone, signed with your key:", "bold")
    shown.say()
    shown.say("  git fetch origin")
    shown.say(f'  git tag -s -m "Approve" {tag} {commit}')
    shown.say(f"  git push origin refs/tags/{tag}")
    shown.say()
    shown.say(f"So does an empty signed commit on the branch with `{APPROVE_TRAILER}: {digest}`,")
    shown.say(f"or a review of the pull request at the forge that says {digest}.")
