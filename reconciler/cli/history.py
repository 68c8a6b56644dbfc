"""`reconciler history`: what happened to an environment, from its journal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import click

from reconciler.cli.choices import environment_of, environment_option
from reconciler.cli.command import Given, command
from reconciler.cli.exits import Exit
from reconciler.cli.formats import Format, format_option
from reconciler.cli.repository import open_repository, settings_of
from reconciler.cli.terminal import remark, screen
from reconciler.gitops.journal import Record
from reconciler.gitops.refs import short
from reconciler.plan.show.escape import visible
from reconciler.plan.show.json import json_text

_STYLES = {
    "drift": "yellow",
    "fail": "red",
    "heal": "green",
    "hold": "magenta",
    "lost": "magenta",
    "refuse": "red",
    "sync": "bold",
}


@command("history")
@environment_option
@click.option(
    "-n", "count", type=click.IntRange(1), default=10, show_default=True, help="How many events."
)
@click.option("--changes", is_flag=True, help="Show what changed in each event, field by field.")
@format_option(Format.TEXT, Format.JSON)
@click.pass_obj
def history(given: Given, environment: str | None, count: int, changes: bool, form: Format) -> Exit:
    """Show what happened to an environment, from its journal.

    The newest comes first. The same is in git: git log reconciler/<environment>.
    """
    with open_repository(settings_of(given)) as repository:
        repository.try_fetch()
        name = environment_of(repository, environment)
        records = repository.journal(name).entries(count)
    if form is Format.JSON:
        events = [record_document(record) for record in records]
        click.echo(json_text({"environment": name, "events": events}), nl=False)
        return Exit.SAME
    shown = screen()
    for record in records:
        for text, style in _lines(record, changes):
            shown.say(text, style)
    if not records:
        remark(f"nothing happened to {name} yet")
    return Exit.SAME


def moment(time: datetime) -> str:
    """A time for people."""
    return f"{time:%Y-%m-%d %H:%M:%S}"


def record_document(record: Record) -> Mapping[str, Any]:
    """An event for JSON."""
    return {
        "journal": record.sha,
        "time": record.time.isoformat(),
        "event": record.event,
        "subject": record.subject,
        "revision": record.revision,
        "resources": list(record.resources),
    }


def _lines(record: Record, changes: bool) -> Iterator[tuple[str, str]]:
    about = f" [{short(record.revision)}]" if record.revision else ""
    text = f"{moment(record.time)}  {short(record.sha)}  {visible(record.subject)}{about}"
    yield text, _STYLES.get(record.event, "")
    if changes:
        lines = [line for line in record.body.splitlines() if line != "[skip ci]"]
        yield from ((f"    {visible(line)}".rstrip(), "") for line in lines)
