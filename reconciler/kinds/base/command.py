"""Kind `command`: what another tool does on a host, and how it says that there is nothing to do."""

from __future__ import annotations

from dataclasses import dataclass, field

from reconciler.kinds.base.kind import BaseKind
from reconciler.model.address import Address
from reconciler.ports.acts import Act, RunCommand
from reconciler.ports.facts import CommandFact, Facts, Mark, Question

DEADLINE_SECONDS = 600


@dataclass(frozen=True, slots=True)
class CommandSpec:
    """A command. `check` succeeds when it is `done`; `seconds` is how long `run` may take."""

    host: str
    name: str
    run: tuple[str, ...] = field(default=(), compare=False)
    check: tuple[str, ...] = field(default=(), compare=False)
    done: bool = True
    seconds: int = field(default=DEADLINE_SECONDS, compare=False)
    after: tuple[Address, ...] = field(default=(), compare=False)


def _question(spec: CommandSpec) -> Question:
    return Question("command", spec.name, spec.check)


def _read(host: str, question: Question, facts: Facts, mark: Mark | None) -> CommandSpec | None:
    del mark
    fact = facts.answers[question]
    if not (fact is None or isinstance(fact, CommandFact)):
        return None
    is_done = fact is not None and fact.is_done
    return CommandSpec(host, question.name, check=question.details, done=is_done)


def _make(
    wanted: CommandSpec, seen: CommandSpec | None, changed: frozenset[str]
) -> tuple[Act, ...]:
    del seen, changed
    return (RunCommand(wanted.name, wanted.run, wanted.seconds),)


def _drop(seen: CommandSpec) -> tuple[Act, ...]:
    """Nobody knows how to undo what another tool did."""
    del seen
    return ()


COMMAND = BaseKind("command", CommandSpec, _question, _read, _make, _drop)
