"""`reconciler network`: the address plan as it stands."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from reconciler.cli.choices import only_environment_option
from reconciler.cli.command import Failure, Given, command
from reconciler.cli.exits import Exit
from reconciler.cli.farm_addresses import documents_of, heads_of, taken_in
from reconciler.cli.formats import Format, format_option
from reconciler.cli.repository import Repository, open_repository, settings_of
from reconciler.cli.terminal import screen
from reconciler.config.address_plan import AddressPlan, Taken, address_plans
from reconciler.daemon.clock import SystemClock
from reconciler.gitops.directory import DirectoryTree
from reconciler.plan.show.json import json_text
from reconciler.plan.show.network import network_lines, networks_json
from reconciler.plan.show.network_svg import networks_svg


@click.group("network")
def network() -> None:
    """Show who has which address, and what is free."""


@command("show")
@click.argument("name", required=False)
@only_environment_option
@click.option(
    "--tree",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="A work tree, committed or not, instead of the environments' branches.",
)
@click.option(
    "--svg",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Draw it, too, into this file.",
)
@format_option(Format.TEXT, Format.JSON)
@click.pass_obj
def show(
    given: Given,
    name: str | None,
    environment: str | None,
    tree: Path | None,
    svg: Path | None,
    form: Format,
) -> Exit:
    """Show who has which address, and what is free.

    NAME is a network; without one, all. What stands on the branches of all environments counts,
    and what was given up within the quarantine of a network.
    """
    with open_repository(settings_of(given)) as repository:
        repository.try_fetch()
        plans, taken = _plans(repository, tree)
    chosen = [
        plan
        for plan in plans
        if name in {None, plan.network} and (not environment or environment in plan.environments)
    ]
    if name is not None and not chosen:
        known = ", ".join(sorted({plan.network for plan in plans})) or "none"
        raise Failure(f"there is no network {name}; there are: {known}")
    if form is Format.JSON:
        click.echo(json_text(networks_json(chosen, taken.quarantined)), nl=False)
    else:
        screen().lines(network_lines(chosen, taken.quarantined))
    if svg is not None:
        svg.write_text(networks_svg(chosen), encoding="utf-8")
    return Exit.SAME


network.add_command(show)


def _plans(repository: Repository, tree: Path | None) -> tuple[Sequence[AddressPlan], Taken]:
    heads = heads_of(repository)
    documents = documents_of(DirectoryTree(tree)) if tree else heads.documents
    taken = taken_in(repository, documents, heads, SystemClock().now())
    return address_plans(documents, taken), taken
