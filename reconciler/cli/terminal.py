"""What a person sees: colour on a terminal, the same words plainly everywhere else."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import click

from reconciler.plan.show import escape
from reconciler.plan.show.text import Line, LineKind

if TYPE_CHECKING:
    from rich.console import Console

STYLES: Mapping[LineKind, str] = {
    LineKind.CREATE: "green",
    LineKind.UPDATE: "yellow",
    LineKind.MOVE: "cyan",
    LineKind.DELETE: "red",
    LineKind.HEADING: "bold",
    LineKind.GROUP: "bold",
    LineKind.FIELD: "",
    LineKind.ADDED: "green",
    LineKind.REMOVED: "red",
    LineKind.CONTEXT: "dim",
    LineKind.HELD: "magenta",
    LineKind.NOTE: "magenta",
    LineKind.MORE: "dim",
    LineKind.UNKNOWN: "magenta",
    LineKind.FOREIGN: "dim",
    LineKind.VIOLATION: "bold red",
    LineKind.REMEDY: "cyan",
    LineKind.PROBLEM: "red",
    LineKind.SUMMARY: "bold",
    LineKind.BLANK: "",
}


class Screen:
    """Standard output. `console` is there only if that is a terminal."""

    def __init__(self, console: Console | None = None) -> None:
        """Without a console everything is plain."""
        self.console = console

    def say(self, text: str = "", style: str = "") -> None:
        """A line, or several."""
        if self.console is None:
            click.echo(text)
        else:
            from rich.text import Text

            self.console.print(Text(text, style), soft_wrap=True)

    def lines(self, lines: Iterable[Line]) -> None:
        """Lines that say what they are."""
        for line in lines:
            self.say(str(line), STYLES[line.kind])


def screen() -> Screen:
    """Standard output as it is now."""
    if not sys.stdout.isatty():
        return Screen()
    from rich.console import Console

    return Screen(Console(file=sys.stdout))


def remark(text: str) -> None:
    """Something besides, on standard error, so that it never gets into a document."""
    lines = "\n".join(escape.line(escape.visible(each)) for each in text.split("\n"))
    click.echo(f"reconciler: {lines}", err=True)
