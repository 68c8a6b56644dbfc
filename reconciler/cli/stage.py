"""The stage of the demo: shows each command as it is typed, runs it, and shows what it says.

Nothing is faked. Lines of the shell run in a shell, `reconciler` runs as the program does, and
what a person would do at a host is done to the simulated one.
"""

from __future__ import annotations

import contextlib
import shlex
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from reconciler.cli.command import Failure
from reconciler.cli.exits import Exit
from reconciler.cli.terminal import Screen
from reconciler.gitops.environment import git_environment

DEADLINE = timedelta(seconds=60)
WIDTH = 100
_MEANING = {
    Exit.SAME: "0: nothing to do",
    Exit.ERROR: "1: an error, or refused",
    Exit.DIFFERENT: "2: there are changes, or drift",
}


@dataclass
class Stage:
    """One directory in which everything happens.

    `run` runs a command line of the program and gives its exit code; `words` are what stands
    between `reconciler` and the rest of each line, so that it finds its settings.
    """

    directory: Path
    screen: Screen
    run: Callable[[list[str]], int]
    words: tuple[str, ...] = ()
    _act: int = 0

    def act(self, title: str) -> None:
        """Begin the next act."""
        self._act += 1
        self.screen.say()
        self.screen.say(f"── {self._act}. {title} ".ljust(WIDTH, "─"), "bold cyan")

    def tell(self, text: str) -> None:
        """Say something to the person who watches."""
        self.screen.say()
        self.screen.say(text, "italic")

    def shell(self, line: str) -> None:
        """Run a line of the shell in the config repository; it must succeed.

        Raises:
            Failure: it did not.
        """
        self._prompt("$", line)
        try:
            done = subprocess.run(  # noqa: S603 - the lines are constants of the demo
                ["/bin/sh", "-c", line],
                cwd=self._here,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=DEADLINE.total_seconds(),
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise Failure(f"the demo stopped: no end of {line!r} within {DEADLINE}") from error
        self._output(done.stdout)
        if done.returncode:
            raise Failure(f"the demo stopped: {line!r} ended with {done.returncode}")

    def reconciler(self, line: str, *, ends: Exit = Exit.SAME) -> None:
        """Run a command of this program; it must end as expected.

        Raises:
            Failure: it did not.
        """
        self._prompt("$", f"reconciler {line}")
        with contextlib.chdir(self._here):
            code = self.run([*self.words, *shlex.split(line)])
        if code == Exit.INTERRUPTED:
            raise KeyboardInterrupt
        if code != ends:
            raise Failure(f"the demo stopped: reconciler {line} ended with {code}, not {ends}")
        if code:
            self.screen.say(f"(exit code {_MEANING[ends]})", "dim")

    def by_hand(self, machine: str, line: str, effect: Callable[[], None]) -> None:
        """Show what a person types at a host or server, and do just that to the simulated one."""
        self._prompt(f"{machine} #", line)
        effect()

    @property
    def _here(self) -> Path:
        """The config repository, as soon as there is one."""
        farm = self.directory / "farm"
        return farm if farm.is_dir() else self.directory

    def _prompt(self, prompt: str, line: str) -> None:
        self.screen.say()
        self.screen.say(f"{prompt} {line}", "bold green")

    def _output(self, text: str) -> None:
        if self.screen.console is None:
            self.screen.say(text.rstrip("\n")) if text.strip() else None
        elif text.strip():
            from rich.text import Text

            self.screen.console.print(Text.from_ansi(text.rstrip("\n")), soft_wrap=True)

    def _environment(self) -> dict[str, str]:
        """An environment with a home of its own, so that nobody's git settings matter."""
        return {
            "PATH": git_environment().get("PATH", "/usr/bin:/bin"),
            "HOME": str(self.directory / "home"),
            "LC_ALL": "C.UTF-8",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_PAGER": "cat",
        }
