"""The revert trap: what was rolled back comes again with the next ordinary merge, all of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.errors import GateClosed
from reconciler.gitops.flow.lost_work import lost_work
from reconciler.gitops.flow.undone import GitHistories
from tests.remotes.origin import git
from tests.scenes.releases import WEB, Releases
from tests.scenes.scene import GIB

MINUTES = 60.0
FIX = {"FIX.md": "mended\n"}
WORK = "memory: 3 GiB"


@pytest.fixture
def releases(tmp_path: Path) -> Releases:
    return Releases(tmp_path)


def roll_back(releases: Releases) -> str:
    """A bad release, and its rollback; gives the bad commit."""
    bad = releases.release_bad()
    releases.sync()
    releases.fail_for(11 * MINUTES)
    releases.farm.remove_faults()
    assert releases.memory() == 2 * GIB
    return bad


def assert_nothing_is_lost(releases: Releases) -> None:
    assert WORK in releases.text("production", WEB)
    assert releases.text("production", "FIX.md") == "mended"
    report = releases.sync()
    assert report.finding is None
    assert releases.memory() == 3 * GIB


def test_what_was_rolled_back_comes_with_the_next_ordinary_release(releases: Releases) -> None:
    roll_back(releases)
    releases.work(FIX, "Mend it")
    releases.merge("development", "staging")
    releases.merge("staging", "production")
    assert_nothing_is_lost(releases)


def test_the_lower_branches_keep_their_trees(releases: Releases) -> None:
    releases.release_bad()
    before = {
        name: releases.tree(releases.origin.head(name)) for name in ("staging", "development")
    }
    releases.sync()
    releases.fail_for(11 * MINUTES)
    for branch, tree in before.items():
        assert releases.tree(releases.origin.head(branch)) == tree
        assert releases.contains(branch, releases.origin.head("production") or "")


def test_a_protected_production_is_held_until_people_merge_the_rollback(
    releases: Releases,
) -> None:
    releases.protect("production")
    bad = roll_back(releases)
    assert releases.origin.head("production") == bad
    releases.merge(f"rollback/production/{bad[:7]}", "production")
    releases.sync()
    for branch in ("staging", "development"):
        assert releases.contains(branch, releases.origin.head(f"rollback/production/{bad[:7]}"))
    releases.work(FIX, "Mend it")
    releases.merge("development", "staging")
    releases.merge("staging", "production")
    assert_nothing_is_lost(releases)


@pytest.mark.parametrize("way", ["--squash", "rebase"])
def test_a_rollback_that_was_squashed_or_rebased_is_known_by_what_it_does(
    releases: Releases, way: str
) -> None:
    releases.protect("production")
    bad = roll_back(releases)
    beside = f"rollback/production/{bad[:7]}"
    if way == "--squash":
        releases.merge(beside, "production", "--squash")
    else:
        releases.pick(beside, "production")
    releases.sync()
    squashed = releases.origin.head("production") or ""
    assert squashed != releases.origin.head(beside)
    for branch in ("staging", "development"):
        assert releases.contains(branch, squashed)
    releases.work(FIX, "Mend it")
    releases.merge("development", "staging")
    releases.merge("staging", "production")
    assert_nothing_is_lost(releases)


def test_branches_that_take_nothing_get_branches_to_merge(releases: Releases) -> None:
    releases.protect("production", "staging", "development")
    bad = roll_back(releases)
    releases.merge(f"rollback/production/{bad[:7]}", "production")
    releases.sync()
    rollback = (releases.origin.head(f"rollback/production/{bad[:7]}") or "")[:7]
    for branch in ("staging", "development"):
        releases.merge(f"back-merge/{branch}/{rollback}", branch)
    releases.sync()
    releases.work(FIX, "Mend it")
    releases.merge("development", "staging")
    releases.merge("staging", "production")
    assert_nothing_is_lost(releases)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_hotfix_in_between_is_kept(releases: Releases, when: str) -> None:
    """A hotfix that only production has: what is below lacks it when the rollback comes back."""
    if when == "before":
        releases.work({"HOTFIX.md": "hot\n"}, "Hotfix", "production")
        releases.sync()
    roll_back(releases)
    if when == "after":
        releases.work({"HOTFIX.md": "hot\n"}, "Hotfix", "production")
    releases.sync()
    releases.merge_back_merges()
    releases.work(FIX, "Mend it")
    releases.merge("development", "staging")
    releases.merge("staging", "production")
    assert releases.text("production", "HOTFIX.md") == "hot"
    assert_nothing_is_lost(releases)


def take_back_with(releases: Releases, more: dict[str, str], *, is_said: bool) -> None:
    """A person squashes the rollback with something of their own, or reverts and mends at once."""
    releases.protect("production")
    beside = f"rollback/production/{roll_back(releases)[:7]}"
    message = releases.origin.git("log", "-1", "--format=%B", beside) if is_said else "Go back"
    good = f"{releases.text(beside, WEB)}\n"
    releases.work({WEB: good} | more, message, "production")
    releases.sync()


@pytest.mark.parametrize("is_said", [True, False], ids=["squashed", "reverted"])
def test_a_mend_in_the_commit_that_takes_back_is_kept(releases: Releases, is_said: bool) -> None:
    take_back_with(releases, {"HOTFIX.md": "hot\n"}, is_said=is_said)
    releases.merge_back_merges()
    releases.work(FIX, "Mend it")
    releases.merge("development", "staging")
    releases.merge("staging", "production")
    assert releases.text("production", "HOTFIX.md") == "hot"
    assert_nothing_is_lost(releases)


def test_a_mend_of_the_very_lines_is_left_to_people(
    releases: Releases, caplog: pytest.LogCaptureFixture
) -> None:
    mended = releases.text("production", WEB) + "\ncpus: 3\n"
    take_back_with(releases, {WEB: mended}, is_said=True)
    head = releases.origin.head("production") or ""
    assert f"on development: git merge --no-commit {head}" in caplog.text
    for branch in ("staging", "development"):
        assert not releases.contains(branch, head)


def test_a_merge_that_loses_work_is_refused_with_the_way_out(releases: Releases) -> None:
    """Nothing could be merged back: whoever releases now is told what would be missing."""
    releases.refuse_back_merges()
    roll_back(releases)
    releases.work(FIX, "Mend it")
    releases.merge("development", "staging")
    merged = releases.merge("staging", "production")
    report = releases.sync()
    assert report.refusal is not None
    assert isinstance(report.refusal.error, GateClosed)
    text = str(report.refusal.error)
    assert text.startswith("lost-work: the merge of ")
    assert WEB in text
    assert "git merge -s ours" in text
    assert releases.status().revision != merged
    rollback = releases.rollback_before(merged)
    releases.revert(rollback, "production")
    assert_nothing_is_lost(releases)


def test_lost_work_may_be_acknowledged(releases: Releases) -> None:
    releases.refuse_back_merges()
    roll_back(releases)
    releases.work(FIX, "Mend it")
    releases.merge("development", "staging")
    releases.merge("staging", "production")
    assert releases.sync().refusal is not None
    releases.work({"OK.md": "x\n"}, "Go\n\nReconciler-Allow: lost-work", "production")
    assert releases.sync().refusal is None
    assert releases.memory() == 2 * GIB


def test_a_merge_that_would_lose_work_is_known_before_it_is_made(releases: Releases) -> None:
    releases.refuse_back_merges()
    roll_back(releases)
    releases.work(FIX, "Mend it")
    heads = releases.site.source.refresh()
    histories = GitHistories(releases.site.source.mirror.git())
    [lost] = lost_work(histories, heads["development"], heads["production"])
    assert lost.paths == (WEB,)
    assert "leaves out the work of" in str(lost)
    assert lost_work(histories, heads["staging"], heads["development"]) == ()


@pytest.mark.parametrize("squash", [True, False])
def test_a_release_that_was_squashed_needs_nothing(releases: Releases, squash: bool) -> None:
    """Its commit is on production only: the work below was never merged for git."""
    text = (releases.clone / WEB).read_text("utf-8")
    releases.work({WEB: text + WORK + "\n"}, "Grow web-1")
    releases.merge("development", "staging")
    releases.merge("staging", "production", *(["--squash"] if squash else []))
    releases.refuse_changes()
    releases.sync()
    releases.fail_for(11 * MINUTES)
    releases.farm.remove_faults()
    releases.work(FIX, "Mend it")
    releases.merge("development", "staging", *(["--squash"] if squash else []))
    releases.merge("staging", "production", *(["--squash"] if squash else []))
    assert_nothing_is_lost(releases)


def test_a_second_rollback_of_the_same_work_is_merged_back_too(releases: Releases) -> None:
    roll_back(releases)
    releases.work({"TRY.md": "again\n"}, "Try again")
    releases.merge("development", "staging")
    releases.merge("staging", "production")
    releases.refuse_changes()
    releases.sync()
    releases.fail_for(11 * MINUTES)
    releases.farm.remove_faults()
    assert releases.memory() == 2 * GIB
    releases.work(FIX, "Mend it")
    releases.merge("development", "staging")
    releases.merge("staging", "production")
    assert releases.text("production", "TRY.md") == "again"
    assert_nothing_is_lost(releases)


def test_git_alone_would_have_lost_it(releases: Releases) -> None:
    """What the trap is: the same history without the merges back."""
    releases.refuse_back_merges()
    roll_back(releases)
    releases.work(FIX, "Mend it")
    releases.merge("development", "staging")
    releases.merge("staging", "production")
    assert WORK not in releases.text("production", WEB)
    assert git(releases.clone, "status", "--porcelain") == ""
