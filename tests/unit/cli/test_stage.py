"""The stage of the demo: what is shown is what is run, and a demo that goes wrong says so."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from reconciler.cli.command import Failure
from reconciler.cli.demo import _place
from reconciler.cli.exits import Exit
from reconciler.cli.stage import Stage
from reconciler.cli.terminal import Screen


def stage(root: Path, code: int = 0, screen: Screen | None = None) -> tuple[Stage, list[list[str]]]:
    """A stage whose program ends with a code, and what it was asked."""
    asked: list[list[str]] = []

    def run(arguments: list[str]) -> int:
        asked.append([*arguments, str(Path.cwd())])
        return code

    return Stage(root, screen or Screen(), run, ("--config", "c")), asked


def test_a_line_of_the_shell_is_shown_and_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stage(tmp_path)[0].shell("echo one && pwd")
    assert capsys.readouterr().out == f"\n$ echo one && pwd\none\n{tmp_path}\n"


def test_lines_run_in_the_config_repository_once_there_is_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "farm").mkdir()
    on, asked = stage(tmp_path)
    on.shell("pwd")
    on.reconciler("plan -e 'a b'")
    assert f"{tmp_path}/farm\n" in capsys.readouterr().out
    assert asked == [["--config", "c", "plan", "-e", "a b", f"{tmp_path}/farm"]]


def test_the_settings_of_whoever_runs_it_do_not_matter(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stage(tmp_path)[0].shell("echo $HOME")
    assert f"{tmp_path}/home\n" in capsys.readouterr().out


def test_on_a_terminal_the_colours_of_git_are_kept(tmp_path: Path) -> None:
    stream = io.StringIO()
    shown = Screen(Console(file=stream, force_terminal=True, width=80))
    stage(tmp_path, screen=shown)[0].shell("printf '\\033[31mred\\033[0m\\n'")
    assert "\x1b[31mred" in stream.getvalue()


def test_a_line_that_fails_ends_the_demo(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="'exit 3' ended with 3"):
        stage(tmp_path)[0].shell("exit 3")


def test_a_command_that_ends_otherwise_ends_the_demo(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="reconciler plan ended with 1"):
        stage(tmp_path, code=1)[0].reconciler("plan", ends=Exit.DIFFERENT)


def test_an_interrupt_ends_the_demo_at_once(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        stage(tmp_path, code=130)[0].reconciler("sync")


def test_the_exit_code_is_explained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stage(tmp_path, code=2)[0].reconciler("plan", ends=Exit.DIFFERENT)
    assert "(exit code 2: there are changes, or drift)" in capsys.readouterr().out


def test_a_temporary_directory_is_taken_away(capsys: pytest.CaptureFixture[str]) -> None:
    with _place(None, keep=False, shown=Screen()) as place:
        assert place.is_dir()
    assert not place.exists()
    assert "was taken away" in capsys.readouterr().out


@pytest.mark.parametrize("keep", [True, False])
def test_it_stays_if_wanted_or_if_something_went_wrong(keep: bool) -> None:
    place = Path()
    try:
        with _place(None, keep=keep, shown=Screen()) as place:
            if not keep:
                raise Failure("went wrong")
    except Failure:
        assert not keep
    assert place.is_dir()
    place.rmdir()


def test_it_is_taken_away_when_somebody_has_seen_enough() -> None:
    places: list[Path] = []

    def watch() -> None:
        with _place(None, keep=False, shown=Screen()) as place:
            places.append(place)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        watch()
    assert [place.exists() for place in places] == [False]
