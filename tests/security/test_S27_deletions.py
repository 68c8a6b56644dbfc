"""S27: neither a careless commit nor an old acknowledgement gets data past the guards."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.drivers.simulated import by_hand
from reconciler.errors import GuardRefused
from reconciler.gitops.report import Report
from reconciler.model.change import Disruption
from reconciler.plan.policy import Policy
from tests.scenes.scene import Scene, example_files

MACHINE = "vms/web-1.yaml"
DATA = b"disks:\n  - {name: data, size: 8 GiB}\n"
ALLOW = "Change\n\nReconciler-Allow: disruption\n"


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    scene = Scene(tmp_path)
    scene.sync()
    return scene


def write(scene: Scene, disks: bytes, message: str = "Change") -> str:
    text = example_files()[MACHINE]
    assert DATA in text
    return scene.origin.commit("production", {MACHINE: text.replace(DATA, disks)}, message=message)


def capacity_bytes(scene: Scene, volume: str = "production-web-1-data") -> int | None:
    pools = (pool for host in scene.farm.state.hosts.values() for pool in host.pools.values())
    found = [pool.volumes[volume].capacity_bytes for pool in pools if volume in pool.volumes]
    return found[0] if found else None


def refused(report: Report) -> str:
    assert report.refusal is not None
    assert isinstance(report.refusal.error, GuardRefused)
    return str(report.refusal.error)


@pytest.mark.parametrize("by", ["undefine", "detach"])
def test_a_disk_that_was_taken_out_by_hand_is_not_deleted_unasked(scene: Scene, by: str) -> None:
    host, domain = scene.domain("production-web-1")
    if by == "undefine":
        by_hand.remove_domain(scene.farm, host, "production-web-1")
    else:
        without = replace(domain.definition, disks=domain.definition.disks[:1])
        by_hand.stop_domain(scene.farm, host, "production-web-1")
        by_hand.redefine(scene.farm, host, without)
        by_hand.start_domain(scene.farm, host, "production-web-1")
    write(scene, b"")
    assert "volume/web-1-data: deleting it costs data-loss" in refused(scene.sync())
    assert capacity_bytes(scene) is not None


def test_an_acknowledgement_does_not_go_below_the_operators_floor(scene: Scene) -> None:
    floor = Policy(max_disruption=Disruption.RESTART, records_percent=100)
    scene.site = replace(scene.site, floors=lambda _: floor)
    write(scene, DATA.replace(b"8 GiB", b"4 GiB"), ALLOW)
    assert "the operator's settings forbid it" in refused(scene.sync())
    assert capacity_bytes(scene) == 8 << 30


def test_an_acknowledgement_is_used_up_when_its_commit_is_ready(scene: Scene) -> None:
    revision = write(scene, DATA.replace(b"8 GiB", b"4 GiB"), ALLOW)
    assert scene.sync().refusal is None
    assert capacity_bytes(scene) == 4 << 30
    source = scene.site.source
    documents = source.documents("production", revision)
    before = source.head("production", "")
    assert before == revision
    assert source.policy(documents, revision, since=scene.status().ready_revision).allowed == set()
