"""`reconciler allocate`: addresses for machines and hosts that have none, into their documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from reconciler.cli.choices import environment_option
from reconciler.cli.command import Failure, Given, command
from reconciler.cli.exits import Exit
from reconciler.cli.farm_addresses import documents_of, heads_of, taken_in
from reconciler.cli.repository import open_repository, settings_of
from reconciler.cli.worktree import write_files
from reconciler.config.insertion import Insertion, inserted
from reconciler.config.load import ENVIRONMENT_NAMES
from reconciler.config.rewrite import document_text
from reconciler.daemon.clock import SystemClock
from reconciler.gitops.directory import DirectoryTree
from reconciler.plan.show.escape import visible
from reconciler.render.allocation import Allocation
from reconciler.render.allocation import allocate as make_allocations


@command("allocate")
@environment_option
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
    """Write an address for each machine and host that must have one and has none.

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
    files = _texts(allocations, into)
    write_files(into, files, lambda: documents_of(DirectoryTree(into)))
    for path in files:
        click.echo(visible(f"wrote {path}"))
    return Exit.SAME


def _told(each: Allocation, verb: str) -> str:
    where = f"network {each.network}, partition {each.partition}"
    return f"{each.who} of {each.environment} {verb} {each.address} ({where}): {each.place.file}"


def _texts(allocations: Sequence[Allocation], root: Path) -> Mapping[str, str]:
    """The files with the addresses in them.

    Raises:
        Failure: one is written in a way that only a person can change.
    """
    texts: dict[str, str] = {}
    for each in allocations:
        place = each.place
        text = texts.get(place.file)
        if text is None:
            path = root / place.file
            text = path.read_bytes().decode() if path.exists() else ""
        try:
            texts[place.file] = _text(text, each)
        except (KeyError, ValueError) as error:
            raise Failure(f"{place.file}: {error}; nothing was written") from error
    return texts


def _text(text: str, each: Allocation) -> str:
    place = each.place
    new = ("address", str(each.address))
    try:
        return inserted(text, Insertion((place.kind, place.name), place.key, place.item, new))
    except KeyError:
        if not place.is_patch:
            raise
    items = [dict((place.item, new))]
    patch = document_text({"kind": place.kind, "name": place.name, place.key: items})
    if not text:
        return patch
    return f"{text}{'' if text.endswith(chr(10)) else chr(10)}---\n{patch}"
