"""A bad release, and the way back: what the reconciler does to git and to the farm."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reconciler.drivers.simulated.faults import Fault
from reconciler.engine.consequence import Consequence
from reconciler.errors import RolledBack
from reconciler.gitops.flow.back_merge import BackMerges
from reconciler.gitops.flow.rollback import Rollbacks
from reconciler.gitops.report import Report
from reconciler.gitops.signing import SigningKey
from reconciler.gitops.stream import Identity
from reconciler.model.condition import ConditionType
from tests.remotes.origin import git
from tests.scenes.releases import POLICY, WEB, Releases
from tests.scenes.scene import GIB

MINUTES = 60.0
THREE = "memory: 3 GiB\n"


@pytest.fixture
def releases(tmp_path: Path) -> Releases:
    """A production that is Ready, and takes back what fails for ten minutes."""
    return Releases(tmp_path)


def conditions(releases: Releases) -> dict[str, str]:
    return {each.type: each.reason for each in releases.status().conditions}


def refusal(report: Report) -> str:
    assert report.refusal is not None
    assert isinstance(report.refusal.error, RolledBack)
    assert report.consequence is Consequence.STALL
    return str(report.refusal.error)


def roll_back(releases: Releases) -> str:
    bad = releases.release_bad()
    releases.sync()
    releases.fail_for(11 * MINUTES)
    return bad


def test_a_release_that_fails_for_too_long_is_taken_back(releases: Releases) -> None:
    good = releases.origin.head("production")
    bad = releases.release_bad()
    releases.sync()
    releases.fail_for(9 * MINUTES)
    assert releases.origin.head("production") == bad, "at first it is tried again"
    report = releases.fail_for(2 * MINUTES)
    assert report.finding is None
    rollback = releases.origin.head("production") or ""
    assert releases.parents(rollback) == [bad]
    assert releases.tree(rollback) == releases.tree(good)
    assert releases.memory() == 2 * GIB
    assert releases.events()[-3:] == ["fail", "rollback", "sync"]
    assert conditions(releases)[ConditionType.ROLLED_BACK] == "RolledBack"
    assert conditions(releases)[ConditionType.READY] == "ReconciliationSucceeded"


def test_the_commit_says_what_was_taken_back_and_why(releases: Releases) -> None:
    bad = roll_back(releases)
    message = releases.origin.git("log", "-1", "--format=%B", "production")
    assert message.startswith("Revert \"Merge branch 'staging' into production\"")
    assert "Grow web-1 (Ada)" in message
    assert "[skip ci]" not in message
    trailers = releases.origin.git("log", "-1", "--format=%(trailers:only)", "production")
    assert f"Reconciler-Reverts: {bad}" in trailers
    assert f"Reconciler-Restores: {releases.parents(bad)[0]}" in trailers
    assert "Reconciler-Reason: ApplyFailed: domain/web-1: " in trailers
    assert "Reconciler-Environment: production" in trailers
    note = releases.origin.git("notes", "--ref=reconciler/production", "show", bad)
    assert "rollback: taken back to" in note


def test_the_next_commit_of_people_is_followed_by_itself(releases: Releases) -> None:
    roll_back(releases)
    releases.farm.remove_faults()
    text = (releases.clone / WEB).read_text("utf-8")
    releases.work({WEB: text.replace(THREE, "") + "cpus: 3\n"}, "Another way", "production")
    assert releases.sync().finding is None
    assert ConditionType.ROLLED_BACK not in conditions(releases)


def test_the_revert_of_a_rollback_stays_refused_until_it_is_acknowledged(
    releases: Releases,
) -> None:
    bad = roll_back(releases)
    releases.farm.remove_faults()
    rollback = releases.origin.head("production") or ""
    again = releases.revert(rollback, "production")
    assert releases.tree(again) == releases.tree(bad)
    assert "quarantine: " in refusal(releases.sync())
    assert releases.origin.head("production") == again, "there is one rollback for each bad commit"
    assert releases.memory() == 2 * GIB
    message = "Try again\n\nReconciler-Allow: quarantine"
    releases.work({}, message, "production")
    assert releases.sync().finding is None
    assert releases.memory() == 3 * GIB


def test_a_protected_branch_is_held_at_the_good_commit(releases: Releases) -> None:
    releases.protect("production")
    good = releases.origin.head("production")
    bad = roll_back(releases)
    assert releases.origin.head("production") == bad
    beside = releases.origin.head(f"rollback/production/{bad[:7]}") or ""
    assert releases.parents(beside) == [bad]
    assert releases.memory() == 2 * GIB
    assert f"merge the branch rollback/production/{bad[:7]}" in refusal(releases.sync())
    status = releases.status()
    assert (status.revision, status.refused) == (good, bad)
    assert status.hold
    assert conditions(releases)[ConditionType.STALLED] == "RolledBack"
    events = releases.events()
    releases.fail_for(60 * MINUTES)
    assert releases.events() == events, "it is said once"
    releases.farm.remove_faults()
    releases.merge(f"rollback/production/{bad[:7]}", "production")
    assert releases.sync().finding is None
    assert releases.status().hold is None


def test_where_no_push_is_taken_at_all_the_farm_is_brought_back_nevertheless(
    releases: Releases,
) -> None:
    releases.origin.hook(
        "update", "case $1 in refs/heads/reconciler/*|refs/notes/*) exit 0;; esac\nexit 1"
    )
    releases.release_unchecked()
    releases.sync()
    releases.fail_for(11 * MINUTES)
    assert releases.memory() == 2 * GIB
    (releases.origin.path / "hooks/update").unlink()
    bad = releases.origin.head("production") or ""
    releases.sync()
    assert releases.parents(releases.origin.head("production") or "") == [bad]


def test_while_the_remote_is_away_the_farm_is_brought_back_and_git_follows_later(
    releases: Releases,
) -> None:
    bad = releases.release_bad()
    releases.sync()
    releases.origin.path.rename(releases.root / "away.git")
    releases.clock.sleep(11 * MINUTES)
    releases.keep()
    assert releases.memory() == 2 * GIB
    (releases.root / "away.git").rename(releases.origin.path)
    releases.restart()
    assert releases.sync().finding is None
    assert releases.parents(releases.origin.head("production") or "") == [bad]


def test_a_host_that_does_not_answer_never_causes_a_rollback(releases: Releases) -> None:
    bad = releases.release_bad()
    releases.farm.remove_faults()
    host, _ = releases.domain("production-web-1")
    releases.farm.add_fault(Fault(where=host, mode="unreachable"))
    for _ in range(4):
        releases.fail_for(30 * MINUTES)
    assert releases.origin.head("production") == bad
    assert "rollback" not in releases.events()


def test_where_it_is_left_to_people_nothing_is_taken_back(releases: Releases) -> None:
    text = releases.text("development", POLICY).replace("automatic", "manual")
    releases.work({POLICY: text + "\n"}, "By hand")
    bad = releases.release_bad()
    releases.sync()
    releases.fail_for(600 * MINUTES)
    assert releases.origin.head("production") == bad


def test_a_rollback_is_signed_with_the_operators_key(releases: Releases) -> None:
    key = releases.root / "key"
    new = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)]
    subprocess.run(new, check=True, timeout=60)
    allowed = releases.root / "allowed"
    allowed.write_text("reconciler@farm.internal " + key.with_suffix(".pub").read_text("utf-8"))
    rollbacks = releases.site.rollbacks
    assert rollbacks is not None
    identity = Identity("reconciler", "reconciler@farm.internal")
    signed = BackMerges(Rollbacks(releases.site.source, identity, SigningKey(key)))
    releases.use(signed)
    roll_back(releases)
    setting = f"gpg.ssh.allowedSignersFile={allowed}"
    for branch in ("production", "development"):
        git(releases.origin.path, "-c", setting, "verify-commit", branch)


def test_the_same_rollback_is_the_same_commit(releases: Releases) -> None:
    bad = releases.release_bad()
    releases.sync()
    rollbacks = releases.site.rollbacks
    assert rollbacks is not None
    makes = rollbacks.rollbacks
    good = releases.parents(bad)[0]
    when = datetime(2025, 6, 2, tzinfo=UTC)
    decided = makes.decide("production", bad, good, "why", when)
    assert makes.commit("production", bad, decided) == makes.commit("production", bad, decided)
