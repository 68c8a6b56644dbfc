"""How commands are found, and how each way to end becomes an exit code."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from reconciler.cli.command import Given, command
from reconciler.cli.exits import Exit
from reconciler.cli.main import COMMANDS, Commands, main
from reconciler.errors import ConfigError, Stalled
from reconciler.model.position import Position, Problem

ROOT = Path(__file__).parents[3]
HEAVY = ("apscheduler", "fabric", "git", "libvirt", "watchdog")
LOADED = """
import sys
from reconciler.cli.main import main
main.main({arguments!r}, standalone_mode=False)
print("LOADED", *(name for name in {names!r} if name in sys.modules))
"""


def ending(how: BaseException | Exit, *arguments: str) -> Result:
    """What a command gives that ends in this way."""

    @command("end")
    @click.pass_obj
    def end(_given: Given) -> Exit:
        """End."""
        if isinstance(how, BaseException):
            raise how
        return how

    class One(Commands):
        def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
            del ctx, cmd_name
            return end

    return CliRunner().invoke(One("reconciler"), ["end", *arguments])


def loaded_by(arguments: list[str], names: tuple[str, ...]) -> set[str]:
    """Which of the modules a fresh process has loaded after a command."""
    program = LOADED.format(arguments=arguments, names=names)
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return set(done.stdout.rpartition("LOADED")[2].split())


def test_the_help_lists_every_command() -> None:
    done = CliRunner().invoke(main, ["--help"])
    assert done.exit_code == 0
    for name, summary in COMMANDS.items():
        assert f"{name} " in done.stdout
        assert summary in done.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_loads_and_begins_its_help_with_its_summary(name: str) -> None:
    found = main.get_command(click.Context(main), name)
    assert found is not None
    assert found.name == name
    assert (found.help or "").splitlines()[0] == COMMANDS[name]


def test_the_help_loads_no_library_but_click() -> None:
    names = (*HEAVY, "lxml", "orjson", "pydantic", "rich", "ruamel.yaml")
    assert loaded_by(["--help"], names) == set()


def test_a_library_that_is_loaded_is_found_out() -> None:
    assert loaded_by(["schema"], ("pydantic", *HEAVY)) == {"pydantic"}


def test_validate_loads_no_driver_and_no_scheduler() -> None:
    assert loaded_by(["validate", "example-repo"], HEAVY) == set()


def test_a_plan_loads_no_driver_of_real_hosts_and_no_scheduler() -> None:
    assert loaded_by(["plan", "--help"], HEAVY) == set()


def test_a_command_that_is_not_there_is_an_error() -> None:
    done = CliRunner().invoke(main, ["plam"])
    assert done.exit_code == 1
    assert "No such command 'plam'" in done.stderr


def test_a_mistyped_option_is_an_error_and_never_says_changes() -> None:
    for arguments in (["--nope"], ["plan", "--nope"], ["plan", "-e", "prod"]):
        assert CliRunner().invoke(main, arguments).exit_code == 1


def test_the_version_is_told() -> None:
    done = CliRunner().invoke(main, ["--version"])
    assert (done.exit_code, done.stdout.startswith("reconciler ")) == (0, True)


@pytest.mark.parametrize("code", [Exit.SAME, Exit.ERROR, Exit.DIFFERENT])
def test_a_command_ends_with_what_it_returns(code: Exit) -> None:
    assert ending(code).exit_code == code


def test_an_error_is_a_message_and_no_traceback() -> None:
    done = ending(Stalled("nothing goes", "do something"))
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == "reconciler: nothing goes; do something\n"


def test_problems_of_the_repository_are_counted_and_listed() -> None:
    problems = [Problem(Position("a.yaml", line), "is wrong", "mend it") for line in (2, 1)]
    done = ending(ConfigError(problems))
    assert done.stderr.splitlines() == [
        "reconciler: 2 problems in the config repository",
        "a.yaml:1:1: is wrong; mend it",
        "a.yaml:2:1: is wrong; mend it",
    ]


def test_the_traceback_is_for_those_who_ask() -> None:
    done = ending(Stalled("nothing goes", "do something"), "-v")
    assert done.exit_code == 1
    assert "Traceback" in done.stderr


def test_a_file_that_cannot_be_used_is_a_message() -> None:
    done = ending(PermissionError(13, "Permission denied", "/etc/shadow"))
    assert (done.exit_code, done.stderr) == (1, "reconciler: /etc/shadow: Permission denied\n")


def test_a_mistake_of_the_program_is_not_hidden() -> None:
    done = ending(ZeroDivisionError())
    assert isinstance(done.exception, ZeroDivisionError)


def test_an_interrupt_ends_with_130() -> None:
    done = ending(KeyboardInterrupt())
    assert done.exit_code == 130
    assert "interrupted" in done.stderr


def test_run_within_a_program_the_code_is_returned() -> None:
    assert main.main(["schema"], standalone_mode=False) == 0


def test_the_module_is_the_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "reconciler", "plam"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("Usage: reconciler")
