"""`reconciler status`: how the environments are, from what their journals say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import click

from reconciler.cli import matrix as matrices
from reconciler.cli.choices import environment_option
from reconciler.cli.command import Given, command
from reconciler.cli.exits import Exit
from reconciler.cli.formats import Format, format_option
from reconciler.cli.history import moment, record_document
from reconciler.cli.repository import Repository, open_repository, settings_of
from reconciler.cli.terminal import screen
from reconciler.daemon.clock import SystemClock
from reconciler.errors import SourceError, Stalled
from reconciler.gitops.flow.matrix import Matrix, matrix_of
from reconciler.gitops.journal import Record
from reconciler.gitops.refs import short
from reconciler.model.condition import Condition, ConditionType
from reconciler.model.condition import Status as Truth
from reconciler.model.plain import to_plain
from reconciler.model.standing import Hold
from reconciler.plan.show.escape import visible
from reconciler.plan.show.json import json_text
from reconciler.plan.show.status import Status
from reconciler.plan.sparing import holds_at

EVENTS = 3
_GOOD = dict.fromkeys(
    (ConditionType.READY, ConditionType.HEALTHY, ConditionType.SOURCE_VERIFIED), Truth.TRUE
)
_GOOD_OTHERWISE = Truth.FALSE


@dataclass(frozen=True, slots=True)
class Standing:
    """How an environment is: what its journal says, and where its branch is now."""

    status: Status
    head: str | None
    events: Sequence[Record]
    waiting: int
    holds: Sequence[Hold] = ()
    rests: bool = False

    @property
    def ready(self) -> bool:
        """Whether the farm is what the head of the branch says, as far as is known."""
        well = all(is_good(each) for each in self.status.conditions)
        follows = self.head == self.status.revision or self.rests
        return well and bool(self.status.conditions) and follows

    @property
    def word(self) -> str:
        """The one word for it."""
        if not self.status.conditions:
            return "never synced"
        false = [each for each in self.status.conditions if not is_good(each)]
        if not false:
            return "Ready" if self.ready else "Ready, and the branch has moved on"
        stalled = any(each.type is ConditionType.STALLED for each in false)
        return "Stalled" if stalled else "Not ready" if _is_ready_false(false) else "Ready, but"


@command("status")
@environment_option
@click.option("--matrix", is_flag=True, help="Show which commit is where, and what waits.")
@format_option(Format.TEXT, Format.JSON)
@click.pass_obj
def status(given: Given, environment: str | None, matrix: bool, form: Format) -> Exit:
    """Show how the environments are, from their journals.

    No host is looked at; for that there is drift. Exits with 2 unless all are ready.
    """
    with open_repository(settings_of(given)) as repository:
        repository.try_fetch()
        names = (environment,) if environment else repository.settings.environments
        heads = repository.source.heads()
        known = [_standing(repository, name, heads) for name in names]
        where = _matrix(repository, names) if matrix else None
    now = f"{SystemClock().now():%Y-%m-%dT%H:%M:%SZ}"
    if form is Format.JSON:
        told = {"environments": [document(each) for each in known]}
        click.echo(json_text(matrices.document(where, now) if where else told), nl=False)
    else:
        shown = screen()
        each_line = (line for each in known for line in lines(each))
        for text, style in matrices.lines(where, now) if where else each_line:
            shown.say(text, style)
    return Exit.SAME if all(each.ready for each in known) else Exit.DIFFERENT


def is_good(condition: Condition) -> bool:
    """Whether the condition is as everybody wants it."""
    return condition.status is _GOOD.get(condition.type, _GOOD_OTHERWISE)


def document(standing: Standing) -> Mapping[str, Any]:
    """The standing for JSON."""
    said = standing.status
    return {
        "environment": said.environment,
        "ready": standing.ready,
        "head": standing.head,
        "revision": said.revision or None,
        "ready_revision": said.ready_revision or None,
        "refused": said.refused or None,
        "hold": said.hold,
        "holds": [to_plain(each) for each in standing.holds],
        "conditions": [to_plain(condition) for condition in said.conditions],
        "resources": len(said.applied),
        "not_pushed": standing.waiting,
        "events": [record_document(record) for record in standing.events],
    }


def lines(standing: Standing) -> Iterator[tuple[str, str]]:
    """The standing for people, each line with its style."""
    said = standing.status
    style = "bold green" if standing.ready else "bold yellow"
    yield f"{said.environment}: {standing.word}", style
    yield f"  applied  {_applied(standing)}", ""
    if said.refused:
        yield f"  refused  {short(said.refused)}", "red"
    if said.hold:
        yield f"  held     {visible(said.hold)}", "magenta"
    for each in standing.holds:
        what = f"{each.resource} is {each}" if each.resource else str(each).removeprefix("held ")
        yield f"  held     {visible(what)}", "magenta"
    for condition in _telling(said.conditions):
        yield from _condition(condition)
    if standing.waiting:
        yield f"  {standing.waiting} records are not pushed yet", "yellow"
    for record in standing.events:
        yield f"  {moment(record.time)}  {visible(record.subject)}", "dim"


def _matrix(repository: Repository, names: Sequence[str]) -> Matrix:
    return matrix_of(repository.source, names, repository.chronicle.recall)


def rests(repository: Repository, said: Status) -> bool:
    """Whether there is no branch because no release is open now, and all is as it should be."""
    with suppress(SourceError, Stalled):
        followed = repository.source.follow(said.environment, said.revision, said.branch)
        return bool(said.revision) and followed.revision == said.revision
    return False


def _standing(repository: Repository, name: str, heads: Mapping[str, str]) -> Standing:
    journal = repository.journal(name)
    said = repository.chronicle.recall(name)
    return Standing(
        status=said,
        head=heads.get(name),
        rests=name not in heads and rests(repository, said),
        events=journal.entries(EVENTS),
        waiting=journal.waiting(),
        holds=holds_at(said.holds, SystemClock().now()),
    )


def _telling(conditions: Sequence[Condition]) -> list[Condition]:
    """Those that are not as they should be; of two that say the same, the last."""
    bad = {each.message: each for each in conditions if not is_good(each)}
    return list(bad.values())


def _is_ready_false(conditions: Sequence[Condition]) -> bool:
    return any(each.type is ConditionType.READY for each in conditions)


def _applied(standing: Standing) -> str:
    said = standing.status
    if not said.revision:
        applied = "nothing yet"
    else:
        count = len(said.applied)
        applied = f"{short(said.revision)}, {count} resource{'' if count == 1 else 's'}"
    if standing.rests:
        return f"{applied}; no release is open"
    if standing.head is None:
        return f"{applied}; there is no branch"
    if standing.head != said.revision:
        return f"{applied}; the branch is at {short(standing.head)}"
    return applied


def _condition(condition: Condition) -> Iterator[tuple[str, str]]:
    first, *rest = condition.message.splitlines() or [""]
    style = "red" if condition.type is ConditionType.STALLED else "yellow"
    since = visible(condition.since.replace("T", " ").removesuffix("Z"))
    name = f"{condition.type}={condition.status}"
    yield f"  {name}  {condition.reason}: {visible(first)} (since {since})", style
    yield from ((f"    {visible(line)}", style) for line in rest)
