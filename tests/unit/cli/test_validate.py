"""`validate` on a directory, in every format."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from lxml import etree

from reconciler.cli.main import main

EXAMPLE = Path(__file__).parents[3] / "example-repo"
STACK = "stacks/debian-web.yaml"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["validate", *arguments])


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return shutil.copytree(EXAMPLE, tmp_path / "farm")


@pytest.fixture
def broken(tree: Path) -> Path:
    """Two files are wrong, one of which all environments share."""
    for path, old, new in (
        (STACK, "memory:", "memmory:"),
        ("environments/staging/environment.yaml", "name: staging", "name: stagin"),
    ):
        file = tree / path
        file.write_text(file.read_text("utf-8").replace(old, new), "utf-8")
    return tree


def test_the_example_has_no_problem(tree: Path) -> None:
    done = run(str(tree))
    assert (done.exit_code, done.stdout) == (0, "No problems\n")


def test_what_is_not_committed_is_checked_too(tree: Path) -> None:
    (tree / "vms" / "new.yaml").write_text("kind: VirtualMachin\nname: new\n", "utf-8")
    done = run(str(tree))
    assert done.exit_code == 1
    assert "vms/new.yaml:1:" in done.stdout


def test_all_problems_of_all_environments_are_told_each_once(broken: Path) -> None:
    done = run(str(broken))
    assert done.exit_code == 1
    assert done.stdout.count(f"{STACK}:7:1: ") == 1
    assert "environments/staging/environment.yaml:" in done.stdout
    assert "in 2 files" in done.stdout


def test_one_environment_may_be_chosen(broken: Path) -> None:
    done = run(str(broken), "-e", "production")
    assert done.exit_code == 1
    assert "environments/staging" not in done.stdout


def test_json_lists_the_problems(broken: Path) -> None:
    document = json.loads(run(str(broken), "--format", "json").stdout)
    assert {each["source"]["file"] for each in document["problems"]} >= {STACK}


def test_sarif_points_at_the_line(broken: Path) -> None:
    log = json.loads(run(str(broken), "--format", "sarif").stdout)
    places = [result["locations"][0]["physicalLocation"] for result in log["runs"][0]["results"]]
    found = {(p["artifactLocation"]["uri"], p["region"]["startLine"]) for p in places}
    assert (STACK, 7) in found


def test_junit_has_a_failed_case_for_each(broken: Path) -> None:
    text = run(str(broken), "--format", "junit").stdout
    report = etree.fromstring(text.encode())
    assert int(report.get("failures")) == len(list(report.iter("failure"))) >= 2


def test_junit_and_sarif_of_what_is_well_pass(tree: Path) -> None:
    report = etree.fromstring(run(str(tree), "--format", "junit").stdout.encode())
    assert (report.get("failures"), report.get("tests")) == ("0", "1")
    log = json.loads(run(str(tree), "--format", "sarif").stdout)
    assert log["runs"][0]["results"] == []


def test_markdown_is_for_a_comment(broken: Path) -> None:
    assert run(str(broken), "--format", "markdown").stdout.startswith("### ")


def test_two_environments_may_not_take_the_same(tree: Path) -> None:
    file = tree / "environments/staging/vms/runner.yaml"
    text = file.read_text("utf-8").replace("name: runner\n", "name: runner\nlibvirt_name: x\n", 1)
    file.write_text(text + "host: virt1\n", "utf-8")
    other = tree / "environments/production/vms/mail.yaml"
    text = other.read_text("utf-8").replace("name: mail\n", "name: mail\nlibvirt_name: x\n", 1)
    other.write_text(text + "host: virt1\n", "utf-8")
    done = run(str(tree))
    assert done.exit_code == 1
    assert "domain virt1/x" in done.stdout


def test_a_directory_that_is_no_config_repository_says_so(tmp_path: Path) -> None:
    done = run(str(tmp_path))
    assert done.exit_code == 1
    assert "reconciler init" in done.stderr


def test_a_directory_that_is_not_there_says_so(tmp_path: Path) -> None:
    done = run(str(tmp_path / "absent"))
    assert done.exit_code == 1
    assert "absent" in done.stderr


def test_a_directory_and_a_commit_are_too_much(tree: Path) -> None:
    assert run(str(tree), "--branch", "production").exit_code == 1
