"""How a run is told to a person: one line that says it all, and below it what matters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from reconciler.cli.exits import Exit
from reconciler.engine.apply import Result
from reconciler.errors import ConfigError
from reconciler.gitops.refs import short
from reconciler.gitops.report import Refusal, Report
from reconciler.model.change import Action
from reconciler.plan.plan import Change
from reconciler.plan.show.escape import visible
from reconciler.plan.show.text import Line, LineKind, change_lines

CHANGES_AT_MOST = 20
_WORDS = {
    Action.CREATE: "created",
    Action.UPDATE: "updated",
    Action.MOVE: "moved",
    Action.DELETE: "deleted",
}


def exit_of(report: Report) -> Exit:
    """Whether the farm is what the branch says, only partly by intention, or not at all."""
    if report.refusal or report.failed or report.residue or report.unknown:
        return Exit.ERROR
    plan = report.after.plan if report.after else None
    return Exit.DIFFERENT if plan and (plan.changes or plan.hold) else Exit.SAME


def report_lines(report: Report) -> Iterator[Line]:
    """What a run did, what it could not do, and what it left alone."""
    if report.refusal is not None:
        yield from _refusal(report.environment, report.refusal)
    if report.after is None or report.before is None:
        applied = f"; {short(report.revision)} was applied last" if report.revision else ""
        yield Line(LineKind.SUMMARY, f"{report.environment}: nothing was changed{applied}")
        return
    done = _done(report)
    stays = " stays in force" if report.refusal else ""
    where = f"{report.environment} at {short(report.revision)}{stays}"
    yield Line(LineKind.HEADING, f"{where}: {_count(report, done)}")
    yield from _changes(done)
    yield from _troubles(report)
    for hold in report.after.plan.holds:
        what = hold.resource or report.environment
        yield Line(LineKind.HELD, visible(f"{what} is {hold}"), 1)
    held = [change for change in report.after.plan.changes if change.held is not None]
    yield from _changes(held)


def _refusal(environment: str, refusal: Refusal) -> Iterator[Line]:
    which = f"{short(refusal.revision)} is refused" if refusal.revision else "refused"
    yield Line(LineKind.VIOLATION, f"{environment}: {which}")
    error = refusal.error
    problems = error.problems if isinstance(error, ConfigError) else str(error).splitlines()
    for problem in problems:
        yield Line(LineKind.PROBLEM, visible(str(problem)), 1)


def _done(report: Report) -> list[Change]:
    """The changes that were made, in their order."""
    well = {each.address for each in report.outcomes if each.result is Result.DONE}
    plan = report.before.plan if report.before else None
    return [change for change in plan.active if change.address in well] if plan else []


def _count(report: Report, done: Sequence[Change]) -> str:
    plan = report.after.plan if report.after else None
    counts = Counter(change.action for change in done)
    words = [f"{counts[action]} {word}" for action, word in _WORDS.items() if counts[action]]
    if plan is not None and not words:
        words = ["nothing to do" if not plan.changes else "nothing done"]
    drifted = sum(change.cause == "drift" for change in done)
    if drifted:
        words.append(f"{drifted} of them had drifted" if drifted < len(done) else "all of it drift")
    return ", ".join(words)


def _changes(changes: Sequence[Change]) -> Iterator[Line]:
    """Each change with its fields; what is new, by how many of a kind."""
    new = Counter(c.address.kind for c in changes if c.action is Action.CREATE and not c.held)
    if new:
        kinds = ", ".join(
            f"{number} {_many(kind) if number > 1 else kind}"
            for kind, number in sorted(new.items())
        )
        yield Line(LineKind.CREATE, f"+ {kinds}", 1)
    others = [c for c in changes if c.action is not Action.CREATE or c.held]
    for change in others[:CHANGES_AT_MOST]:
        yield from change_lines(change, 1)
    if len(others) > CHANGES_AT_MOST:
        yield Line(LineKind.MORE, f"… and {len(others) - CHANGES_AT_MOST} more", 1)


def _many(kind: str) -> str:
    if kind.endswith("s"):
        return kind
    return f"{kind}es" if kind.endswith("ch") else f"{kind}s"


def _troubles(report: Report) -> Iterator[Line]:
    for outcome in report.failed:
        text = f"! {outcome.address} {outcome.result}: {outcome.message}"
        yield Line(LineKind.VIOLATION, visible(text), 1)
    told = {outcome.address for outcome in report.failed}
    for change in (each for each in report.residue if each.address not in told):
        text = f"! {change.address} still differs: {', '.join(map(str, change.fields))}"
        yield Line(LineKind.VIOLATION, visible(text), 1)
    unknown = report.after.world.unknown if report.after else {}
    for scope, reason in sorted(unknown.items()):
        yield Line(LineKind.UNKNOWN, visible(f"? {scope}: {reason}"), 1)
