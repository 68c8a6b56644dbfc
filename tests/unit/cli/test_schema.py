"""`schema` prints, writes and checks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from reconciler.cli.main import main

SCHEMAS = Path(__file__).parents[3] / "schemas"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["schema", *arguments])


def test_the_names_are_listed() -> None:
    names = run().stdout.split()
    assert {"plan", "virtual-machine", "patch/virtual-machine"} <= set(names)


@pytest.mark.parametrize(
    "name",
    ["VirtualMachine", "virtual-machine", "virtual-machine.json", "patch/virtual-machine", "plan"],
)
def test_one_is_printed_however_its_name_is_written(name: str) -> None:
    assert json.loads(run(name).stdout)["$schema"]


def test_a_kind_that_is_none_lists_those_that_are() -> None:
    done = run("Machine")
    assert done.exit_code == 1
    assert "virtual-machine" in done.stderr


def test_what_was_written_is_fresh_until_it_is_changed(tmp_path: Path) -> None:
    assert run("--check", str(tmp_path)).exit_code == 2
    assert run("--write", str(tmp_path)).exit_code == 0
    assert run("--check", str(tmp_path)).exit_code == 0
    (tmp_path / "plan.json").write_text("{}", "utf-8")
    done = run("--check", str(tmp_path))
    assert done.exit_code == 2
    assert "plan.json" in done.stdout


def test_those_of_the_checkout_are_fresh() -> None:
    done = run("--check", str(SCHEMAS))
    assert done.exit_code == 0, done.stdout


def test_only_one_thing_at_a_time(tmp_path: Path) -> None:
    assert run("plan", "--check", str(tmp_path)).exit_code == 1
