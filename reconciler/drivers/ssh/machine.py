"""The base of a host over ssh: one exchange to look at it, one to change it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from datetime import timedelta

from reconciler.drivers.redact import redact
from reconciler.drivers.ssh.answers import LOOK, look_of
from reconciler.drivers.ssh.program import command_of, input_of
from reconciler.drivers.ssh.shell import Shell
from reconciler.drivers.ssh.switch import guarded
from reconciler.drivers.ssh.task import CHANGE, Task, refuse_failure
from reconciler.errors import DriverError
from reconciler.model.secret import SealedSecret
from reconciler.ports.acts import Act
from reconciler.ports.facts import Facts, Question
from reconciler.ports.machine import Safety

LOOK_DEADLINE = timedelta(seconds=60)


class SshMachine:
    """The base of one host."""

    def __init__(self, shell: Shell, reveal: Callable[[SealedSecret], str]) -> None:
        """`reveal` gives what a sealed secret stands for: it goes to the host and nowhere else."""
        self._shell = shell
        self._reveal = reveal

    def look(self, questions: Iterable[Question]) -> Facts:
        """Answer everything in one exchange.

        Raises:
            DriverError: it does not answer, or not in a way that can be understood.
        """
        asked = frozenset(questions)
        task = {
            "questions": [asdict(question) for question in sorted(asked)],
            "directory": self._shell.directory,
        }
        stdin = input_of("look", json.dumps(task).encode())
        argv = command_of("look")
        result = self._shell.run(argv, stdin=stdin, deadline=LOOK_DEADLINE, operation=LOOK)
        refuse_failure(self._shell.host, LOOK, result)
        look = look_of(self._shell.host, asked, result.stdout)
        self._shell.has_seen(look.header.fence)
        return look.facts

    def do(self, acts: Sequence[Act], *, safety: Safety | None = None) -> None:
        """Do these one after the other, in one exchange, while nobody else changes the machine.

        Raises:
            Conflict: one of them failed, those before it were done; or somebody else has changed
                the machine since it was last looked at, and nothing was done.
            Unreachable: nobody knows how far it came. With `safety`: the machine was cut off, and
                takes the change back by itself.
        """
        task = Task.of(acts, self._reveal)
        try:
            if safety is None:
                self._do(task)
            else:
                guarded(self._shell, task.plain, safety)
        except DriverError as error:  # it may repeat what the host says of a content
            cause = redact(error.cause, task.hidden)
            raise type(error)(error.where, error.operation, cause) from None

    def _do(self, task: Task) -> None:
        result = self._shell.run(
            command_of("act"),
            stdin=input_of("act", task.stdin(self._shell.directory)),
            deadline=task.deadline,
            exclusive=True,
            operation=CHANGE,
        )
        task.expect_done(self._shell.host, result)
