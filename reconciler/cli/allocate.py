"""`reconciler allocate`: addresses for machines and hosts that have none, into their documents."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from reconciler.cli.choices import only_environment_option
from reconciler.cli.command import Given, command
from reconciler.cli.exits import Exit
from reconciler.cli.farm_addresses import documents_of, heads_of, taken_in
from reconciler.cli.repository import open_repository, settings_of
from reconciler.cli.worktree import write_files
from reconciler.config.load import ENVIRONMENT_NAMES
from reconciler.daemon.clock import SystemClock
from reconciler.gitops.directory import DirectoryTree
from reconciler.plan.show.escape import visible
from reconciler.render.allocation import Allocation, written
from reconciler.render.allocation import allocate as make_allocations


@command("allocate")
@only_environment_option
@click.option(
    "--into",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path(),
    metavar="DIR",
    help="The work tree of the config repository. Default: the current directory.",
)
@click.option("--check", is_flag=True, help="Write nothing; exit with 2 if there is anything.")
@click.pass_obj
def allocate(given: Given, environment: str | None, into: Path, check: bool) -> Exit:
    """Write addresses for machines and hosts that lack one.

    Each gets the lowest address of its partition that is free on the branches of all environments
    and in the work tree, and was not given up within the quarantine of its network. Nothing else
    in the files changes; commit what was written.
    """
    with open_repository(settings_of(given)) as repository:
        repository.try_fetch()
        documents = documents_of(DirectoryTree(into))
        taken = taken_in(repository, documents, heads_of(repository), SystemClock().now())
    chosen = (environment,) if environment else ENVIRONMENT_NAMES
    allocations = make_allocations(documents, taken, chosen)
    for each in allocations:
        click.echo(visible(_told(each, "would get" if check else "gets")))
    if not allocations:
        click.echo("Nobody lacks an address.")
        return Exit.SAME
    if check:
        return Exit.DIFFERENT
    files = written(allocations, _reader(into))
    write_files(into, files, lambda: documents_of(DirectoryTree(into)))
    for path in files:
        click.echo(visible(f"wrote {path}"))
    return Exit.SAME


def _told(each: Allocation, verb: str) -> str:
    where = f"network {each.network}, partition {each.partition}"
    return f"{each.who} of {each.environment} {verb} {each.address} ({where}): {each.place.file}"


def _reader(root: Path) -> Callable[[str], str]:
    def read(file: str) -> str:
        path = root / file
        return path.read_bytes().decode() if path.exists() else ""

    return read
