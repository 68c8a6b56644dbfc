"""`init` makes a repository that validates as it is, or nothing at all."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from reconciler.cli.main import main
from tests.remotes.origin import git


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def test_it_has_three_branches_with_one_tree_and_validates(tmp_path: Path) -> None:
    directory = tmp_path / "my-farm"
    done = run("init", str(directory), "--domain", "corp.internal")
    assert done.exit_code == 0, done.output
    branches = git(directory, "for-each-ref", "--format=%(refname:short) %(objectname)")
    names, commits = zip(*(line.split() for line in branches.splitlines()), strict=True)
    assert names == ("development", "production", "staging")
    assert len(set(commits)) == 1
    assert git(directory, "status", "--porcelain") == ""
    assert "domain: corp.internal" in (directory / "farm.yaml").read_text("utf-8")
    assert run("validate", str(directory)).exit_code == 0
    assert run("validate", "--repo", str(directory), "--state", str(tmp_path)).exit_code == 0


def test_the_next_steps_that_it_prints_work(tmp_path: Path) -> None:
    directory = tmp_path / "my-farm"
    printed = run("init", str(directory)).stdout
    [line] = [line.split() for line in printed.splitlines() if "reconciler plan" in line]
    arguments = [str(directory) if word == "." else word for word in line[1:]]
    done = run(*arguments, "--state", str(tmp_path / "state"))
    assert done.exit_code in {0, 2}, done.output


def test_an_empty_directory_may_be_there(tmp_path: Path) -> None:
    assert run("init", str(tmp_path), "--name", "farm").exit_code == 0


def test_what_is_there_is_never_touched(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine", "utf-8")
    done = run("init", str(tmp_path))
    assert done.exit_code == 1
    assert "is not empty" in done.stderr
    assert [each.name for each in tmp_path.iterdir()] == ["mine"]


@pytest.mark.parametrize("exists", [True, False])
def test_a_name_that_is_none_leaves_nothing_behind(tmp_path: Path, exists: bool) -> None:
    directory = tmp_path / "new"
    if exists:
        directory.mkdir()
    done = run("init", str(directory), "--name", "Not A Label")
    assert done.exit_code == 1
    assert "farm.yaml:" in done.stderr
    assert directory.exists() is exists
    assert not exists or not any(directory.iterdir())
