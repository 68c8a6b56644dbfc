"""`reconciler`: the table of commands, and how a command ends.

Only the command that is used is imported, so that `--help` is instant and a plan in CI needs
neither libvirt nor a scheduler.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import click

from reconciler.cli.command import HELP, places
from reconciler.cli.exits import Exit

DISTRIBUTION = "kvm-reconciler"

COMMANDS: Mapping[str, str] = {
    "init": "Make a config repository that validates as it is.",
    "validate": "Check every document, and say all that is wrong at once.",
    "plan": "Show what a sync would do, and what that costs.",
    "review": "Plan what merging a branch would do, and tell the forge.",
    "sync": "Make the farm what the branch says, once.",
    "rollback": "Take an environment back to a commit that was Ready there.",
    "run": "Keep the farm as the branches say, until stopped.",
    "approve": "Show a plan, and the commands that approve of it.",
    "promote": "Bring what is Ready in one environment to the next.",
    "hotfix": "Begin and finish a hotfix of production.",
    "status": "Show how the environments are, from their journals.",
    "drift": "Look at the farm now, and show what somebody changed by hand.",
    "hold": "Leave an environment, or one resource, alone for a time.",
    "release": "End the hold of an environment, or of one RESOURCE.",
    "history": "Show what happened to an environment, from its journal.",
    "allocate": "Write addresses for machines and hosts that lack one.",
    "network": "Show who has which address, and what is free.",
    "adopt": "Write documents for machines on a host, or for a zone.",
    "accept": "Write what was done by hand into the document that says otherwise.",
    "trash": "Show volumes in the trash, get them back, or delete them.",
    "doctor": "See whether settings, repository, hosts and name servers are sound.",
    "host": "Make a bare server a host that sync can take over.",
    "secret": "Set, edit and list encrypted values.",
    "schema": "Give the JSON Schemas of the documents, for editors.",
    "demo": "Watch a simulated farm follow its git repository.",
}


class Commands(click.Group):
    """The group of all commands. Each exits with an `Exit`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order in which a newcomer needs them."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load one command."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        loaded: click.Command = getattr(import_module(f"reconciler.cli.{cmd_name}"), cmd_name)
        return loaded

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without loading them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(tuple(COMMANDS.items()))

    def main(  # type: ignore[override] # click overloads it by the type of standalone_mode
        self, args: Sequence[str] | None = None, standalone_mode: bool = True, **extra: Any
    ) -> int:
        """Run a command line, and exit with its code or, not `standalone_mode`, return it."""
        extra["prog_name"] = "reconciler"
        code = Exit.ERROR
        try:
            code = super().main(args, standalone_mode=False, **extra) or Exit.SAME
        except click.ClickException as error:
            error.show()
        except click.Abort:
            click.echo("reconciler: interrupted", err=True)
            code = Exit.INTERRUPTED
        if standalone_mode:
            sys.exit(code)
        return int(code)


def _show_version(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if not wanted:
        return
    try:
        number = version(DISTRIBUTION)
    except PackageNotFoundError:
        number = "(not installed, run from its source)"
    click.echo(f"reconciler {number}")
    context.exit()


@click.group(
    cls=Commands,
    context_settings={"help_option_names": HELP},
    epilog="Exit codes: 0 nothing to do, 1 error, 2 changes or drift.",
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Show the version and exit.",
)
@places
def main() -> None:
    """GitOps for virtualization farms: hosts, zones and machines follow a git repository."""
