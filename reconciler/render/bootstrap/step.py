"""A step of a bootstrap: what it does in words, how to see that it is done, and how it is done.

Steps are data, so that all of them can be shown before anything happens, and so that a bootstrap
that was interrupted goes on by looking which of them are done.
"""

from __future__ import annotations

import enum
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta

STEP_DEADLINE = timedelta(minutes=2)


class Door(enum.StrEnum):
    """Who does a step, and where."""

    HERE = "here"
    """This program, on the machine that it runs on."""
    GIVEN = "given"
    """The machine as it is handed over: a rescue system, or reached by a password."""
    OURS = "ours"
    """The installed system, reached with our own key."""


@dataclass(frozen=True, slots=True)
class Command:
    """Arguments, what they read, and the name of a passphrase that they read instead."""

    argv: tuple[str, ...]
    stdin: str = ""
    passphrase: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One step. `done` exits with 0 if nothing is left to do; None: that is seen elsewhere.

    A step that is `destructive` deletes what is on the machine, and is asked for by name.
    """

    name: str
    what: str
    door: Door
    run: tuple[Command, ...] = ()
    done: Command | None = None
    destructive: bool = False
    deadline: timedelta = STEP_DEADLINE


def shown(steps: Iterable[Step]) -> Iterator[str]:
    """The steps for people, one a line."""
    for number, step in enumerate(steps, start=1):
        mark = " (DESTROYS DATA)" if step.destructive else ""
        yield f"{number:2}. {step.name}: {step.what}{mark}"


def spelled_out(steps: Iterable[Step]) -> Iterator[str]:
    """The steps with everything that they would run and write. Passphrases are named only."""
    every = tuple(steps)
    told: set[str] = set()
    for heading, step in zip(shown(every), every, strict=True):
        yield heading
        if step.done is not None:
            yield from _command("done if this succeeds", step.done, told)
        for command in step.run:
            yield from _command("run", command, told)


def _command(label: str, command: Command, told: set[str]) -> Iterator[str]:
    """What is run, and what it reads; each text is told once."""
    match command.argv:
        case ("sh", "-c", text, _, *arguments):
            yield f"    {label}, as a script with: {shlex.join(arguments) or 'no arguments'}"
            yield from _text(text, told)
        case _:
            yield f"    {label}: {shlex.join(command.argv)}"
    if command.passphrase:
        yield f"    it reads: the passphrase of {command.passphrase}"
    if command.stdin:
        yield "    it reads:"
        yield from _text(command.stdin, told)


def _text(text: str, told: set[str]) -> Iterator[str]:
    if text in told:
        yield "      (the same as above)"
        return
    told.add(text)
    yield from (f"      | {line}".rstrip() for line in text.splitlines())
