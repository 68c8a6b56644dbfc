"""Bad commits and bad repositories at the command line: a message, an exit code, no harm."""

from __future__ import annotations

import pytest

from reconciler.drivers.simulated import by_hand
from tests.remotes.origin import git
from tests.story.desk import WEB, Desk, program

STACK = "stacks/debian-web.yaml"


def test_a_commit_that_does_not_load_leaves_the_last_good_one_in_force(desk: Desk) -> None:
    good = desk.head("production")
    bad = desk.edit(STACK, "memory: 2 GiB", "memmory: 2 GiB")
    host = desk.host_of("production-mail")
    by_hand.stop_domain(desk.farm, host, "production-mail")
    done = desk.run("sync", "-e", "production")
    assert done.exit_code == 1
    assert f"production: {bad[:7]} is refused" in done.stdout
    assert f"{STACK}:7:1: " in done.stdout
    assert "did you mean memory?" in done.stdout
    assert f"{good[:7]} stays in force: 1 updated, all of it drift" in done.stdout
    assert desk.farm.state.hosts[host].domains["production-mail"].running
    status = desk.run("status", "-e", "production")
    assert status.exit_code == 2
    assert "production: Stalled" in status.stdout
    assert f"refused  {bad[:7]}" in status.stdout
    [known] = desk.json("status", "-e", "production")["environments"]
    assert (known["revision"], known["refused"]) == (good, bad)


def test_a_mended_branch_is_followed_again(desk: Desk) -> None:
    desk.edit(STACK, "memory: 2 GiB", "memmory: 2 GiB")
    desk.run("sync", "-e", "production")
    desk.edit(STACK, "memmory: 2 GiB", "memory: 2 GiB")
    assert desk.run("sync", "-e", "production").exit_code == 0
    assert desk.run("status", "-e", "production").exit_code == 0


def test_a_plan_of_what_does_not_load_names_every_problem(desk: Desk) -> None:
    desk.edit(STACK, "memory: 2 GiB", "memmory: 2 GiB")
    desk.edit(WEB, "stack: debian-web", "stack: debian-wep")
    done = desk.run("plan", "-e", "production")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "2 problems in the config repository" in done.stderr
    assert f"{STACK}:7:1: " in done.stderr
    assert f"{WEB}:" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["plan", "sync", "status", "drift", "history"])
def test_a_repository_that_is_not_there_is_a_message(desk: Desk, command: str) -> None:
    where = str(desk.root / "nowhere.git")
    done = desk.run(command, "-e", "production", "--repo", where)
    assert (done.exit_code, done.stdout) == (1, "")
    assert where in done.stderr
    assert "check the address" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("url", ["ext::sh -c touch% x", "--upload-pack=touch x", "ftp://host/x"])
def test_an_address_that_git_may_not_be_given_is_a_message(desk: Desk, url: str) -> None:
    done = desk.run("plan", "-e", "production", f"--repo={url}")
    assert done.exit_code == 1
    assert "cannot be used" in done.stderr


def test_a_repository_without_branches_is_a_message(desk: Desk) -> None:
    empty = desk.root / "empty.git"
    empty.mkdir()
    git(empty, "init", "--quiet", "--bare")
    for command in ("plan", "sync"):
        done = desk.run(command, "-e", "production", "--repo", str(empty))
        assert done.exit_code == 1
        assert "no branch was ever fetched" in done.output


def test_a_missing_branch_is_never_an_empty_one(desk: Desk) -> None:
    desk.git("branch", "-D", "staging")
    before = desk.farm.state
    planned = desk.run("plan", "-e", "staging")
    assert planned.exit_code == 1
    assert "no branch of the repository is staging's" in planned.stderr
    done = desk.run("sync", "-e", "staging")
    assert done.exit_code == 1
    assert "staging: refused" in done.stdout
    assert desk.farm.state == before


def test_an_unknown_branch_lists_those_that_are_there(desk: Desk) -> None:
    done = desk.run("plan", "-e", "production", "--branch", "prodction")
    assert done.exit_code == 1
    assert "has no branch prodction; it has development, production" in done.stderr


def test_an_environment_without_a_branch_is_left_out_of_all(new_desk: Desk) -> None:
    new_desk.git("branch", "-D", "staging")
    done = new_desk.run("sync", "--all")
    assert done.exit_code == 0, done.output
    assert "staging has no branch; left out" in done.stderr


def test_a_dead_remote_stops_a_plan_but_not_the_healing(desk: Desk) -> None:
    desk.run("sync", "-e", "production")
    host = desk.host_of("production-mail")
    by_hand.stop_domain(desk.farm, host, "production-mail")
    desk.remote.rename(desk.root / "away.git")
    assert desk.run("plan", "-e", "production").exit_code == 1
    shown = desk.run("status", "-e", "production")
    assert shown.exit_code == 0
    assert "going on with what was fetched before" in shown.stderr
    done = desk.run("sync", "-e", "production")
    assert done.exit_code == 1, "not knowing what git says is an error"
    assert "1 updated, all of it drift" in done.stdout
    assert "could not be pushed" in done.stderr
    assert desk.farm.state.hosts[host].domains["production-mail"].running
    (desk.root / "away.git").rename(desk.remote)
    assert desk.run("sync", "-e", "production").exit_code == 0
    assert "heal" in desk.git("log", "--format=%s", "reconciler/production")


def test_a_rewritten_branch_is_held_until_it_is_accepted(desk: Desk) -> None:
    first = desk.head("production")
    desk.edit(WEB, "size: 8 GiB", "size: 12 GiB")
    desk.run("sync", "-e", "production")
    second = desk.head("production")
    identity = ("-c", "user.name=Ada", "-c", "user.email=ada@farm.internal")
    rewritten = ("commit-tree", "production^{tree}", "-p", first, "-m", "Rewrite")
    third = desk.git(*identity, *rewritten)
    desk.git("update-ref", "refs/heads/production", third)
    held = desk.run("sync", "-e", "production")
    assert held.exit_code == 1
    assert "--accept-history" in held.stdout
    assert f"{second[:7]} stays in force" in held.stdout
    assert desk.run("sync", "-e", "production", "--accept-history").exit_code == 0
    status = desk.run("status", "-e", "production")
    assert (status.exit_code, f"applied  {third[:7]}" in status.stdout) == (0, True)


def test_settings_that_do_not_hold_together_are_told_with_their_line(desk: Desk) -> None:
    desk.settings.write_text("repositoy: {url: x}\ninterval: 0s\n", "utf-8")
    done = desk.run("plan", "-e", "production")
    assert done.exit_code == 1
    assert "line 1" in done.stderr
    assert "line 2" in done.stderr


def test_a_world_file_that_is_none_is_a_message(desk: Desk) -> None:
    desk.world.write_text("hosts: 7\n", "utf-8")
    done = desk.run("plan", "-e", "production")
    assert done.exit_code == 1
    assert "world.yaml" in done.stderr


@pytest.mark.parametrize("command", ["plan", "sync", "drift"])
def test_a_real_farm_takes_a_key_and_pins(desk: Desk, command: str) -> None:
    options = ("--repo", str(desk.remote), "--state", str(desk.root / "real"))
    done = program(command, *options, "-e", "production")
    assert (done.exit_code, done.stdout) == (1, "")
    for remedy in ("ssh-keygen -t ed25519", "ssh-keyscan", "farm.kind: simulated"):
        assert remedy in done.stderr


def test_a_real_farm_that_says_half_is_told_the_other_half(desk: Desk) -> None:
    (desk.root / "key").touch(0o600)
    desk.settings.write_text(
        f"repository: {{url: {desk.remote}}}\nstate_directory: state\nhosts: {{ssh_key: key}}\n"
    )
    done = desk.run("plan", "-e", "production")
    assert done.exit_code == 1
    assert "ssh-keyscan" in done.stderr
    assert "hosts.ssh_key" not in done.stderr


def test_a_status_needs_no_farm_at_all(desk: Desk) -> None:
    options = ("--repo", str(desk.remote), "--state", str(desk.root / "real"))
    done = program("status", *options, "-e", "production")
    assert done.exit_code == 0
