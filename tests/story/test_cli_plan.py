"""`plan` at the command line: the same farm, an edit, and worlds of one's choice."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from reconciler.drivers.simulated import by_hand
from tests.story.desk import WEB, Desk, program

SCHEMA = Path(__file__).parents[2] / "schemas" / "plan.json"


def schema_errors(plan: object) -> list[str]:
    schema = json.loads(SCHEMA.read_text("utf-8"))
    return [error.message for error in jsonschema.Draft202012Validator(schema).iter_errors(plan)]


def test_the_first_plan_makes_everything_and_obeys_the_published_schema(new_desk: Desk) -> None:
    done = new_desk.run("plan", "-e", "production", "--format", "json")
    assert done.exit_code == 2
    plan = json.loads(done.stdout)
    assert schema_errors(plan) == []
    made, set_right = plan["summary"]["create"], plan["summary"]["update"]
    assert made > set_right > 0, "a host is there, and not yet as it should be"
    assert made + set_right == len(plan["changes"])
    assert plan["revision"] == new_desk.head("production")


def test_a_plan_after_a_sync_finds_nothing(desk: Desk) -> None:
    done = desk.run("plan", "-e", "production", "--format", "json")
    assert done.exit_code == 0
    plan = json.loads(done.stdout)
    assert plan["changes"] == []
    assert plan["summary"]["unchanged"] > 0
    assert schema_errors(plan) == []


def test_after_one_edit_the_plan_names_just_that_field_with_its_line(desk: Desk) -> None:
    desk.edit(WEB, "size: 8 GiB", "size: 12 GiB")
    done = desk.run("plan", "-e", "production", "--format", "json")
    assert done.exit_code == 2
    plan = json.loads(done.stdout)
    assert schema_errors(plan) == []
    [change] = plan["changes"]
    assert (change["address"], change["action"]) == ("volume/web-1-data", "update")
    assert change["fields"] == [
        {"path": "capacity_bytes", "before": 8 << 30, "after": 12 << 30},
    ]
    line = next(
        number
        for number, text in enumerate(desk.git("show", f"production:{WEB}").splitlines(), 1)
        if "12 GiB" in text
    )
    assert (change["source"]["file"], change["source"]["line"]) == (WEB, line)


def test_a_plan_changes_nothing(desk: Desk) -> None:
    desk.edit(WEB, "size: 8 GiB", "size: 12 GiB")
    world, refs = desk.world.read_bytes(), desk.git("for-each-ref")
    assert desk.run("plan", "-e", "production").exit_code == 2
    assert (desk.world.read_bytes(), desk.git("for-each-ref")) == (world, refs)


def test_a_feature_branch_is_planned_without_access_to_any_host(desk: Desk) -> None:
    desk.git("branch", "feature/more", "production")
    desk.edit(WEB, "size: 8 GiB", "size: 12 GiB", branch="feature/more")
    desk.world.unlink()
    options = ("--repo", str(desk.remote), "--state", str(desk.root / "ci"))
    feature = ("--branch", "feature/more", "-e", "production", "--world", "journal")
    done = program("plan", *options, *feature, "--format", "json")
    assert done.exit_code == 2, done.output
    [change] = json.loads(done.stdout)["changes"]
    assert change["address"] == "volume/web-1-data"
    assert not desk.world.exists()
    assert "(sync(production): " in done.stderr


def test_the_journal_is_no_world_before_anything_was_seen(new_desk: Desk) -> None:
    done = new_desk.run("plan", "-e", "production", "--world", "journal")
    assert done.exit_code == 1
    assert "has not seen any host yet" in done.stderr
    assert "reconciler sync --environment production" in done.stderr


def test_what_the_journal_has_not_seen_is_taken_for_empty_and_said_so(desk: Desk) -> None:
    desk.edit("hosts/virt1.yaml", "name: virt1", "name: virt1\ndescription: the first")
    desk.edit(
        "environments/development/zones/development.yaml",
        "name: dev.farm.internal",
        "name: new.farm.internal",
        branch="development",
    )
    desk.edit(
        "environments/development/environment.yaml",
        "domain: dev.farm.internal",
        "domain: new.farm.internal",
        branch="development",
    )
    done = desk.run("plan", "-e", "development", "--world", "journal", "--format", "json")
    assert "has not seen zone/new.farm.internal" in done.stderr
    created = {
        each["address"] for each in json.loads(done.stdout)["changes"] if each["action"] == "create"
    }
    assert "zone/new.farm.internal" in created


def test_a_world_file_may_stand_for_the_farm(desk: Desk) -> None:
    other = desk.root / "other.yaml"
    other.write_bytes(desk.world.read_bytes())
    by_hand.remove_domain(desk.farm, desk.host_of("production-mail"), "production-mail")
    assert desk.run("plan", "-e", "production").exit_code == 2
    assert desk.run("plan", "-e", "production", "--world", str(other)).exit_code == 0


def test_an_empty_world_needs_no_farm_at_all(desk: Desk) -> None:
    options = ("--repo", str(desk.remote), "--state", str(desk.root / "ci"))
    done = program("plan", *options, "-e", "development", "--world", "empty", "--format", "json")
    assert done.exit_code == 2
    plan = json.loads(done.stdout)
    assert plan["summary"]["create"] == len(plan["changes"]) > 0


@pytest.mark.parametrize("how", ["short", "full", "tag"])
def test_a_commit_is_named_by_its_id_or_a_tag(desk: Desk, how: str) -> None:
    old = desk.head("production")
    desk.git("tag", "v1.0.0", old)
    desk.edit(WEB, "size: 8 GiB", "size: 12 GiB")
    name = {"short": old[:7], "full": old, "tag": "v1.0.0"}[how]
    done = desk.run("plan", "-e", "production", "--revision", name, "--format", "json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["revision"] == old


@pytest.mark.parametrize(
    "name",
    [
        "deadbeef",
        "nope",
        "refs/origin/heads/staging",
        ":/Describe",
        "--upload-pack=x",
        "HEAD",
        "production",
        "v1^{tree}",
        "a..b",
        "",
    ],
)
def test_nothing_else_names_a_commit(desk: Desk, name: str) -> None:
    done = desk.run("plan", "-e", "production", f"--revision={name}")
    assert done.exit_code == 1
    assert "no commit or tag" in done.stderr


def test_a_branch_and_a_commit_are_too_much(desk: Desk) -> None:
    done = desk.run("plan", "-e", "production", "--branch", "production", "--revision", "abcd")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "not both" in done.stderr


def test_a_plan_that_would_be_refused_says_so_and_exits_with_1(desk: Desk) -> None:
    clone = desk.root / "clone"
    desk.edit(WEB, "size: 8 GiB", "size: 8 GiB ")
    for name in ("backup", "app-2", "db-2"):
        (clone / f"environments/production/vms/{name}.yaml").unlink()
    desk.edit(WEB, "size: 8 GiB ", "size: 8 GiB")
    done = desk.run("plan", "-e", "production")
    assert done.exit_code == 1
    assert "mass-deletion: 3 of 12 machines" in done.stdout
    assert "Reconciler-Allow: mass-deletion" in done.stdout


def test_the_environment_is_guessed_only_where_it_is_clear(desk: Desk) -> None:
    unclear = desk.run("plan")
    assert unclear.exit_code == 1
    for name in ("development", "staging", "production"):
        assert f"--environment {name}" in unclear.stderr
    assert desk.run("plan", "--branch", "staging").exit_code == 0
    for branch in ("staging", "development"):
        desk.git("branch", "-D", branch)
    assert desk.run("plan", "--format", "json").exit_code == 0
