"""`reconciler sync`: one turn of the loop, with a person watching."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

import click

from reconciler.cli import plan as plans
from reconciler.cli.choices import environment_of, environment_option
from reconciler.cli.command import Failure, Given, command
from reconciler.cli.exits import Exit
from reconciler.cli.formats import Format, write_plan
from reconciler.cli.herald import Herald, heralding
from reconciler.cli.progress import progress
from reconciler.cli.releasing import Releasing
from reconciler.cli.reports import exit_of, report_lines
from reconciler.cli.repository import Repository, open_repository, settings_of
from reconciler.cli.site import site_of
from reconciler.cli.terminal import remark, screen
from reconciler.cli.world import surroundings
from reconciler.daemon.lock import state_lock
from reconciler.errors import ReconcilerError
from reconciler.gitops.report import Report
from reconciler.model.condition import ConditionType, Status
from reconciler.plan.show.text import Line, LineKind
from reconciler.reconcile import Site, turn
from reconciler.reconcile import plan as make_plan

PATIENCE = timedelta(seconds=20)  # with a forge, at the end of a sync


@command("sync")
@environment_option
@click.option("--all", "everywhere", is_flag=True, help="All environments, one after the other.")
@click.option("--dry-run", is_flag=True, help="Only show the plan.")
@click.option(
    "--accept-history",
    is_flag=True,
    help="Follow the branch although it does not descend from what was applied last.",
)
@click.option(
    "--restart",
    is_flag=True,
    help="Restart at once the machines that wait for a person or a window to do it.",
)
@click.pass_obj
def sync(
    given: Given,
    environment: str | None,
    everywhere: bool,
    dry_run: bool,
    accept_history: bool,
    restart: bool,
) -> Exit:
    """Make the farm what the branch says, once.

    A commit that is refused changes nothing, and the one that was applied last is kept in force.
    Exits with 0 if the farm is as it should be, with 2 if something was left alone on purpose, and
    with 1 if something was refused or failed.
    """
    if everywhere and (environment or accept_history):
        raise Failure("--all goes with neither --environment nor --accept-history")
    settings = settings_of(given)
    with state_lock(settings.state_directory), open_repository(settings) as repository:
        fetched = repository.try_fetch()
        names = _all(repository) if everywhere else (environment_of(repository, environment),)
        site = replace(site_of(repository, surroundings(repository, names[0])), restart=restart)
        if dry_run:
            exits = {_show(name, site, accept_history) for name in names}
        else:
            with heralding(repository, PATIENCE) as herald:
                exits = _sync_all(names, repository, site, accept_history, given.verbose, herald)
    codes = exits if fetched else exits | {Exit.ERROR}
    return Exit.ERROR if Exit.ERROR in codes else max(codes)


def _all(repository: Repository) -> tuple[str, ...]:
    """The environments to look after, but for those without a branch and without a past."""
    heads = repository.source.heads()
    wanted = repository.settings.environments
    chosen = tuple(n for n in wanted if n in heads or repository.chronicle.recall(n).revision)
    for name in wanted:
        if name not in chosen:
            remark(f"{name} has no branch; left out")
    if not chosen:
        raise Failure("no environment has a branch in this repository")
    return chosen


def _show(name: str, site: Site, accept_history: bool) -> Exit:
    past = site.chronicle.recall(name)
    followed = site.source.follow(name, past.revision, past.branch, accept_history=accept_history)
    look, violations = make_plan(name, followed.revision, site)
    write_plan(look.plan, violations, Format.TEXT)
    return plans.exit_of(look.plan, violations)


def _sync_all(
    names: Iterable[str],
    repository: Repository,
    site: Site,
    accept_history: bool,
    verbose: int,
    herald: Herald | None,
) -> set[Exit]:
    """One after the other; who waited for what another makes has a second turn after it."""
    reports: dict[str, Report] = {}
    for name in names:
        reports[name] = _sync(name, repository, site, accept_history, verbose, herald)
    late = [name for name, report in reports.items() if _waited(report)]
    for name in late if reports.keys() - set(late) else ():
        reports[name] = _sync(name, repository, site, accept_history, verbose, herald)
    return {exit_of(report) for report in reports.values()}


def _waited(report: Report) -> bool:
    return report.after is not None and bool(report.after.plan.waiting)


def _sync(
    name: str,
    repository: Repository,
    site: Site,
    accept_history: bool,
    verbose: int,
    herald: Herald | None,
) -> Report:
    shown = screen()
    if herald is not None:
        herald.begins(name)
    with progress(shown, name, verbose) as reporter:
        report = turn(name, replace(site, reporter=reporter), accept_history=accept_history)
    shown.lines(report_lines(report))
    for line in _follow_up(repository, report, herald):
        shown.say(line)
    if herald is not None:
        herald.ended(report)
    for condition in repository.chronicle.recall(name).conditions:
        if condition.type is ConditionType.PENDING_RESTART and condition.status is Status.TRUE:
            shown.lines([Line(LineKind.HELD, f"waiting for a restart: {condition.message}", 1)])
    if waiting := repository.journal(name).waiting():
        remark(f"{name}: {waiting} records could not be pushed; they are kept and tried again")
    return report


def _follow_up(repository: Repository, report: Report, herald: Herald | None) -> tuple[str, ...]:
    """What follows from a turn; that it fails is told, and does not make the turn a failed one."""
    publish = herald.release if herald is not None else None
    try:
        return Releasing(repository, lambda: repository.settings, publish)(report)
    except ReconcilerError as error:
        remark(f"{error}; it is tried again with the next sync")
        return ()
