"""F27: the rollback of a commit fails as well: held there, tried again, and never further back."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.drivers.simulated.faults import Fault
from tests.scenes.releases import Releases

MINUTES = 60.0


@pytest.fixture
def stuck(tmp_path: Path) -> Releases:
    """Production was taken back, and now its machines cannot be made what they were."""
    releases = Releases(tmp_path)
    releases.release_bad()
    releases.farm.remove_faults()
    db, _ = releases.domain("production-db-1")
    web, _ = releases.domain("production-web-1")
    assert web != db
    releases.work(
        {"vms/db-1.yaml": releases.text("production", "vms/db-1.yaml") + "\ncpus: 3\n"},
        "More",
        "production",
    )
    releases.farm.add_fault(Fault(where=db, operation="define_domain", mode="fails-before"))
    releases.sync()
    assert releases.memory() == 3 << 30
    releases.farm.add_fault(Fault(where=web, operation="define_domain", mode="fails-before"))
    releases.fail_for(11 * MINUTES)
    return releases


def test_F27_there_is_one_rollback_however_long_it_fails(stuck: Releases) -> None:
    head = stuck.origin.head("production")
    for _ in range(5):
        stuck.fail_for(60 * MINUTES)
    assert stuck.origin.head("production") == head
    assert stuck.events().count("rollback") == 1
    assert stuck.memory() == 3 << 30


def test_F27_it_says_that_people_are_needed(stuck: Releases) -> None:
    status = stuck.status()
    assert status.hold is not None
    assert status.hold.startswith("the way back to ")
    assert "domain/web-1" in status.hold


def test_F27_the_evidence_is_kept(stuck: Releases) -> None:
    [rollback] = stuck.status().quarantined
    assert rollback.commit in stuck.origin.git("rev-list", "production").split()
    assert "domain/db-1" in rollback.reason
    assert rollback.good == stuck.status().ready_revision


def test_F27_it_ends_well_when_the_farm_can_again(stuck: Releases) -> None:
    stuck.farm.remove_faults()
    assert stuck.sync().finding is None
    assert stuck.memory() == 2 << 30
    assert stuck.status().hold is None
