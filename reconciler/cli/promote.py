"""`reconciler promote`: what was Ready in one environment goes on to the next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import click

from reconciler.cli.authorship import maker_of
from reconciler.cli.choices import commit_of
from reconciler.cli.command import Failure, Given, command
from reconciler.cli.exits import Exit
from reconciler.cli.repository import Repository, open_repository, settings_of
from reconciler.cli.site import site_of
from reconciler.cli.soaking import soaking
from reconciler.cli.terminal import Screen, screen
from reconciler.cli.world import EMPTY, JOURNAL, surroundings
from reconciler.config.settings import ENVIRONMENTS
from reconciler.daemon.clock import SystemClock
from reconciler.errors import DriverError, GuardRefused, SourceUnavailable
from reconciler.gitops.flow.promoting import Grounds, Push, Wanted, gather, prepare, push, way_of
from reconciler.gitops.flow.promotion import Facts, Way, list_of, objections, origin_of, title_of
from reconciler.gitops.refs import short
from reconciler.gitops.report import count
from reconciler.plan.guards import Violation
from reconciler.plan.show.escape import fence_for, visible
from reconciler.plan.show.text import Line, LineKind, plan_lines
from reconciler.reconcile import REFUSALS
from reconciler.reconcile import plan as make_plan

ATTEMPTS = 3
SHOWN = 10
NOTHING_NEW = "nothing-new"


@dataclass(frozen=True, slots=True)
class Wish:
    """What the command line asks for."""

    wanted: Wanted
    direct: bool
    dry_run: bool
    world: str | None


@command("promote")
@click.argument("lower", metavar="FROM", type=click.Choice(ENVIRONMENTS[:-1]))
@click.argument("upper", metavar="TO", type=click.Choice(ENVIRONMENTS[1:]))
@click.option(
    "--release",
    metavar="vX.Y.Z",
    help="With release branches: the version. Default: the open release, or the next minor one.",
)
@click.option("--revision", metavar="REV", help="This commit, not the one that is Ready now.")
@click.option(
    "--direct",
    is_flag=True,
    help="Push the merge itself, where the settings allow it; else a branch is pushed.",
)
@click.option("--dry-run", is_flag=True, help="Only show what would be done, and what stops it.")
@click.option(
    "--world",
    metavar="live|journal|empty|FILE",
    help="What the shown plan is against. Default: journal, which needs no access to any host.",
)
@click.pass_obj
def promote(
    given: Given,
    lower: str,
    upper: str,
    release: str | None,
    revision: str | None,
    direct: bool,
    dry_run: bool,
    world: str | None,
) -> Exit:
    """Bring what is Ready in one environment to the next.

    That is done by a branch to merge, by a merge, or by a release branch. What goes on is the
    commit that was Ready last, and the merge must give just its tree. Exits with 1 and every
    reason if something stands against it, with 2 if --dry-run finds something to promote, and
    with 0 if it was done or there is nothing to do.
    """
    if ENVIRONMENTS.index(lower) >= ENVIRONMENTS.index(upper):
        raise Failure(f"{upper} is not above {lower}: promotions go {' → '.join(ENVIRONMENTS)}")
    with open_repository(settings_of(given)) as repository:
        repository.fetch()
        _check_order(repository, lower, upper)
        commit = commit_of(repository.mirror, revision) if revision else None
        wish = Wish(Wanted(lower, upper, commit, release), direct, dry_run, world)
        return carry_out(repository, wish)


def carry_out(repository: Repository, wish: Wish) -> Exit:
    """Decide, show, and push; again if somebody was quicker with the branch.

    Raises:
        Failure: it is not allowed, or does not go with these branches.
        SourceError: the remote did not answer, or an object is missing.
    """
    wanted, shown = wish.wanted, screen()
    if wish.direct and not repository.settings.promotion.allows_direct(wanted.upper):
        raise Failure(
            f"promotion.{wanted.upper} is branch in the settings; leave --direct out, "
            "or let the operator set it to direct"
        )
    grounds = Grounds(
        repository.source,
        repository.chronicle.recall,
        soaking(repository, wanted.upper),
        SystemClock().now,
    )
    for attempt in range(ATTEMPTS):
        try:
            facts = gather(grounds, wanted)
        except ValueError as error:
            raise Failure(str(error)) from error
        if (exit_code := _decided(repository, facts, wish, shown, again=attempt > 0)) is not None:
            return exit_code
        if (exit_code := _push(repository, facts, wish, shown)) is not None:
            return exit_code
        repository.fetch()
    raise SourceUnavailable(f"somebody else pushed {ATTEMPTS} times meanwhile; try again")


def _check_order(repository: Repository, lower: str, upper: str) -> None:
    between = ENVIRONMENTS[ENVIRONMENTS.index(lower) + 1 : ENVIRONMENTS.index(upper)]
    branches = repository.source.branches()
    for name in between:
        in_use = name in branches or repository.chronicle.recall(name).revision
        if name in repository.settings.environments and in_use:
            raise Failure(f"{name} is between {lower} and {upper}; promote to {name} first")


def _decided(
    repository: Repository, facts: Facts, wish: Wish, shown: Screen, *, again: bool
) -> Exit | None:
    """Show what it is about; an exit code if nothing is to be pushed."""
    against = objections(facts)
    if [each.name for each in against] == [NOTHING_NEW]:
        shown.say(f"{against[0].message}; {against[0].remedy}")
        return Exit.SAME
    if not again:
        _say_what(facts, shown)
        if facts.commit and (facts.gives_the_tree or facts.is_same_line):
            refused = _show_plan(repository, facts, wish, shown)
            is_applied_at_once = way_of(facts, direct=wish.direct) is not Way.BRANCH
            against += refused if is_applied_at_once else ()
    if against:
        shown.lines(_objection_lines(against))
        return Exit.ERROR
    return Exit.DIFFERENT if wish.dry_run else None


def _say_what(facts: Facts, shown: Screen) -> None:
    if not facts.commit:
        return
    shown.say(visible(f"{title_of(facts)}: {short(facts.commit)}"), "bold")
    known = list_of(facts).splitlines()
    for each in known[:SHOWN]:
        shown.say(visible(f"  {each}"))
    if len(known) > SHOWN:
        shown.say(f"  - and {len(known) - SHOWN} more", "dim")
    shown.say()


def _show_plan(
    repository: Repository, facts: Facts, wish: Wish, shown: Screen
) -> tuple[Violation, ...]:
    """Show what the upper environment would do, and give what it would refuse it for."""
    upper = facts.upper.environment
    world = wish.world or (JOURNAL if facts.upper.past.revision else EMPTY)
    try:
        site = site_of(repository, surroundings(repository, upper, world))
        look, violations = make_plan(upper, facts.commit, site)
    except REFUSALS as error:
        return (Violation("plan", f"{upper} would refuse it: {error}", "mend it below first"),)
    shown.lines(plan_lines(look.plan, violations))
    shown.say()
    return violations


def _objection_lines(against: Iterable[Violation]) -> Iterator[Line]:
    told = tuple(against)
    yield Line(LineKind.PROBLEM, f"not promoted, for {count(len(told), 'reason')}:")
    for each in told:
        yield Line(LineKind.VIOLATION, visible(f"{each.name}: {each.message}"), 1)
        yield Line(LineKind.REMEDY, visible(each.remedy), 2)


def _push(repository: Repository, facts: Facts, wish: Wish, shown: Screen) -> Exit | None:
    """Push it; None if somebody was quicker."""
    way = way_of(facts, direct=wish.direct)
    made = _prepared(repository, facts, way)
    if made is None:
        return Exit.ERROR
    refusal = push(repository.source, made)
    if refusal is None:
        _say_done(repository, facts, way, made, shown)
        return Exit.SAME
    if refusal.raced:
        return None
    shown.say(visible(f"{made.branch} did not take it: {refusal.reason}"), "yellow")
    if way is not Way.DIRECT:
        shown.say(f"let this program push to {made.branch}, and promote again", "cyan")
        return Exit.ERROR
    shown.say("it is protected; a branch to open a pull request from takes its place", "yellow")
    return _push(repository, facts, replace(wish, direct=False), shown)


def _prepared(repository: Repository, facts: Facts, way: Way) -> Push | None:
    git, heads = repository.mirror.git(), repository.mirror.heads()
    try:
        return prepare(git, facts, way, heads, maker_of(repository.settings))
    except GuardRefused as error:
        found = (each for each in error.violations if isinstance(each, Violation))
        screen().lines(_objection_lines(found))
        return None


def _say_done(repository: Repository, facts: Facts, way: Way, made: Push, shown: Screen) -> None:
    word = "is already at" if made.is_there else "is now at"
    shown.say(f"{made.branch} {word} {short(made.commit)}", "bold green")
    if way is not Way.BRANCH:
        shown.say(f"{facts.upper.environment} follows it from its next turn on")
        return
    target = facts.upper.branch or facts.upper.environment
    if (url := _pull_request(repository, facts, made.branch, target)) is not None:
        shown.say(f"pull request: {url}")
        return
    shown.say(f"open a pull request from {made.branch} into {target}, or merge it by hand:")
    for line in (
        f"git fetch origin && git switch {target} && git merge --ff-only origin/{target}",
        f"git merge --no-ff origin/{made.branch} && git push origin {target}",
    ):
        shown.say(f"  {line}", "cyan")


def _pull_request(repository: Repository, facts: Facts, source: str, target: str) -> str | None:
    """Where the pull request is; None without a forge, or if it cannot be reached now."""
    forge = repository.forge
    if forge is None:
        return None
    listed = list_of(facts)
    fence = fence_for([listed])
    body = f"{origin_of(facts)}\n\n{fence}\n{listed}\n{fence}\n"
    try:
        return forge.open_pull_request(source, target, title_of(facts), body).url
    except DriverError as error:
        screen().say(visible(f"{error}"), "yellow")
        return None
