"""`reconciler accept`: what somebody did by hand becomes what git says."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from reconciler.cli.accept_resource import Wish, accept_resource
from reconciler.cli.accept_zone import accept_zone
from reconciler.cli.acceptance import Acceptance, Target, offer_branch, write_into
from reconciler.cli.choices import environment_of, environment_option, resource_of
from reconciler.cli.command import Failure, Given, command
from reconciler.cli.exits import Exit
from reconciler.cli.repository import Repository, open_repository, settings_of
from reconciler.cli.world import JOURNAL, LIVE
from reconciler.config.load import TreeReader, environments_of
from reconciler.gitops.directory import DirectoryTree
from reconciler.plan.show.escape import visible

_WRITTEN = """
Look at what was written, commit it, and merge it: from the next sync on git says this, and nothing
else changes but what is told above."""
_PUSHED = """
Merge it: from the next sync on git says this, and nothing else changes but what is told above.
Until then it is drift; where that is healed, reconciler hold {environment} {resource} keeps it."""


@command("accept")
@click.argument("address", metavar="RESOURCE")
@click.argument("fields", nargs=-1, metavar="[FIELD]...")
@click.option(
    "--into",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write into this work tree of the config repository, and push no branch.",
)
@click.option(
    "--world",
    type=click.Choice((LIVE, JOURNAL)),
    default=LIVE,
    show_default=True,
    help="What to accept from. journal needs no access to any host or server.",
)
@click.option(
    "--gone",
    is_flag=True,
    help="Accept that the resource is gone: its document, or its item of one, is removed.",
)
@environment_option
@click.pass_obj
def accept(
    given: Given,
    address: str,
    fields: Sequence[str],
    into: Path | None,
    world: str,
    gone: bool,
    environment: str | None,
) -> Exit:
    """Write what was done by hand into the document that says otherwise.

    RESOURCE is as drift shows it, such as domain/web-1 or file@virt1/etc-ntp.conf. FIELD is one of
    its fields, such as cpus; of a zone a record set, such as www/A or @/MX. Without one, all that
    was done by hand. Comments are kept, other environments are not concerned, and nothing is
    written unless the plan is empty for it then.

    It goes to a branch accept/ENVIRONMENT/RESOURCE on top of the environment's own, which is
    pushed for you to merge; --into DIR writes a work tree instead. What is nobody's is adopted
    rather than accepted. Nothing on the farm is changed.
    """
    wanted = resource_of(address)
    if gone and (fields or wanted.kind == "zone"):
        raise Failure("--gone goes with a whole resource that is no zone")
    with open_repository(settings_of(given)) as repository:
        repository.try_fetch()
        name = environment_of(repository, environment)
        return _accept(repository, name, Wish(wanted, fields, gone), into, world)


def _accept(
    repository: Repository, environment: str, wish: Wish, into: Path | None, world: str
) -> Exit:
    target = None if into is not None else _target(repository, environment)
    tree: TreeReader = (
        repository.mirror.tree(target.head) if target else DirectoryTree(into or Path())
    )
    if environment not in environments_of(tree):
        where = target.branch if target else into
        raise Failure(f"{where} holds no environments/{environment}; name a work tree with --into")
    if wish.address.kind == "zone":
        name = wish.address.name
        accepted = accept_zone(repository, environment, tree, name, wish.fields, world)
    else:
        accepted = accept_resource(repository, environment, tree, wish, world)
    _tell(accepted)
    if accepted.files:
        if target is None:
            write_into(into or Path(), accepted)
        elif not offer_branch(repository, tree, accepted, target):
            return Exit.ERROR
        rest = _WRITTEN if target is None else _PUSHED
        click.echo(rest.format(environment=environment, resource=visible(str(wish.address))))
    return Exit.ERROR if accepted.refused else Exit.SAME


def _target(repository: Repository, environment: str) -> Target:
    """The branch of an environment."""
    followed = repository.source.follow(environment, "", "")
    return Target(followed.branch, followed.revision)


def _tell(accepted: Acceptance) -> None:
    for line in (*accepted.told, *accepted.notes):
        click.echo(visible(line))
    for what, why in accepted.refused.items():
        click.echo(visible(f"{what} is not accepted: {why}"), err=True)
    if not accepted.files and not accepted.refused:
        click.echo("Nobody made or changed a record of this zone by hand.")
