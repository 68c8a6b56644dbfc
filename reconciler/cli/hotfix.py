"""`reconciler hotfix`: a small change of production that cannot wait for the next release."""

from __future__ import annotations

import click

from reconciler.cli.command import HELP, Failure, Given, command
from reconciler.cli.exits import Exit
from reconciler.cli.promote import Wish, carry_out
from reconciler.cli.repository import Repository, open_repository, settings_of
from reconciler.cli.terminal import screen
from reconciler.gitops.flow.promoting import Wanted
from reconciler.gitops.flow.releases import newest_tag
from reconciler.gitops.refs import branch_ref, short
from reconciler.gitops.source import TOP
from reconciler.gitops.version import Version, parse_version, tag_name

PREFIX = "hotfix/"
STAGING = "staging"
_VERSION = click.argument("version", metavar="vX.Y.Z")


@click.group("hotfix", context_settings={"help_option_names": HELP})
def hotfix() -> None:
    """Begin and finish a hotfix of production."""


@command("start")
@_VERSION
@click.pass_obj
def start(given: Given, version: str) -> Exit:
    """Make the branch hotfix/vX.Y.Z at the commit that is in force in production."""
    wanted = _parsed(version)
    with open_repository(settings_of(given)) as repository:
        repository.fetch()
        branch, commit = PREFIX + tag_name(wanted), _in_force(repository)
        _check_new(repository, wanted)
        refused = repository.mirror.publish({branch_ref(branch): commit})
        if refused:
            raise Failure(f"{branch} was not taken: {next(iter(refused.values())).reason}")
        shown = screen()
        shown.say(f"{branch} is now at {short(commit)}, which is in force in {TOP}", "bold green")
        shown.say(f"commit the mend there: git fetch origin && git switch {branch}")
        shown.say(f"then: reconciler hotfix finish {tag_name(wanted)}")
    return Exit.SAME


@command("finish")
@_VERSION
@click.option("--direct", is_flag=True, help="Push the merge itself, where the settings allow it.")
@click.option("--dry-run", is_flag=True, help="Only show what would be done, and what stops it.")
@click.pass_obj
def finish(given: Given, version: str, direct: bool, dry_run: bool) -> Exit:
    """Bring the hotfix to production: as a pull request, or as a merge.

    Where staging follows the branch, what was Ready there goes on. The tag and the merge back
    into development follow when production is Ready.
    """
    branch = PREFIX + tag_name(_parsed(version))
    with open_repository(settings_of(given)) as repository:
        repository.fetch()
        head = repository.mirror.head(branch)
        if head is None:
            raise Failure(f"there is no branch {branch}; reconciler hotfix start {version}")
        is_followed = repository.source.branches().get(STAGING) == branch
        if is_followed and repository.chronicle.recall(STAGING).ready_revision != head:
            raise Failure(
                f"{STAGING} follows {branch}, and {short(head)} is not Ready there yet; "
                f"see reconciler status --environment {STAGING}"
            )
        wanted = Wanted(STAGING, TOP, branch=None if is_followed else branch)
        return carry_out(repository, Wish(wanted, direct, dry_run, None))


def _parsed(version: str) -> Version:
    parsed = parse_version(version)
    if parsed is None:
        raise Failure(f"{version!r} is no version; write it as v1.4.1")
    return parsed


def _in_force(repository: Repository) -> str:
    commit = repository.chronicle.recall(TOP).revision or repository.source.head_of(TOP)
    if not commit:
        raise Failure(f"{TOP} has no branch, so that there is nothing to mend")
    return commit


def _check_new(repository: Repository, wanted: Version) -> None:
    production = repository.source.head_of(TOP)
    tagged = newest_tag(repository.mirror.git(), production) if production else None
    newest = tagged.version if tagged else None
    for name, head in sorted(repository.mirror.heads().items()):
        if not name.startswith(PREFIX) or (version := parse_version(name[len(PREFIX) :])) is None:
            continue
        is_done = newest is not None and version <= newest
        is_new = head == production and not is_done
        if is_new or name not in repository.source.closed():
            raise Failure(f"{name} is open; finish it first, or delete the branch")
    if newest is not None and wanted <= newest:
        raise Failure(f"{tag_name(wanted)} is not above {tag_name(newest)}, the newest there is")


hotfix.add_command(start)
hotfix.add_command(finish)
