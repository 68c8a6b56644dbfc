"""JUnit, SARIF, markdown and JSON at the command line point at the line that owns the matter."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from lxml import etree

from reconciler.drivers.simulated import by_hand
from tests.story.desk import STACK, Desk

GIB = 1 << 30


def locations(sarif: str) -> set[tuple[str, int]]:
    """The places that a SARIF log points at."""
    results = json.loads(sarif)["runs"][0]["results"]
    places = [each["locations"][0]["physicalLocation"] for each in results]
    return {(each["artifactLocation"]["uri"], each["region"]["startLine"]) for each in places}


@pytest.fixture
def drifted(desk: Desk) -> Desk:
    host = desk.host_of("production-web-1")
    by_hand.set_memory(desk.farm, host, "production-web-1", GIB)
    return desk


def test_drift_as_sarif_points_at_the_document(drifted: Desk) -> None:
    done = drifted.run("drift", "-e", "production", "--format", "sarif")
    assert done.exit_code == 2
    assert {file for file, _ in locations(done.stdout)} == {STACK}


def test_drift_as_junit_is_a_failed_case(drifted: Desk) -> None:
    done = drifted.run("drift", "-e", "production", "--format", "junit")
    assert done.exit_code == 2
    report = etree.fromstring(done.stdout.encode())
    assert report.get("failures") == "1"
    [case] = report.iter("testcase")
    assert (case.get("name"), case.get("file")) == ("domain/web-1", STACK)


def test_drift_as_json_names_the_field(drifted: Desk) -> None:
    [change] = drifted.json("drift", "-e", "production")["changes"]
    assert change["fields"] == [{"path": "memory_bytes", "before": GIB, "after": 2 * GIB}]


def test_drift_as_markdown_is_for_a_comment(drifted: Desk) -> None:
    text = drifted.run("drift", "-e", "production", "--format", "markdown").stdout
    assert text.startswith("### Drift of `production`")


@pytest.mark.parametrize("form", ["text", "json", "markdown", "junit", "sarif"])
def test_nothing_but_the_document_is_on_standard_output(drifted: Desk, form: str) -> None:
    for command in ("plan", "drift"):
        done = drifted.run(command, "-e", "production", "--format", form, "-v")
        assert done.exit_code == 2
        assert done.stdout
        assert "\x1b" not in done.stdout
        if form in {"json", "sarif"}:
            json.loads(done.stdout)
        if form == "junit":
            etree.fromstring(done.stdout.encode())


def test_validate_takes_the_heads_of_all_branches_together(desk: Desk) -> None:
    assert desk.run("validate", "--repo", str(desk.remote)).exit_code == 0
    desk.edit(
        "environments/staging/networks/lan.yaml", "10.10.60.0/24", "10.10.61.0/24", branch="staging"
    )
    done = desk.run("validate", "--repo", str(desk.remote), "--format", "sarif")
    assert done.exit_code == 1
    assert locations(done.stdout)


def test_validate_finds_what_two_branches_would_take_from_each_other(desk: Desk) -> None:
    desk.edit(
        "environments/production/vms/mail.yaml",
        "192.168.1.151",
        "192.168.1.152",
        branch="production",
    )
    desk.edit(
        "environments/production/vms/backup.yaml",
        "192.168.1.152",
        "192.168.1.151",
        branch="production",
    )
    assert desk.run("validate", "--repo", str(desk.remote)).exit_code == 0
    desk.edit(
        "environments/staging/vms/runner.yaml",
        "name: runner\n",
        "name: runner\nlibvirt_name: production-mail\nhost: virt1\n",
        branch="staging",
    )
    desk.edit("environments/production/vms/mail.yaml", "name: mail\n", "name: mail\nhost: virt1\n")
    done = desk.run("validate", "--repo", str(desk.remote))
    assert done.exit_code == 1
    assert "production-mail" in done.stdout


def test_validate_takes_one_commit_of_a_branch(desk: Desk) -> None:
    old = desk.head("production")
    desk.edit("stacks/debian-web.yaml", "memory: 2 GiB", "memmory: 2 GiB")
    assert desk.run("validate", "--branch", "production").exit_code == 1
    assert desk.run("validate", "--revision", old[:8]).exit_code == 0
    assert desk.run("validate", "--branch", "staging").exit_code == 0


@pytest.mark.parametrize("form", ["json", "junit", "sarif", "markdown"])
def test_a_tree_that_cannot_be_read_is_reported_in_the_format_too(
    desk: Desk, tmp_path: Path, form: str
) -> None:
    tree = tmp_path / "tree"
    (tree / "vms").mkdir(parents=True)
    (tree / "vms/link.yaml").symlink_to("/etc/passwd")
    done = desk.run("validate", str(tree), "--format", form)
    assert done.exit_code == 1
    assert "vms/link.yaml" in done.stdout
