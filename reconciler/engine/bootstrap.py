"""Carry the steps of a bootstrap out, each only if it is not done yet.

Nothing is remembered here: whoever is interrupted begins again, and the machine tells what is done.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from reconciler.errors import Stalled
from reconciler.render.bootstrap.step import Command, Door, Step


class Bare(Protocol):
    """A machine that is not managed yet, as far as it can be driven by commands."""

    def says_yes(self, command: Command) -> bool:
        """Whether a command that changes nothing succeeds.

        Raises:
            DriverError: it does not answer.
        """
        ...

    def carry_out(self, command: Command, deadline: timedelta) -> None:
        """Run a command that changes something; alone, also among other reconcilers.

        Raises:
            Conflict: it failed; why is in its own words.
            DriverError: it does not answer, or does not let us.
        """
        ...


class Reporter(Protocol):
    """Is told what goes on."""

    def begins(self, step: Step) -> None:
        """A step is about to be done."""
        ...

    def skipped(self, step: Step) -> None:
        """A step has been done before."""
        ...

    def done(self, step: Step) -> None:
        """A step has been done."""
        ...


@dataclass(frozen=True, slots=True)
class Hands:
    """What the steps are done with.

    `here` are those that this program does by itself, by name. `found_done` tells of a step that
    only we can see whether it is done. `confirm` asks a person before the first step that
    destroys something, and raises if the answer is no.
    """

    machine: Callable[[Door], Bare]
    here: Mapping[str, Callable[[], None]]
    found_done: Mapping[str, Callable[[], bool]]
    confirm: Callable[[Step], None]


def carry_out(steps: Sequence[Step], hands: Hands, reporter: Reporter) -> None:
    """Do the steps in their order; stop at the first that fails.

    Raises:
        Stalled: a step said that it was done, and it is not.
        DriverError: a step failed; those before it are done.
    """
    confirmed = False
    for step in steps:
        if step.door is not Door.HERE and _is_done(step, hands):
            reporter.skipped(step)
            continue
        if step.destructive and not confirmed:
            hands.confirm(step)
            confirmed = True
        reporter.begins(step)
        _do(step, hands)
        reporter.done(step)


def _do(step: Step, hands: Hands) -> None:
    if step.door is Door.HERE:
        hands.here[step.name]()
        return
    machine = hands.machine(step.door)
    for command in step.run:
        machine.carry_out(command, step.deadline)
    if (step.done is not None or step.name in hands.found_done) and not _is_done(step, hands):
        raise Stalled(
            f"the step {step.name} ended well, and what it is for is still not so",
            f"see on the machine what became of it ({step.what}), and run the bootstrap again",
        )


def _is_done(step: Step, hands: Hands) -> bool:
    if step.name in hands.found_done:
        return hands.found_done[step.name]()
    return step.done is not None and hands.machine(step.door).says_yes(step.done)
