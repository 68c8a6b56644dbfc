"""`reconciler init`: a new config repository with its three branches."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from reconciler.cli.command import Failure, command
from reconciler.cli.exits import Exit
from reconciler.config.load import load
from reconciler.config.settings import ENVIRONMENTS
from reconciler.config.template import new_repository
from reconciler.daemon.clock import SystemClock
from reconciler.gitops.directory import DirectoryTree
from reconciler.gitops.stream import Identity
from reconciler.gitops.working import Author, WorkingRepository

_NEXT = """\
{directory} is a config repository: one tree on the branches development, staging and production.

Next:
  cd {directory}
  reconciler validate
  reconciler plan --repo . --environment development --world empty

Then describe your servers in hosts/ and your machines in vms/, commit on development, look at the
plan, and merge development into staging and staging into production.
"""


@command("init")
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
@click.option("--name", metavar="NAME", help="Name of the farm. Default: that of the directory.")
@click.option(
    "--domain",
    metavar="DOMAIN",
    help="Domain of the farm.",
    default="farm.internal",
    show_default=True,
)
def init(directory: Path, name: str | None, domain: str) -> Exit:
    """Make a config repository that validates as it is.

    DIRECTORY is made, or must be empty.
    """
    root = directory.absolute()
    if root.exists() and any(root.iterdir()):
        raise Failure(f"{directory} is not empty; choose a new directory")
    with _nothing_left_on_failure(root):
        _make(root, name or root.name.lower(), domain)
        for environment in ENVIRONMENTS:
            load(DirectoryTree(root), environment)
    click.echo(_NEXT.format(directory=shlex.quote(str(directory))), nl=False)
    return Exit.SAME


@contextmanager
def _nothing_left_on_failure(root: Path) -> Iterator[None]:
    existed = root.exists()
    root.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except BaseException:
        for path in root.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        if not existed:
            root.rmdir()
        raise


def _make(root: Path, name: str, domain: str) -> None:
    """One commit, to which all three branches point."""
    files = {path: text.encode() for path, text in new_repository(name, domain).items()}
    author = Author(Identity("reconciler init", "reconciler@localhost"), SystemClock().now)
    WorkingRepository.create(root, files, ENVIRONMENTS, "Begin the farm", author).close()
