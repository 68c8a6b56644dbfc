"""`review`: what a pull request would do, of branches as people have them."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.drivers.simulated import by_hand
from tests.remotes.origin import Origin
from tests.story.desk import STACK, WEB, Desk, program
from tests.story.reviewing import branch, merge, review

MAIL = "environments/production/vms/mail.yaml"
GIB = 1 << 30


def grow(desk: Desk, at: str, size: str = "12 GiB") -> str:
    return desk.edit(WEB, "size: 8 GiB", f"size: {size}", branch=at)


def describe(desk: Desk, at: str, text: str = "description: changed") -> str:
    """A change on the branch that changes nothing of the farm, elsewhere than `grow`."""
    return desk.edit(MAIL, "name: mail\n", f"name: mail\n{text}\n", branch=at)


def remember(desk: Desk, at: str) -> str:
    return desk.edit(STACK, "memory: 2 GiB", "memory: 3 GiB", branch=at)


def test_a_feature_branch_makes_what_it_says(desk: Desk) -> None:
    branch(desk, "feature/more")
    grow(desk, "feature/more")
    seen = review(desk, "feature/more")
    assert seen.done.exit_code == 0, seen.done.output
    assert seen.changes == {"volume/web-1-data"}
    assert seen.done.stdout.startswith("reconciler/production/plan: 1 change: 1 to update; digest ")
    assert seen.page.startswith("### Plan for `production`\n\n`feature/more` at `")
    assert "The world is what the journal knew on `" in seen.page


def test_of_a_branch_behind_its_target_the_merge_is_planned(desk: Desk) -> None:
    branch(desk, "feature/more")
    grow(desk, "feature/more")
    remember(desk, "production")
    assert desk.run("sync", "-e", "production").exit_code in {0, 2}
    seen = review(desk, "feature/more")
    assert seen.changes == {"volume/web-1-data"}
    assert "memory" not in seen.page.split("waiting already")[0]


def test_what_waits_already_is_told_apart(desk: Desk) -> None:
    branch(desk, "feature/more")
    grow(desk, "feature/more")
    remember(desk, "production")
    seen = review(desk, "feature/more")
    assert seen.changes == {"volume/web-1-data"}
    assert "waiting already, without this branch</summary>" in seen.page
    assert "domain/web-1" in seen.plan["background"]["already"]


def test_drift_that_the_journal_knows_is_told_apart(desk: Desk) -> None:
    by_hand.set_memory(desk.farm, desk.host_of("production-web-1"), "production-web-1", GIB)
    desk.edit(
        "environments/production/environment.yaml",
        "kind: Environment\n",
        "kind: Environment\ndrift: report\n",
    )
    assert desk.run("sync", "-e", "production").exit_code in {0, 1, 2}
    branch(desk, "feature/more")
    grow(desk, "feature/more")
    seen = review(desk, "feature/more")
    assert seen.changes == {"volume/web-1-data"}
    assert "1 drifted from what was applied</summary>" in seen.page
    assert "domain/web-1" in seen.words["drift"]


def test_conflicts_name_every_file_and_the_way_out(desk: Desk) -> None:
    branch(desk, "feature/more")
    grow(desk, "feature/more", "12 GiB")
    remember(desk, "feature/more")
    grow(desk, "production", "16 GiB")
    desk.edit(STACK, "memory: 2 GiB", "memory: 4 GiB")
    seen = review(desk, "feature/more")
    assert seen.done.exit_code == 1
    assert seen.done.exception is None or isinstance(seen.done.exception, SystemExit)
    for name in ("plan.md", "plan.json", "plan.junit.xml", "plan.sarif"):
        assert WEB in seen.text(name)
        assert STACK in seen.text(name)
        assert "merge production into feature/more" in seen.text(name)


def test_a_file_that_one_side_deleted_conflicts(desk: Desk) -> None:
    branch(desk, "feature/more")
    describe(desk, "feature/more")
    desk.put({MAIL: None})
    seen = review(desk, "feature/more")
    assert seen.done.exit_code == 1
    assert seen.plan["problems"][0]["source"]["file"] == MAIL


def test_a_file_that_only_the_branch_deleted_is_deleted(desk: Desk) -> None:
    branch(desk, "feature/less")
    desk.put({"environments/production/vms/backup.yaml": None}, "feature/less")
    remember(desk, "production")
    deleted = {
        each["address"]
        for each in review(desk, "feature/less").plan["changes"]
        if each["action"] == "delete"
    }
    assert "domain/backup" in deleted


def test_a_file_renamed_on_one_side_and_changed_on_the_other_is_merged(desk: Desk) -> None:
    text = desk.git("show", f"production:{WEB}") + "\n"
    branch(desk, "feature/tidy")
    desk.put({WEB: None, "vms/web/web-1.yaml": text}, "feature/tidy")
    grow(desk, "production")
    assert desk.run("sync", "-e", "production").exit_code in {0, 2}
    seen = review(desk, "feature/tidy")
    assert seen.done.exit_code == 0, seen.done.output
    assert seen.plan["changes"] == []


def test_a_branch_that_was_squashed_has_nothing_left_to_bring(desk: Desk) -> None:
    branch(desk, "feature/more")
    grow(desk, "feature/more")
    merge(desk, "production", "feature/more", squash=True)
    assert desk.run("sync", "-e", "production").exit_code in {0, 2}
    seen = review(desk, "feature/more")
    assert (seen.done.exit_code, seen.plan["changes"]) == (0, [])
    assert not seen.plan["background"]["merge"]["merged"]


def test_a_branch_that_was_merged_proposes_nothing(desk: Desk) -> None:
    branch(desk, "feature/more")
    grow(desk, "feature/more")
    merge(desk, "production", "feature/more")
    seen = review(desk, "feature/more")
    assert seen.plan["background"]["merge"]["merged"]
    assert seen.changes == set()
    assert "has all of `feature/more` already" in seen.page


def test_the_base_may_be_an_octopus(desk: Desk) -> None:
    for name in ("one", "two"):
        branch(desk, name)
    grow(desk, "one")
    remember(desk, "two")
    describe(desk, "production")
    merge(desk, "production", "one", "two")
    branch(desk, "feature/after")
    desk.edit(WEB, "size: 12 GiB", "size: 14 GiB", branch="feature/after")
    desk.edit(MAIL, "description: changed", "description: again")
    assert review(desk, "feature/after").changes == {"volume/web-1-data"}


def test_histories_that_cross_are_merged(desk: Desk) -> None:
    branch(desk, "feature/a")
    grow(desk, "feature/a")
    describe(desk, "production")
    before = desk.head("production")
    merge(desk, "production", "feature/a")
    branch(desk, "there", before)
    merge(desk, "feature/a", "there")
    desk.edit(WEB, "size: 12 GiB", "size: 14 GiB", branch="feature/a")
    remember(desk, "production")
    bases = desk.git("merge-base", "--all", "production", "feature/a").split()
    assert len(bases) == 2
    assert review(desk, "feature/a").done.exit_code == 0


def test_a_history_of_its_own_is_no_branch_of_the_farm(desk: Desk) -> None:
    other = Origin(desk.root / "other.git")
    other.commit("strange", {"farm.yaml": b"kind: Farm\n"})
    desk.git("fetch", "--quiet", str(other.path), "strange:strange")
    seen = review(desk, "strange")
    assert seen.done.exit_code == 1
    assert "no history in common" in seen.page
    assert "cherry-pick" in seen.page


def test_what_does_not_load_is_said_with_its_place(desk: Desk) -> None:
    branch(desk, "feature/typo")
    desk.edit(STACK, "memory: 2 GiB", "memmory: 2 GiB", branch="feature/typo")
    seen = review(desk, "feature/typo")
    assert seen.done.exit_code == 1
    [problem, *_] = seen.plan["problems"]
    assert problem["source"]["file"] == STACK
    assert f"{STACK}:{problem['source']['line']}:{problem['source']['column']}" in seen.page


def test_a_plan_that_is_refused_fails_with_the_way_out(desk: Desk) -> None:
    branch(desk, "feature/less")
    names = ("backup", "app-2", "db-2")
    desk.put({f"environments/production/vms/{name}.yaml": None for name in names}, "feature/less")
    seen = review(desk, "feature/less")
    assert seen.done.exit_code == 1
    assert "reconciler/production/plan: refused" in seen.done.stdout
    assert "Reconciler-Allow: mass-deletion" in seen.page


def test_a_target_that_feeds_no_environment_is_validated(desk: Desk) -> None:
    branch(desk, "topic")
    branch(desk, "feature/typo")
    assert review(desk, "feature/typo", into="topic").done.exit_code == 0
    desk.edit(STACK, "memory: 2 GiB", "memmory: 2 GiB", branch="feature/typo")
    seen = review(desk, "feature/typo", into="topic")
    assert seen.done.exit_code == 1
    assert seen.done.stdout.startswith("reconciler/validate: ")


def test_before_the_journal_begins_everything_is_new_and_that_is_said(new_desk: Desk) -> None:
    branch(new_desk, "feature/more")
    grow(new_desk, "feature/more")
    seen = review(new_desk, "feature/more")
    assert seen.done.exit_code == 0, seen.done.output
    assert "has not begun" in seen.words["journal"]
    assert "The world is taken for empty" in seen.page


def test_an_environment_that_is_not_ready_is_said_to_be(desk: Desk) -> None:
    desk.edit(STACK, "memory: 2 GiB", "memmory: 2 GiB")
    assert desk.run("sync", "-e", "production").exit_code == 1
    branch(desk, "feature/mend")
    desk.edit(STACK, "memmory: 2 GiB", "memory: 2 GiB", branch="feature/mend")
    seen = review(desk, "feature/mend")
    assert seen.done.exit_code == 0, seen.done.output
    assert "has no key 'memmory'" in seen.words["not-ready"]
    assert "**Before it is merged**" in seen.page


def test_rolled_back_work_that_the_merge_would_leave_out_is_said(desk: Desk) -> None:
    good = desk.head("production")
    branch(desk, "feature/more")
    grow(desk, "feature/more")
    bad = merge(desk, "production", "feature/more")
    take_back(desk, good, bad)
    describe(desk, "feature/more")
    seen = review(desk, "feature/more")
    assert seen.done.exit_code == 0, "a note is no failure"
    assert seen.changes.isdisjoint({"volume/web-1-data"})
    assert WEB in seen.words["lost-work"]
    assert "git merge -s ours" in seen.page


def take_back(desk: Desk, good: str, bad: str) -> None:
    """A rollback as the reconciler makes it: the tree of the good commit, on top of the bad one."""
    message = f"Roll back\n\nReconciler-Reverts: {bad}\nReconciler-Restores: {good}\n"
    who = ("-c", "user.name=reconciler", "-c", "user.email=reconciler@localhost")
    commit = desk.git(*who, "commit-tree", f"{good}^{{tree}}", "-p", bad, "-m", message)
    desk.git("update-ref", "refs/heads/production", commit)


def test_what_the_commit_will_have_to_wait_for_is_said(desk: Desk) -> None:
    branch(desk, "feature/more")
    path = "environments/production/environment.yaml"
    desk.edit(
        path,
        "kind: Environment\n",
        "kind: Environment\ngates: {approvals: 1, signatures: head}\n",
        branch="feature/more",
    )
    grow(desk, "feature/more")
    seen = review(desk, "feature/more")
    assert seen.done.exit_code == 0, seen.done.output
    assert {"approval", "signature"} <= seen.words.keys()
    assert "approve/production/" in seen.page


def test_no_branch_takes_away_the_gates_that_it_has_to_pass(desk: Desk) -> None:
    path, gates = "environments/production/environment.yaml", "gates: {approvals: 1}\n"
    desk.edit(path, "kind: Environment\n", f"kind: Environment\n{gates}")
    branch(desk, "feature/free")
    desk.edit(path, gates, "", branch="feature/free")
    assert "approval" in review(desk, "feature/free").words


def test_an_environment_that_is_held_is_said_to_be(desk: Desk) -> None:
    why = ("--reason", "disks are being swapped", "--by", "Ada")
    assert desk.run("hold", "production", *why).exit_code == 0
    branch(desk, "feature/more")
    grow(desk, "feature/more")
    seen = review(desk, "feature/more")
    assert "disks are being swapped" in seen.words["hold"]
    assert "reconciler release production" in seen.page


def test_changes_fail_a_job_only_where_that_is_asked_for(desk: Desk) -> None:
    branch(desk, "feature/more")
    assert review(desk, "feature/more", "--fail-on", "changes").done.exit_code == 0
    grow(desk, "feature/more")
    assert review(desk, "feature/more").done.exit_code == 0
    assert review(desk, "feature/more", "--fail-on", "changes").done.exit_code == 2


def test_a_branch_of_a_fork_is_named_by_its_commit(desk: Desk) -> None:
    branch(desk, "review/head")
    commit = grow(desk, "review/head")
    seen = review(desk, "production", "--revision", commit)
    assert seen.changes == {"volume/web-1-data"}
    assert seen.page.startswith("### Plan for `production`\n\n`production` at `" + commit[:7])


@pytest.mark.parametrize("into", ["nowhere", "", "-x"])
def test_there_must_be_something_to_merge_into(desk: Desk, into: str) -> None:
    seen = review(desk, "production", into=into)
    assert seen.done.exit_code == 1
    assert "to merge into" in seen.done.stderr


def test_a_link_in_place_of_the_directory_leads_nowhere(desk: Desk, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (desk.root / "out").symlink_to(elsewhere)
    assert review(desk, "staging").done.exit_code == 1
    assert list(elsewhere.iterdir()) == []


def test_a_link_in_place_of_a_file_is_replaced(desk: Desk, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("kept", "utf-8")
    (desk.root / "out").mkdir()
    (desk.root / "out/plan.md").symlink_to(precious)
    assert review(desk, "staging").done.exit_code == 0
    assert precious.read_text("utf-8") == "kept"


def test_without_a_forge_nothing_is_posted_and_that_is_said(desk: Desk) -> None:
    assert "nothing is posted" in review(desk, "staging", "--pull-request", "3").done.stderr
    options = ("--forge", "github", "--forge-project", "o/n", "--pull-request", "3")
    assert "no token" in review(desk, "staging", *options).done.stderr


def test_plan_shows_the_merge_too_unless_told_otherwise(desk: Desk) -> None:
    branch(desk, "feature/more")
    grow(desk, "feature/more")
    remember(desk, "production")
    places = ("--repo", str(desk.remote), "--state", str(desk.root / "ci"))
    what = ("--branch", "feature/more", "-e", "production", "--world", "journal")
    merged = program("plan", *places, *what).stdout
    assert "feature/more at " in merged
    assert "domain/web-1" in merged
    alone = program("plan", *places, *what, "--no-merge").stdout
    assert "Plan for production at " in alone
    assert "domain/web-1" not in alone


@pytest.mark.parametrize("form", ["text", "json", "markdown", "junit", "sarif"])
def test_plan_tells_of_conflicts_in_every_format(desk: Desk, form: str) -> None:
    branch(desk, "feature/more")
    grow(desk, "feature/more", "12 GiB")
    grow(desk, "production", "16 GiB")
    done = desk.run(
        "plan",
        "--branch",
        "feature/more",
        "-e",
        "production",
        "--world",
        "journal",
        "--format",
        form,
    )
    assert done.exit_code == 1
    assert WEB in (done.stderr if form == "text" else done.stdout)
    assert "merge production into feature/more" in done.output
