"""F26: a release fails: what it changed goes back, disks and deleted volumes with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.drivers.simulated.faults import Fault
from reconciler.drivers.simulated.state import Volume
from tests.scenes.releases import POLICY, WEB, Releases
from tests.scenes.scene import GIB

MINUTES = 60.0
BACKUP = "environments/production/vms/backup.yaml"
ALLOWED = "Reconciler-Allow: mass-record-change\nReconciler-Allow: disruption"


@pytest.fixture
def releases(tmp_path: Path) -> Releases:
    """A production that snapshots machines before it restarts them."""
    releases = Releases(tmp_path)
    policy = releases.text("production", POLICY)
    careful = {POLICY: f"{policy}\nsnapshot_before: restart\n"}
    releases.work(careful, "Be careful", "production")
    assert releases.sync().finding is None
    return releases


def grow(releases: Releases, memory: str) -> str:
    text = releases.text("production", WEB)
    kept = "\n".join(line for line in text.splitlines() if not line.startswith("memory:"))
    return releases.work({WEB: f"{kept}\nmemory: {memory}\n"}, f"Grow to {memory}", "production")


def snapshots(releases: Releases) -> list[str]:
    return sorted(releases.domain("production-web-1")[1].snapshots)


def calls(releases: Releases, operation: str) -> list[str]:
    return [call.machines[0] for call in releases.farm.log if call.operation == operation]


def test_F26_a_machine_goes_back_to_the_snapshot_from_before_the_change(releases: Releases) -> None:
    host, before = releases.domain("production-web-1")
    releases.farm.add_fault(Fault(where=host, operation="start_domain", mode="fails-before"))
    grow(releases, "3 GiB")
    releases.sync()
    assert len(snapshots(releases)) == 1
    releases.fail_for(5 * MINUTES)
    releases.farm.remove_faults()
    releases.farm.add_fault(Fault(where=host, operation="start_domain", mode="fails-before"))
    releases.fail_for(6 * MINUTES)
    assert calls(releases, "revert_domain") == [host]
    assert releases.domain("production-web-1")[1].definition == before.definition
    assert releases.domain("production-web-1")[1].running
    releases.sync()
    assert snapshots(releases) == [], "all is well, so nobody needs it any more"


def test_F26_of_several_attempts_the_first_snapshot_counts(releases: Releases) -> None:
    host, before = releases.domain("production-web-1")
    releases.farm.add_fault(Fault(where=host, operation="start_domain", mode="fails-before"))
    grow(releases, "3 GiB")
    releases.sync()
    [first] = snapshots(releases)
    grow(releases, "4 GiB")
    releases.sync()
    assert snapshots(releases) == [first]
    releases.fail_for(11 * MINUTES)
    assert releases.domain("production-web-1")[1].definition == before.definition


def test_F26_a_snapshot_is_kept_while_something_else_of_the_commit_fails(
    releases: Releases,
) -> None:
    """The machine itself is well; what fails is another one of the same commit."""
    web, before = releases.domain("production-web-1")
    db, _ = releases.domain("production-db-1")
    assert web != db
    releases.farm.add_fault(Fault(where=db, operation="define_domain", mode="fails-before"))
    text = releases.text("production", "vms/db-1.yaml")
    releases.work({"vms/db-1.yaml": f"{text}\ncpus: 3\n"}, "More", "production")
    grow(releases, "3 GiB")
    for _ in range(3):
        releases.fail_for(2 * MINUTES)
        assert len(snapshots(releases)) == 1
    assert releases.memory() == 3 * GIB
    releases.fail_for(11 * MINUTES)
    assert calls(releases, "revert_domain") == [web]
    assert releases.domain("production-web-1")[1].definition == before.definition


def test_F26_a_machine_that_was_deleted_comes_back_with_its_disks(releases: Releases) -> None:
    host, before = releases.domain("production-backup")
    disks = volumes(releases, host)
    assert disks
    others = ("web-1", "db-1", "app-1")
    other = next(n for n in others if releases.domain(f"production-{n}")[0] != host)
    at, _ = releases.domain(f"production-{other}")
    path = f"vms/{other}.yaml"
    text = releases.text("production", path)
    files: dict[str, str | None] = {BACKUP: None, path: f"{text}\ncpus: 3\n"}
    releases.farm.add_fault(Fault(where=at, operation="define_domain", mode="fails-before"))
    releases.work(files, f"Remove the backup\n\n{ALLOWED}", "production")
    releases.sync()
    assert not volumes(releases, host)
    releases.fail_for(11 * MINUTES)
    assert releases.domain("production-backup")[1].definition == before.definition
    assert volumes(releases, host).keys() == disks.keys()
    assert calls(releases, "restore_volume") == [host] * len(disks)


def volumes(releases: Releases, host: str) -> dict[str, Volume]:
    pool = releases.farm.state.hosts[host].pools["default"]
    return {name: each for name, each in pool.volumes.items() if "production-backup" in name}


def test_F26_the_plan_back_says_what_it_takes_from_snapshots(releases: Releases) -> None:
    host, _ = releases.domain("production-web-1")
    releases.farm.add_fault(Fault(where=host, operation="start_domain", mode="fails-before"))
    grow(releases, "3 GiB")
    releases.sync()
    report = releases.fail_for(11 * MINUTES)
    assert report.before is not None
    steps = [str(step) for change in report.before.plan.active for step in change.operations]
    assert [step for step in steps if step.startswith("revert production-web-1 on ")]
