"""`reconciler demo`: a simulated farm follows its git repository, before one's eyes."""

from __future__ import annotations

import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

import reconciler
from reconciler.cli.acts import play
from reconciler.cli.command import Failure, command
from reconciler.cli.exits import Exit
from reconciler.cli.stage import Stage
from reconciler.cli.terminal import Screen, screen
from reconciler.daemon.clock import SystemClock

PACKAGE = Path(reconciler.__file__).parent
EXAMPLES = (PACKAGE / "example-repo", PACKAGE.parent / "example-repo")
_SETTINGS = """\
# The operator's settings of the demo. reconciler --config reconciler.yaml ...
repository:
  url: {origin}
state_directory: state
farm:
  kind: simulated
  file: world.yaml
interval: 10s     # how often the repository is asked; a push to it is seen at once
full_look: 10s    # how often the farm is looked at
"""
_GIT_SETTINGS = """\
[user]
\tname = Ada Engineer
\temail = ada@farm.internal
[color]
\tui = {color}
[advice]
\tdetachedHead = false
"""
_TRY = """\
The loop is running. In another terminal:

  cd {farm}
  alias reconciler={program}

Change the farm by hand, and see it healed within ten seconds:
  edit ../world.yaml              a `memory:`, a record, or take a whole domain out
  reconciler drift -e production
  reconciler history -e production

Change what should be, and see it happen at once:
  git switch development
  edit vms/web-1.yaml             size: 16 GiB
  git commit -am 'More for web-1' && git push origin development
  reconciler status

Break something:
  in ../world.yaml, add           faults: [{{where: virt2}}]
  then take it away again         virt2 could not be reached, the others went on

Ctrl-C ends it.
"""


@command("demo")
@click.option("--serve", is_flag=True, help="Keep the loop running afterwards, to play with.")
@click.option(
    "--directory",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Where to do it, a new or empty directory, which then stays. Default: a temporary one.",
)
@click.option("--keep", is_flag=True, help="Leave the temporary directory.")
def demo(serve: bool, directory: Path | None, keep: bool) -> Exit:
    """Watch a simulated farm follow its git repository.

    Makes a config repository from the example and simulates its three servers. Three environments
    converge, a change by hand is found and healed, a change is promoted, a bad commit is refused.
    Everything happens in one directory, through the commands that you would type.
    """
    clock, shown = SystemClock(), screen()
    with _place(directory, keep=keep, shown=shown) as place:
        began = clock.monotonic()
        stage = _set_up(place, shown)
        shown.say("reconciler: a farm that follows its git repository", "bold")
        shown.say(f"Everything happens in {place}; nothing else is touched.")
        play(stage, _example())
        shown.say()
        shown.say(f"That took {clock.monotonic() - began:.0f} seconds.", "bold")
        if serve:
            _serve(stage)
    return Exit.SAME


@contextmanager
def _place(directory: Path | None, *, keep: bool, shown: Screen) -> Iterator[Path]:
    """The directory of the demo, taken away afterwards if it is a temporary one."""
    if directory is not None:
        root = directory.absolute()
        if root.exists() and any(root.iterdir()):
            raise Failure(f"{directory} is not empty; choose a new directory")
        root.mkdir(parents=True, exist_ok=True)
        yield root
        return
    root = Path(tempfile.mkdtemp(prefix="reconciler-demo-"))
    try:
        yield root
    except click.ClickException:
        shown.say(f"All of it is left in {root}.")
        raise
    except KeyboardInterrupt:
        shutil.rmtree(root)
        raise
    if keep:
        shown.say(f"All of it is in {root}.")
    else:
        shutil.rmtree(root)
        shown.say(f"{root} was taken away; --keep leaves it, --serve lets you play with it.")


def _set_up(root: Path, shown: Screen) -> Stage:
    """What the acts need: settings of the operator, and of the person at the keyboard."""
    (root / "home").mkdir()
    color = "always" if shown.console is not None else "never"
    (root / "home" / ".gitconfig").write_text(_GIT_SETTINGS.format(color=color), "utf-8")
    settings = root / "reconciler.yaml"
    settings.write_text(_SETTINGS.format(origin=root / "origin.git"), "utf-8")
    return Stage(root, shown, _run, ("--config", str(settings)))


def _run(arguments: list[str]) -> int:
    from reconciler.cli.main import main

    return int(main.main(arguments, standalone_mode=False))


def _example() -> Path:
    """The example repository: part of the package, or of the checkout.

    Raises:
        Failure: it is in neither.
    """
    for path in EXAMPLES:
        if path.is_dir():
            return path
    raise Failure(f"the example repository is missing; it should be {EXAMPLES[0]}")


def _program() -> list[str]:
    """How this program is started from another terminal."""
    started = Path(sys.argv[0]).absolute()
    return [str(started)] if started.name == "reconciler" else [sys.executable, "-m", "reconciler"]


def _serve(stage: Stage) -> None:
    words = [*_program(), *stage.words]
    stage.screen.say()
    stage.screen.say(
        _TRY.format(farm=stage.directory / "farm", program=shlex.quote(shlex.join(words)))
    )
    stage.run([*stage.words, "run"])
