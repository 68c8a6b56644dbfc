"""Snapshots of real guests: kept before something risky, gone back to, and forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.errors import Conflict, NotFound
from reconciler.ports.hypervisor import Disk, DomainState, Hypervisor, NewVolume
from tests.system.driven import MIB, OWNER, POOL, driven, make_tiny, tiny
from tests.system.lab import Lab, LabHost, ask_guest, await_guest, eventually

ADDRESS = "10.213.8.92"
NAME = "careful"
BEFORE = "before-0123456789abcdef"


@pytest.fixture
def hypervisor(lab: Lab, virthost: LabHost, tmp_path: Path) -> Iterator[Hypervisor]:
    with driven(lab, tmp_path) as farm:
        yield farm.hypervisor(virthost.name)


def seen(hypervisor: Hypervisor) -> DomainState:
    (state,) = (each for each in hypervisor.domains() if each.definition.name == NAME)
    return state


def capacity(hypervisor: Hypervisor) -> int:
    return next(each for each in hypervisor.volumes() if each.name == f"{NAME}-root").capacity_bytes


def test_a_guest_goes_back_with_memory_disk_and_definition(
    lab: Lab, hypervisor: Hypervisor
) -> None:
    wanted = make_tiny(lab, hypervisor, NAME, ADDRESS, vcpus_maximum=2)
    before = await_guest(ADDRESS)
    for _ in range(2):
        hypervisor.snapshot_domain(NAME, BEFORE)
    assert seen(hypervisor).snapshots == (BEFORE,)
    assert seen(hypervisor).running
    hypervisor.define_domain(replace(wanted, vcpus=2, title="new"), OWNER)
    hypervisor.adjust_guest(NAME)
    hypervisor.grow_volume(POOL, f"{NAME}-root", 300 * MIB)
    later = eventually(lambda: at_least(before.ticks + 10))
    hypervisor.revert_domain(NAME, BEFORE)
    after = await_guest(ADDRESS)
    assert (after.boot_id, after.boots, after.cpus) == (before.boot_id, before.boots, 1)
    assert before.ticks <= after.ticks < later
    state = seen(hypervisor)
    assert (state.running, state.guest) == (True, None)
    assert (state.definition.vcpus, state.definition.title) == (1, "")
    assert capacity(hypervisor) == 256 * MIB


def at_least(ticks: int) -> int | None:
    status = ask_guest(ADDRESS)
    return status.ticks if status and status.ticks >= ticks else None


def test_a_domain_that_is_off_goes_back_to_being_off(lab: Lab, hypervisor: Hypervisor) -> None:
    make_tiny(lab, hypervisor, NAME, ADDRESS)
    first = await_guest(ADDRESS)
    hypervisor.stop_domain(NAME)
    hypervisor.snapshot_domain(NAME, BEFORE)
    hypervisor.start_domain(NAME)
    assert await_guest(ADDRESS).boots == first.boots + 1
    hypervisor.revert_domain(NAME, BEFORE)
    assert not seen(hypervisor).running
    hypervisor.start_domain(NAME)
    assert await_guest(ADDRESS).boots == first.boots + 1


def test_snapshots_of_others_are_neither_seen_nor_touched(
    lab: Lab, virthost: LabHost, hypervisor: Hypervisor
) -> None:
    make_tiny(lab, hypervisor, NAME, ADDRESS)
    hypervisor.snapshot_domain(NAME, BEFORE)
    virthost.run("virsh", "snapshot-create-as", NAME, "by-hand")
    assert seen(hypervisor).snapshots == (BEFORE,)
    for _ in range(2):
        hypervisor.forget_snapshot(NAME, BEFORE)
    assert seen(hypervisor).snapshots == ()
    assert virthost.run("virsh", "snapshot-list", "--name", NAME).split() == ["by-hand"]
    with pytest.raises(NotFound):
        hypervisor.revert_domain(NAME, BEFORE)


def test_a_disk_that_cannot_be_snapshotted_is_named(hypervisor: Hypervisor) -> None:
    hypervisor.create_volume(NewVolume(POOL, f"{NAME}-root", "qcow2", 16 * MIB), OWNER)
    hypervisor.create_volume(NewVolume(POOL, f"{NAME}-data", "raw", 16 * MIB), OWNER)
    disks = tuple(Disk(name, POOL, f"{NAME}-{name}") for name in ("root", "data"))
    hypervisor.define_domain(tiny(NAME, ADDRESS, disks=disks), OWNER)
    with pytest.raises(Conflict, match=r"disk data \(default/careful-data\) is raw"):
        hypervisor.snapshot_domain(NAME, BEFORE)
    assert seen(hypervisor).snapshots == ()
