"""What every hypervisor promises about snapshots."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.drivers.likeness import is_same_definition
from reconciler.errors import Conflict, NotFound
from tests.contract.bench import GIB, OTHER_OWNER, OWNER, POOL, Bench, definition, seed, volume


@pytest.mark.parametrize("running", [False, True])
def test_a_domain_goes_back_to_a_snapshot(bench: Bench, running: bool) -> None:
    before = bench.make("web", start=running, title="before")
    for _ in range(2):
        bench.hypervisor.snapshot_domain("web", "before-0123")
    assert bench.domain("web").snapshots == ("before-0123",)
    bench.hypervisor.stop_domain("web")
    changed = replace(before, memory_bytes=4 * GIB, title="after")
    bench.hypervisor.define_domain(changed, OTHER_OWNER)
    if not running:
        bench.hypervisor.start_domain("web")
    bench.hypervisor.revert_domain("web", "before-0123")
    seen = bench.domain("web")
    assert is_same_definition(before, seen.definition)
    assert (seen.running, seen.guest, seen.snapshots) == (running, None, ("before-0123",))
    assert seen.owner == OWNER


def test_a_second_snapshot_of_a_name_leaves_the_first(bench: Bench) -> None:
    before = bench.make("web")
    bench.hypervisor.snapshot_domain("web", "before")
    bench.hypervisor.define_domain(replace(before, vcpus=1), OWNER)
    bench.hypervisor.snapshot_domain("web", "before")
    bench.hypervisor.revert_domain("web", "before")
    assert bench.domain("web").definition.vcpus == 2


def test_a_snapshot_is_forgotten_and_the_domain_stays(bench: Bench) -> None:
    bench.make("web", start=True)
    before = bench.domain("web")
    bench.hypervisor.snapshot_domain("web", "before")
    for _ in range(2):
        bench.hypervisor.forget_snapshot("web", "before")
    assert bench.domain("web") == before
    with pytest.raises(NotFound, match="before"):
        bench.hypervisor.revert_domain("web", "before")


def test_a_disk_that_cannot_be_snapshotted_is_named(bench: Bench) -> None:
    bench.hypervisor.create_volume(volume("web-data", format="raw"), OWNER)
    bench.make("web")
    with pytest.raises(Conflict, match="data"):
        bench.hypervisor.snapshot_domain("web", "before")
    assert bench.domain("web").snapshots == ()


@pytest.mark.needs("upload")
def test_a_seed_does_not_hinder_a_snapshot(bench: Bench) -> None:
    bench.hypervisor.create_volume(seed("web-seed"), OWNER)
    wanted = definition("web")
    disk = replace(wanted.disks[0], name="seed", volume="web-seed", device="cdrom")
    bench.make("web", disks=(wanted.disks[0], disk), start=True)
    bench.hypervisor.snapshot_domain("web", "before")
    assert bench.domain("web").snapshots == ("before",)


def test_a_domain_is_undefined_with_its_snapshots(bench: Bench) -> None:
    bench.make("web")
    bench.hypervisor.snapshot_domain("web", "before")
    bench.hypervisor.undefine_domain("web")
    bench.make("web")
    assert bench.domain("web").snapshots == ()


def test_a_volume_with_a_snapshot_can_be_trashed(bench: Bench) -> None:
    bench.make("web")
    bench.hypervisor.snapshot_domain("web", "before")
    bench.hypervisor.undefine_domain("web")
    bench.hypervisor.trash_volume(POOL, "web-data")
    assert bench.volume_names() == {"web-root"}


def test_the_snapshot_of_nobody_is_forgotten(bench: Bench) -> None:
    bench.hypervisor.forget_snapshot("nobody", "before")
