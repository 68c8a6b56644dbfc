"""The options that every command has may stand before or after its name."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from reconciler.cli.command import Given, command, places
from reconciler.cli.exits import Exit
from reconciler.cli.repository import settings_of
from reconciler.errors import SettingsError


def given_by(*arguments: str) -> Given:
    """What a command is given."""
    seen: list[Given] = []

    @click.group()
    @places
    def group() -> None:
        pass

    @command("look")
    @click.pass_obj
    def look(given: Given) -> Exit:
        seen.append(given)
        return Exit.SAME

    group.add_command(look)
    done = CliRunner().invoke(group, arguments)
    assert done.exit_code == 0, done.output
    [found] = seen
    return found


def test_nothing_given_is_nothing() -> None:
    assert given_by("look") == Given()


@pytest.mark.parametrize(
    "arguments",
    [("--repo", "r", "look"), ("look", "--repo", "r"), ("--repo", "q", "look", "--repo", "r")],
)
def test_the_nearer_one_wins(arguments: tuple[str, ...]) -> None:
    assert given_by(*arguments) == Given(repo="r")


def test_what_stands_before_and_after_adds_up(tmp_path: Path) -> None:
    file = tmp_path / "reconciler.yaml"
    file.touch()
    given = given_by("--config", str(file), "--repo", "r", "look", "--state", "s", "-vv")
    assert given == Given(config=file, repo="r", state=Path("s"), verbose=2)


def test_the_command_line_beats_the_file(tmp_path: Path) -> None:
    file = tmp_path / "reconciler.yaml"
    file.write_text("repository: {url: /a, deadline: 7s}\nstate_directory: there\n", "utf-8")
    settings = settings_of(Given(config=file))
    assert settings.state_directory == tmp_path / "there"
    changed = settings_of(Given(config=file, repo="/b", state=tmp_path / "here"))
    assert changed.repository.url == "/b"
    assert changed.repository.deadline == settings.repository.deadline
    assert changed.state_directory == tmp_path / "here"


def test_the_file_of_the_system_is_read_if_it_is_there(tmp_path: Path) -> None:
    file = tmp_path / "reconciler.yaml"
    assert settings_of(Given(), file).repository.url == "."
    file.write_text("repository: {url: /a}\n", "utf-8")
    assert settings_of(Given(), file).repository.url == "/a"


def test_without_settings_the_state_is_kept_in_the_cache_of_the_person(tmp_path: Path) -> None:
    settings = settings_of(Given(repo="/a"), tmp_path / "absent.yaml")
    assert settings.state_directory == Path.home() / ".cache" / "reconciler"


def test_settings_that_are_wrong_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "reconciler.yaml"
    file.write_text("repo: {}\n", "utf-8")
    with pytest.raises(SettingsError, match="line 1"):
        settings_of(Given(config=file))
