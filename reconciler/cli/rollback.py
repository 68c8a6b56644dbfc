"""`reconciler rollback`: take the head of an environment back to a commit that was Ready."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from itertools import islice

import click

from reconciler.cli import plan as plans
from reconciler.cli.choices import commit_of
from reconciler.cli.command import Failure, Given, command
from reconciler.cli.exits import Exit
from reconciler.cli.formats import Format, write_plan
from reconciler.cli.progress import progress
from reconciler.cli.reports import exit_of, report_lines
from reconciler.cli.repository import Repository, open_repository, settings_of
from reconciler.cli.site import back_merges_of, site_of
from reconciler.cli.terminal import remark, screen
from reconciler.cli.world import surroundings
from reconciler.config.settings import ENVIRONMENTS
from reconciler.daemon.lock import state_lock
from reconciler.errors import Conflict
from reconciler.gitops.flow.ready import ready_commits
from reconciler.gitops.flow.rollback import GUARDS, is_a_rollback
from reconciler.gitops.merging import tree_of
from reconciler.gitops.refs import short
from reconciler.model.standing import Quarantined
from reconciler.plan.show.rollbacks import rolled_back
from reconciler.plan.show.status import Status
from reconciler.reconcile import Site, turn
from reconciler.reconcile import plan as make_plan

NAMED = 10


@command("rollback")
@click.argument("environment", metavar="ENV", type=click.Choice(ENVIRONMENTS))
@click.option("--to", metavar="REV", help="A commit that was Ready; else the last other one.")
@click.option("--reason", metavar="TEXT", default="asked for by hand", help="Why, for the record.")
@click.option(
    "--allow",
    type=click.Choice(sorted(GUARDS)),
    metavar="GUARD",
    multiple=True,
    help="Acknowledge what the way back does, such as mass-deletion. May be given again.",
)
@click.option("--dry-run", is_flag=True, help="Only show the plan back.")
@click.pass_obj
def rollback(
    given: Given,
    environment: str,
    to: str | None,
    reason: str,
    allow: tuple[str, ...],
    dry_run: bool,
) -> Exit:
    """Take an environment back to a commit that was Ready there.

    Shows the plan back, writes the decision to the journal, restores the tree by a commit on the
    branch, or on a branch to merge if it is protected, and merges that back into the lower
    branches so that the work is not lost to the next release. Then the farm is made so; where
    another process keeps it, that does it.
    """
    settings = settings_of(given)
    with ExitStack() as stack:
        is_ours = not dry_run and _is_locked(stack, settings.state_directory)
        repository = stack.enter_context(open_repository(settings))
        repository.fetch()
        site = site_of(repository, surroundings(repository, environment))
        past = repository.chronicle.recall(environment)
        decided = _decision(repository, site, past, to, reason)
        decided = replace(decided, allows=tuple(sorted({*decided.allows, *allow})))
        code = _show(environment, site, past, decided)
        if dry_run or code is Exit.ERROR:
            return code
        for each in (*_on_the_way(repository, site, past, decided), decided):
            repository.chronicle.rolls_back(environment, each)
        if not is_ours:
            return _leave_to_the_loop(environment, repository, site)
        return _go_back(environment, repository, site, given.verbose)


def _is_locked(stack: ExitStack, directory: object) -> bool:
    """Whether the farm is ours to change; if not, somebody else keeps it, who will do so."""
    try:
        stack.enter_context(state_lock(directory))  # type: ignore[arg-type]
    except Conflict as error:
        remark(f"{error}; only git is written here, and that process does the rest")
        return False
    return True


def _decision(
    repository: Repository, site: Site, past: Status, to: str | None, reason: str
) -> Quarantined:
    """What is taken back, and to what.

    Raises:
        Failure: there is nothing to go back to, or it was never Ready.
        Stalled: there is no way from the one to the other.
    """
    environment = past.environment
    bad = repository.source.head(environment, past.revision)
    ready = ready_commits(repository.record.git(), repository.journal(environment).head())
    good = _chosen(repository, environment, to, ready) if to else _before(repository, bad, ready)
    makes = back_merges_of(repository).rollbacks
    return makes.decide(environment, bad, good, reason, site.now())


def _on_the_way(
    repository: Repository, site: Site, past: Status, decided: Quarantined
) -> Iterator[Quarantined]:
    """What is in force and lies between both, where the head itself was never applied."""
    git, applied = repository.mirror.git(), past.revision
    if applied in {"", decided.commit, decided.good} or not git.has_commit(applied):
        return
    is_between = git.is_ancestor(decided.good, applied) and git.is_ancestor(applied, decided.commit)
    if is_between and tree_of(git, applied) != tree_of(git, decided.good):
        makes = back_merges_of(repository).rollbacks
        yield makes.decide(past.environment, applied, decided.good, decided.reason, site.now())


def _chosen(repository: Repository, environment: str, to: str, ready: Iterator[str]) -> str:
    wanted, seen = commit_of(repository.mirror, to), []
    for commit in ready:
        if commit == wanted:
            return wanted
        seen.append(commit)
    were = ", ".join(_named(repository, each) for each in seen[:NAMED]) or "none"
    raise Failure(f"{short(wanted)} was never Ready in {environment}; these were: {were}")


def _named(repository: Repository, commit: str) -> str:
    if not repository.mirror.has_commit(commit):
        return short(commit)
    return f"{short(commit)} ({repository.mirror.commit_info(commit).subject})"


def _before(repository: Repository, bad: str, ready: Iterator[str]) -> str:
    """The last commit that was Ready with another tree than the head's."""
    mirror = repository.mirror
    git = mirror.git()
    if is_a_rollback(mirror, bad):
        raise Failure(
            f"{short(bad)} is a rollback itself, and there is no way back from the way back; "
            "push a commit that mends it, or name an older commit that was Ready: --to REV"
        )
    tree = tree_of(git, bad)
    here = (c for c in ready if mirror.has_commit(c) and git.is_ancestor(c, bad))
    good = next((c for c in islice(here, NAMED) if tree_of(git, c) != tree), None)
    if good is None:
        raise Failure(
            f"nothing before {short(bad)} was Ready, so there is nothing to go back to; "
            "push a commit that mends it"
        )
    return good


def _show(environment: str, site: Site, past: Status, decided: Quarantined) -> Exit:
    """Show what the way back does, with what it takes back from snapshots and from the trash."""
    then = rolled_back(
        replace(past, revision=decided.commit, quarantined=(*past.quarantined, decided))
    )
    look, violations = make_plan(environment, decided.good, site, past=then)
    left = tuple(each for each in violations if each.name not in decided.allows)
    write_plan(look.plan, left, Format.TEXT)
    if left:
        remark("nothing was decided; acknowledge what is meant: --allow " + left[0].name)
    return plans.exit_of(look.plan, left)


def _leave_to_the_loop(environment: str, repository: Repository, site: Site) -> Exit:
    past = repository.chronicle.recall(environment)
    for line in site.rollbacks.catch_up(environment, past) if site.rollbacks else ():
        remark(line)
    told = repository.chronicle.flush(environment)
    return Exit.SAME if all(each.ok for each in told) else Exit.ERROR


def _go_back(environment: str, repository: Repository, site: Site, verbose: int) -> Exit:
    past = repository.chronicle.recall(environment)
    for line in site.rollbacks.catch_up(environment, past) if site.rollbacks else ():
        remark(line)
    shown = screen()
    with progress(shown, environment, verbose) as reporter:
        report = turn(environment, replace(site, reporter=reporter))
    shown.lines(report_lines(report))
    return exit_of(report)
