"""`reconciler review`: what a pull request would do to the farm, told where people read it."""

from __future__ import annotations

import enum
from pathlib import Path

import click

from reconciler.cli.choices import branch_option, revision_of, revision_option
from reconciler.cli.command import Failure, Given, command
from reconciler.cli.exits import Exit
from reconciler.cli.posting import ForgeOptions, forge_of, tell
from reconciler.cli.repository import Repository, open_repository, settings_of
from reconciler.cli.terminal import screen
from reconciler.cli.verdict import Verdict, judge
from reconciler.cli.world import EMPTY, JOURNAL
from reconciler.gitops.flow.proposal import Side
from reconciler.gitops.forges.port import State


class FailOn(enum.StrEnum):
    """What makes the command fail."""

    ERROR = "error"
    CHANGES = "changes"


@command("review")
@branch_option
@revision_option
@click.option(
    "--into", metavar="BRANCH", required=True, help="The branch that it is to be merged into."
)
@click.option(
    "--world",
    type=click.Choice([JOURNAL, EMPTY]),
    default=JOURNAL,
    show_default=True,
    help="What to plan against. No host is ever asked.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Where to write plan.md, plan.json, plan.junit.xml and plan.sarif.",
)
@click.option(
    "--pull-request", "number", type=click.IntRange(1), metavar="N", help="Where to comment."
)
@click.option("--forge", "kind", metavar="KIND", help="github, gitlab, gitea or forgejo.")
@click.option("--forge-url", "url", metavar="URL", help="Where the forge's API is.")
@click.option("--forge-project", "project", metavar="NAME", help="The project on the forge.")
@click.option(
    "--forge-token-file",
    "token_file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The file with the forge's token. Without one nothing is posted.",
)
@click.option(
    "--fail-on",
    type=click.Choice([each.value for each in FailOn]),
    default=FailOn.ERROR.value,
    show_default=True,
    callback=lambda _context, _option, value: FailOn(value),
    help="Whether changes make the command exit with 2. What is refused exits with 1 always.",
)
@click.pass_obj
def review(
    given: Given,
    branch: str | None,
    revision: str | None,
    into: str,
    world: str,
    out: Path | None,
    number: int | None,
    kind: str | None,
    url: str | None,
    project: str | None,
    token_file: Path | None,
    fail_on: FailOn,
) -> Exit:
    """Plan what merging a branch would do, and tell the forge.

    For CI: needs no host, no secret and no settings. The merge of --branch into --into is planned
    for the environment that --into feeds, or only validated if it feeds none. With --revision that
    commit is reviewed (of a fork, for instance) and --branch is just what it is called.
    """
    settings = settings_of(given)
    forge = forge_of(settings, ForgeOptions(kind, url, project, token_file))
    with open_repository(settings) as repository:
        repository.fetch()
        side = _side(repository, branch, revision, into)
        verdict = judge(repository, side, into, world)
    if out is not None:
        write(out, verdict)
    screen().say(f"{verdict.context}: {verdict.headline}")
    if forge is not None:
        tell(forge, side.commit, number, verdict)
    return exit_of(verdict, fail_on)


def exit_of(verdict: Verdict, fail_on: FailOn) -> Exit:
    """Changes are what pull requests are for: they fail a job only where that is asked for."""
    if verdict.state is not State.SUCCESS:
        return Exit.ERROR
    return Exit.DIFFERENT if verdict.has_changes and fail_on is FailOn.CHANGES else Exit.SAME


def write(out: Path, verdict: Verdict) -> None:
    """Write the files, over those of an earlier review. No link leads anywhere else.

    Raises:
        Failure: the directory is a link, which may be the branch's.
    """
    if out.is_symlink():
        raise Failure(f"{out} is a link; name a directory, outside of what the branch holds")
    out.mkdir(parents=True, exist_ok=True)
    for name, content in verdict.documents.items():
        file = out / name
        file.unlink(missing_ok=True)
        with file.open("xb") as stream:
            stream.write(content)


def _side(repository: Repository, branch: str | None, revision: str | None, into: str) -> Side:
    """The branch that is reviewed: by its head, or by the commit that is given."""
    if branch is None and revision is None:
        raise Failure("give --branch, or --revision, or both for a branch that is elsewhere")
    if into not in repository.mirror.heads():
        raise Failure(
            f"{repository.mirror.remote} has no branch {into} to merge into; "
            "push one, or name the repository that has it (--repo; of a clone only its own "
            "branches count, not origin's)"
        )
    commit = revision_of(repository, "", None if revision else branch, revision)
    return Side(branch or commit[:7], commit)
