"""Guests go from host to host, and a move that was cut off comes to an end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.drivers.farm import RealFarm
from reconciler.errors import Conflict, DriverError
from reconciler.ports.hypervisor import DomainState, NewVolume
from tests.system.driven import MIB, OWNER, POOL, driven, make_tiny
from tests.system.lab import Lab, LabHost, await_guest

ADDRESS = "10.213.8.77"
NAME = "mover"


@pytest.fixture
def farm(lab: Lab, virthosts: tuple[LabHost, LabHost], tmp_path: Path) -> Iterator[RealFarm]:
    with driven(lab, tmp_path) as farm:
        yield farm


def state(farm: RealFarm, host: str) -> DomainState | None:
    found = {each.definition.name: each for each in farm.hypervisor(host).domains()}
    return found.get(NAME)


def volumes(farm: RealFarm, host: str) -> set[str]:
    return {each.name for each in farm.hypervisor(host).volumes() if each.owner == OWNER}


def check_arrived(farm: RealFarm, *, running: bool) -> None:
    """It is on virt2 with all that is its own, and nothing is left on virt1."""
    there = state(farm, "virt2")
    assert there is not None
    assert (there.running, there.owner, there.moving_to) == (running, OWNER, None)
    assert state(farm, "virt1") is None
    assert volumes(farm, "virt2") == {f"{NAME}-root", f"{NAME}-seed"}
    assert volumes(farm, "virt1") == set()


def test_a_running_guest_moves_without_noticing(lab: Lab, farm: RealFarm) -> None:
    here = farm.hypervisor("virt1")
    make_tiny(lab, here, NAME, ADDRESS)
    here.set_autostart(NAME, autostart=True)
    before = await_guest(ADDRESS)
    here.migrate_domain(NAME, "virt2")
    after = await_guest(ADDRESS)
    assert (after.boots, after.boot_id) == (before.boots, before.boot_id)
    assert after.ticks >= before.ticks
    check_arrived(farm, running=True)
    there = state(farm, "virt2")
    assert there is not None
    assert there.autostart
    assert there.guest is None


def test_a_moved_guest_keeps_its_disk_and_starts_again_from_it(lab: Lab, farm: RealFarm) -> None:
    make_tiny(lab, farm.hypervisor("virt1"), NAME, ADDRESS)
    before = await_guest(ADDRESS)
    farm.hypervisor("virt1").migrate_domain(NAME, "virt2")
    there = farm.hypervisor("virt2")
    there.stop_domain(NAME)
    there.start_domain(NAME)
    after = await_guest(ADDRESS)
    assert after.boots == before.boots + 1
    assert after.ticks >= before.ticks


def test_a_domain_that_is_off_moves_with_its_disks(lab: Lab, farm: RealFarm) -> None:
    here = farm.hypervisor("virt1")
    make_tiny(lab, here, NAME, ADDRESS)
    before = await_guest(ADDRESS)
    here.stop_domain(NAME)
    here.migrate_domain(NAME, "virt2")
    check_arrived(farm, running=False)
    farm.hypervisor("virt2").start_domain(NAME)
    after = await_guest(ADDRESS)
    assert after.boots == before.boots + 1
    assert after.ticks >= before.ticks


def test_moving_again_what_has_arrived_changes_nothing(lab: Lab, farm: RealFarm) -> None:
    make_tiny(lab, farm.hypervisor("virt1"), NAME, ADDRESS)
    for _ in range(2):
        farm.hypervisor("virt1").migrate_domain(NAME, "virt2")
        check_arrived(farm, running=True)


def test_a_volume_of_somebody_else_is_never_overwritten(lab: Lab, farm: RealFarm) -> None:
    here, there = farm.hypervisor("virt1"), farm.hypervisor("virt2")
    make_tiny(lab, here, NAME, ADDRESS)
    foreign = NewVolume(POOL, f"{NAME}-root", "qcow2", 64 * MIB)
    there.create_volume(foreign, type(OWNER)("staging", "other", "d"))
    with pytest.raises(Conflict, match="virt2 has a volume mover-root in pool default already"):
        here.migrate_domain(NAME, "virt2")
    (kept,) = [each for each in there.volumes() if each.name == f"{NAME}-root"]
    assert kept.capacity_bytes == 64 * MIB
    now = state(farm, "virt1")
    assert now is not None
    assert now.running


def test_a_volume_that_no_domain_uses_is_sent(farm: RealFarm) -> None:
    here, there = farm.hypervisor("virt1"), farm.hypervisor("virt2")
    here.create_volume(NewVolume(POOL, "lonely", "qcow2", 64 * MIB), OWNER)
    for _ in range(2):
        here.send_volume(POOL, "lonely", "virt2")
        assert volumes(farm, "virt1") == set()
    (sent,) = there.volumes()
    assert (sent.name, sent.format, sent.capacity_bytes, sent.owner) == (
        "lonely",
        "qcow2",
        64 * MIB,
        OWNER,
    )


def test_F11_a_host_lost_in_the_middle_leaves_the_guest_where_it_is(
    lab: Lab, farm: RealFarm, virthosts: tuple[LabHost, LabHost]
) -> None:
    here = farm.hypervisor("virt1")
    make_tiny(lab, here, NAME, ADDRESS)
    before = await_guest(ADDRESS)
    with lab.cut_off("virt2"), pytest.raises(DriverError):
        here.migrate_domain(NAME, "virt2")
    now = state(farm, "virt1")
    assert now is not None
    assert now.running
    after = await_guest(ADDRESS)
    assert (after.boots, after.boot_id) == (before.boots, before.boot_id)
    here.migrate_domain(NAME, "virt2")
    check_arrived(farm, running=True)


def test_what_was_being_moved_does_not_start_while_the_other_host_has_it(
    lab: Lab, farm: RealFarm, virthosts: tuple[LabHost, LabHost]
) -> None:
    one, _ = virthosts
    make_tiny(lab, farm.hypervisor("virt1"), NAME, ADDRESS)
    await_guest(ADDRESS)
    xml = one.run("virsh", "dumpxml", "--inactive", NAME)
    farm.hypervisor("virt1").migrate_domain(NAME, "virt2")
    one.run("virsh", "define", "/dev/stdin", stdin=xml.encode())
    claim = '<move to="virt2"/>'
    one.run(
        *("virsh", "metadata", NAME, "urn:kvm-reconciler:move:1", "--config"),
        *("--key", "reconciler-move", "--set", claim),
    )
    with pytest.raises(Conflict, match="it runs on virt2"):
        farm.hypervisor("virt1").start_domain(NAME)
    farm.hypervisor("virt1").migrate_domain(NAME, "virt2")
    check_arrived(farm, running=True)
    await_guest(ADDRESS)
