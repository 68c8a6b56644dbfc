"""`reconciler validate`: everything that is wrong in a config repository, at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TypeVar

import click

from reconciler.cli.choices import branch_option, environment_option, revision_of, revision_option
from reconciler.cli.command import Failure, Given, command
from reconciler.cli.exits import Exit
from reconciler.cli.formats import Format, format_option, write_problems
from reconciler.cli.repository import Repository, open_repository, settings_of
from reconciler.cli.terminal import remark
from reconciler.config.load import ParseCache, TreeReader, environments_of, load
from reconciler.config.repository import Documents
from reconciler.daemon.clock import SystemClock
from reconciler.errors import ConfigError
from reconciler.gitops.directory import DirectoryTree
from reconciler.model.position import Problem
from reconciler.render.farm import Claims, claims_of, farm_problems
from reconciler.render.ignored import ignore_notes
from reconciler.render.render import render

T = TypeVar("T")


@command("validate")
@click.argument("directory", required=False, type=click.Path(path_type=Path))
@environment_option
@branch_option
@revision_option
@format_option()
@click.pass_obj
def validate(
    given: Given,
    directory: Path | None,
    environment: str | None,
    branch: str | None,
    revision: str | None,
    form: Format,
) -> Exit:
    """Check every document, and say all that is wrong at once.

    Checks DIRECTORY as it is, committed or not (the current directory, if nothing else is given),
    for all environments. With --branch or --revision that commit of the repository is checked, and
    with --repo alone the head of each environment's branch, together.
    """
    if directory is not None and (branch or revision):
        raise Failure("give a directory, or --branch or --revision; not both")
    loaded: dict[str, Documents] = {}
    if directory is None and (given.repo or branch or revision):
        with open_repository(settings_of(given)) as repository:
            repository.fetch()
            problems = _problems_of_repository(repository, environment, branch, revision, loaded)
    else:
        problems = problems_of_tree(DirectoryTree(directory or Path()), environment, loaded)
    write_problems(problems, form)
    _remark_idle(loaded.values() if not problems else ())
    return Exit.ERROR if problems else Exit.SAME


def _remark_idle(loaded: Iterable[Documents]) -> None:
    """Tell of Ignore documents that do nothing: they stop nothing either."""
    now = SystemClock().now()
    with_ignores = [each for each in loaded if each.ignores]
    notes = {note for each in with_ignores for note in ignore_notes(each, render(each), now)}
    for note in sorted(notes):
        remark(str(note))


def _problems_of_repository(
    repository: Repository,
    environment: str | None,
    branch: str | None,
    revision: str | None,
    loaded: dict[str, Documents],
) -> tuple[Problem, ...]:
    """What is wrong with a commit, or with the heads of the branches in each other's light."""
    if branch or revision:
        commit = revision_of(repository, "", branch, revision)
        return problems_of_tree(repository.mirror.tree(commit), environment, loaded)
    source = repository.source
    names = (environment,) if environment else tuple(source.heads())
    problems, found = _collected(names, lambda name: source.documents(name, source.head(name, "")))
    loaded.update(found)
    return problems


def problems_of_tree(
    tree: TreeReader, environment: str | None, found: dict[str, Documents] | None = None
) -> tuple[Problem, ...]:
    """What is wrong with one tree, for one environment or for all that it has folders for.

    `found` takes the documents that load.
    """
    try:
        names = (environment,) if environment else environments_of(tree)
    except ConfigError as error:  # the tree holds what has no place in a config repository
        return error.problems
    if not names:
        raise Failure(
            "there is no environments/<name>/ here, so this is no config repository; "
            "go to one, name one, or make one with reconciler init"
        )
    cache = ParseCache()
    problems, loaded = _collected(names, lambda name: load(tree, name, cache))
    if found is not None:
        found.update(loaded)
    if problems:
        return problems
    problems, claims = _collected(names, lambda name: claims_of(loaded[name]))
    return problems or tuple(sorted(_clashes(loaded, claims)))


def _collected(
    names: Iterable[str], look: Callable[[str], T]
) -> tuple[tuple[Problem, ...], dict[str, T]]:
    """What `look` gives for each environment, and every problem once."""
    problems: set[Problem] = set()
    found: dict[str, T] = {}
    for name in names:
        try:
            found[name] = look(name)
        except ConfigError as error:
            problems.update(error.problems)
    return tuple(sorted(problems)), found


def _clashes(loaded: Mapping[str, Documents], claims: Mapping[str, Claims]) -> set[Problem]:
    """What environments would take from each other if this tree were on all branches."""
    return {
        problem
        for name, documents in loaded.items()
        for problem in farm_problems(
            documents, {other: each for other, each in loaded.items() if other != name}, claims
        )
    }
