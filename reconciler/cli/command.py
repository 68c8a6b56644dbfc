"""What all commands share: the options that say where things are, and errors as messages.

The options may stand before or after the name of the command; what stands nearer wins.
"""

from __future__ import annotations

import errno
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import click

from reconciler.cli.exits import Exit
from reconciler.errors import ConfigError, ReconcilerError
from reconciler.plan.show.escape import line, visible

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Given:
    """What the command line says about where things are; None leaves it to the settings."""

    config: Path | None = None
    repo: str | None = None
    state: Path | None = None
    verbose: int = 0


class Failure(click.ClickException):
    """An error that has been put into words. Exits with 1."""

    exit_code = Exit.ERROR

    def show(self, file: Any = None) -> None:
        """Print the message to stderr; what hosts and documents say acts on no terminal or CI."""
        lines = "\n".join(line(visible(each)) for each in self.message.split("\n"))
        click.echo(f"reconciler: {lines}", file=file, err=file is None)


class Command(click.Command):
    """A command whose errors are read by people."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command.

        Raises:
            Failure: it could not be done; the message says what, where and what to do.
        """
        try:
            return super().invoke(ctx)
        except ReconcilerError as error:
            raise _failure(ctx, error, _words(error)) from error
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise
            where = f"{error.filename}: " if error.filename else ""
            raise _failure(ctx, error, f"{where}{error.strerror or error}") from error


def places(function: F) -> F:
    """Add the options that say where things are; what they say is in the context's `Given`."""
    for option in _PLACES:
        function = option(function)
    return function


HELP = ["-h", "--help"]


def command(name: str) -> Callable[[Callable[..., Any]], Command]:
    """Declare a command; its function returns an `Exit`."""
    settings = {"help_option_names": HELP}
    return lambda function: click.command(name, cls=Command, context_settings=settings)(
        places(function)
    )


def _remember(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    given = context.obj if isinstance(context.obj, Given) else Given()
    if value not in {None, 0}:
        given = replace(given, **{str(parameter.name): value})
    context.obj = given


_PLACES = (
    click.option(
        "-v",
        "--verbose",
        count=True,
        expose_value=False,
        callback=_remember,
        help="Say more; errors come with a traceback.",
    ),
    click.option(
        "--state",
        type=click.Path(file_okay=False, path_type=Path),
        metavar="DIR",
        expose_value=False,
        callback=_remember,
        help="State directory: the mirror and what was not pushed yet. Nothing in it is precious.",
    ),
    click.option(
        "--repo",
        metavar="PATH|URL",
        expose_value=False,
        callback=_remember,
        help="The config repository, instead of the one in the settings.",
    ),
    click.option(
        "--config",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        metavar="FILE",
        expose_value=False,
        callback=_remember,
        help="Operator settings. Default: /etc/reconciler/reconciler.yaml, if there is one.",
    ),
)


def _words(error: ReconcilerError) -> str:
    if isinstance(error, ConfigError):
        count = len(error.problems)
        return f"{count} problem{'' if count == 1 else 's'} in the config repository\n{error}"
    return str(error)


def _failure(context: click.Context, error: Exception, message: str) -> Failure:
    if isinstance(context.obj, Given) and context.obj.verbose:
        click.echo("".join(traceback.format_exception(error)), err=True, nl=False)
    return Failure(message)
