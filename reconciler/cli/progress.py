"""What a person sees while changes are made: a bar on a terminal, a line per step if asked for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn

from reconciler.cli.terminal import Screen, remark
from reconciler.engine.apply import Outcome, Reporter, Silent
from reconciler.kinds.protocol import Operation
from reconciler.model.address import Address
from reconciler.plan.plan import Plan

WIDTH = 40


class Steps:
    """Says each step on standard error as it begins, and how each change ended."""

    def planned(self, plan: Plan) -> None:
        """Say how much there is to do."""
        if plan.active:
            remark(f"{plan.environment}: {len(plan.active)} changes")

    def begins(self, address: Address, operation: Operation) -> None:
        """Say the step."""
        del address
        remark(f"  {operation}")

    def ended(self, outcome: Outcome) -> None:
        """Say how it went."""
        remark(f"  {outcome.address}: {outcome.result}" + f" {outcome.message}".rstrip())


class Bar:
    """Moves a bar, and names the latest step beside it."""

    def __init__(self, progress: Progress, environment: str) -> None:
        """Nothing is shown until something is planned."""
        self._progress = progress
        self._environment = environment
        self._task: TaskID | None = None

    def planned(self, plan: Plan) -> None:
        """Show an empty bar."""
        if plan.active:
            self._task = self._progress.add_task(self._environment, total=len(plan.active))

    def begins(self, address: Address, operation: Operation) -> None:
        """Name the step."""
        del address
        if self._task is not None:
            step = str(operation)
            text = step if len(step) <= WIDTH else step[: WIDTH - 1] + "…"
            self._progress.update(self._task, description=f"{self._environment}: {text}")

    def ended(self, outcome: Outcome) -> None:
        """Move the bar."""
        del outcome
        if self._task is not None:
            self._progress.advance(self._task)


@contextmanager
def progress(shown: Screen, environment: str, verbose: int) -> Iterator[Reporter]:
    """A reporter for one environment, shown while inside."""
    if verbose:
        yield Steps()
    elif shown.console is None:
        yield Silent()
    else:
        with _bar(shown.console) as bar:
            yield Bar(bar, environment)


def _bar(console: Console) -> Progress:
    columns = (
        SpinnerColumn(),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TextColumn("{task.description}", markup=False),
    )
    return Progress(*columns, console=console, transient=True)
