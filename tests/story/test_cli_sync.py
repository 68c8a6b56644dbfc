"""`sync`, `drift`, `status` and `history` at the command line."""

from __future__ import annotations

import json

from reconciler.drivers.simulated import by_hand
from reconciler.drivers.simulated.faults import Fault
from tests.story.desk import STACK, WEB, Desk

GIB = 1 << 30


def test_all_environments_converge_and_a_second_sync_does_nothing(new_desk: Desk) -> None:
    first = new_desk.run("sync", "--all")
    assert first.exit_code == 0, first.output
    for line in ("development at ", "+ 4 domains", "staging at ", "production at ", "+ 12 domains"):
        assert line in first.stdout
    second = new_desk.run("sync", "--all")
    assert second.exit_code == 0
    assert second.stdout.count("nothing to do") == 3


def test_a_dry_run_shows_the_plan_and_changes_nothing(new_desk: Desk) -> None:
    done = new_desk.run("sync", "-e", "development", "--dry-run")
    assert done.exit_code == 2
    assert "Plan for development" in done.stdout
    assert not any(host.domains for host in new_desk.farm.state.hosts.values())
    assert "reconciler/" not in new_desk.git("for-each-ref")


def test_what_was_changed_by_hand_is_shown_then_healed_and_remembered(desk: Desk) -> None:
    host = desk.host_of("production-web-1")
    by_hand.set_memory(desk.farm, host, "production-web-1", GIB)
    seen = desk.run("drift", "-e", "production")
    assert seen.exit_code == 2
    assert "memory_bytes: 1 GiB → 2 GiB" in seen.stdout
    assert f"{STACK}:" in seen.stdout
    healed = desk.run("sync", "-e", "production")
    assert healed.exit_code == 0
    assert "1 updated, all of it drift" in healed.stdout
    assert desk.run("drift", "-e", "production").exit_code == 0
    events = [each["event"] for each in desk.json("history", "-e", "production")["events"]]
    assert events == ["heal", "drift", "sync"]


def test_drift_is_what_hands_did_and_not_what_git_wants(desk: Desk) -> None:
    desk.edit(WEB, "size: 8 GiB", "size: 12 GiB")
    assert desk.run("drift", "-e", "production").exit_code == 0
    assert desk.run("plan", "-e", "production").exit_code == 2


def test_nothing_can_have_drifted_before_anything_was_applied(new_desk: Desk) -> None:
    done = new_desk.run("drift", "-e", "production")
    assert done.exit_code == 1
    assert "nothing was applied to production yet" in done.stderr


def test_a_host_that_does_not_answer_is_an_error_that_names_it(desk: Desk) -> None:
    desk.farm.add_fault(Fault(where="virt2"))
    for command in ("drift", "plan", "sync"):
        done = desk.run(command, "-e", "production")
        assert done.exit_code == 1, done.output
        assert "virt2" in done.stdout


def test_a_change_that_fails_is_told_with_its_reason(desk: Desk) -> None:
    desk.edit(WEB, "size: 8 GiB", "size: 12 GiB")
    desk.farm.add_fault(Fault(operation="grow_volume", mode="fails-before"))
    done = desk.run("sync", "-e", "production")
    assert done.exit_code == 1
    assert "! volume/web-1-data failed: " in done.stdout
    desk.farm.remove_faults()
    assert desk.run("sync", "-e", "production").exit_code == 0


def test_what_the_policy_only_reports_stays_and_is_said(desk: Desk) -> None:
    desk.settings.write_text(
        desk.settings.read_text("utf-8") + "policy: {production: {drift: report}}\n", "utf-8"
    )
    host = desk.host_of("production-web-1")
    by_hand.set_memory(desk.farm, host, "production-web-1", GIB)
    done = desk.run("sync", "-e", "production")
    assert done.exit_code == 2
    assert "held: drift is only reported" in done.stdout
    assert desk.farm.state.hosts[host].domains["production-web-1"].live.memory_bytes == GIB
    assert desk.run("status", "-e", "production").exit_code == 2


def test_a_machine_that_waits_for_a_restart_is_named(desk: Desk) -> None:
    for branch in ("staging", "development"):
        desk.git("branch", "-D", branch)
    desk.edit("stacks/database.yaml", "cpus: 4", "cpus: 6")
    done = desk.run("sync")
    assert "waiting for a restart: domain/db-1, domain/db-2" in done.stdout
    assert "PendingRestart=True" in desk.run("status", "-e", "production").stdout


def test_every_step_is_told_to_whoever_wants_to_know(desk: Desk) -> None:
    desk.edit(WEB, "size: 8 GiB", "size: 12 GiB")
    done = desk.run("sync", "-e", "production", "-v")
    assert "production: 1 changes" in done.stderr
    assert "grow volume production-web-1-data" in done.stderr
    assert "volume/web-1-data: done" in done.stderr


def test_the_status_says_how_each_environment_is(desk: Desk) -> None:
    done = desk.run("status")
    assert done.exit_code == 0
    assert done.stdout.count(": Ready\n") == 3
    commit = desk.edit(WEB, "size: 8 GiB", "size: 12 GiB")
    moved = desk.run("status", "-e", "production")
    assert moved.exit_code == 2
    assert f"the branch is at {commit[:7]}" in moved.stdout
    [found] = desk.json("status", "-e", "production")["environments"]
    assert (found["ready"], found["head"]) == (False, commit)
    assert {each["type"] for each in found["conditions"]} >= {"Ready", "Drifted", "PendingRestart"}


def test_the_status_of_what_was_never_synced(new_desk: Desk) -> None:
    done = new_desk.run("status", "-e", "staging")
    assert done.exit_code == 2
    assert "staging: never synced" in done.stdout
    assert new_desk.run("history", "-e", "staging").exit_code == 0


def test_the_history_is_as_long_as_wanted_and_shows_what_changed(desk: Desk) -> None:
    desk.edit(WEB, "size: 8 GiB", "size: 12 GiB")
    desk.run("sync", "-e", "production")
    assert len(desk.run("history", "-e", "production").stdout.splitlines()) == 2
    latest = desk.run("history", "-e", "production", "-n", "1", "--changes").stdout
    assert latest.count("sync(production)") == 1
    assert "update volume/web-1-data" in latest


def test_a_sync_does_not_disturb_a_running_loop(desk: Desk) -> None:
    from reconciler.daemon.lock import state_lock

    with state_lock(desk.root / "state"):
        done = desk.run("sync", "-e", "production")
    assert done.exit_code == 1
    assert "stop that process" in done.stderr


def test_options_that_contradict_each_other_are_refused(desk: Desk) -> None:
    assert desk.run("sync", "--all", "-e", "staging").exit_code == 1
    assert desk.run("sync", "--all", "--accept-history").exit_code == 1


def test_a_promotion_is_a_merge_and_a_plan_each(desk: Desk) -> None:
    commit = desk.edit(WEB, "size: 8 GiB", "size: 12 GiB", branch="development")
    for branch in ("development", "staging", "production"):
        desk.git("update-ref", f"refs/heads/{branch}", commit)
        plan = json.loads(desk.run("plan", "-e", branch, "--format", "json").stdout)
        assert [each["address"] for each in plan["changes"]] == ["volume/web-1-data"]
        assert desk.run("sync", "-e", branch).exit_code == 0
    assert desk.run("status").exit_code == 0
