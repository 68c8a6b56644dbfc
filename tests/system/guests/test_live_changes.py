"""A running guest is changed in place: it goes on, and sees what it was given."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from reconciler.drivers.libvirt_.connection import LibvirtConnection
from reconciler.drivers.libvirt_.hypervisor import LibvirtHypervisor, Patience
from reconciler.drivers.libvirt_.manifest import MemoryManifest
from reconciler.drivers.libvirt_.over_ssh import SshProgram
from reconciler.drivers.libvirt_.storage import Storage
from reconciler.drivers.ssh.access import Access
from reconciler.errors import Conflict
from reconciler.ports.hypervisor import (
    Disk,
    DomainDefinition,
    DomainState,
    Hypervisor,
    ImageSource,
    Interface,
    NewVolume,
)
from tests.system.driven import MIB, OWNER, POOL, driven, make_tiny, tiny
from tests.system.lab import GuestStatus, Lab, LabHost, ask_guest, await_guest, eventually

ADDRESS = "10.213.8.91"
NAME = "grower"
SECOND = "52:54:00:00:91:02"


@dataclass
class Running:
    """A guest that runs, how it was when it first answered, and what is wanted of it."""

    hypervisor: Hypervisor
    definition: DomainDefinition
    first: GuestStatus

    def change(self, **changes: Any) -> None:
        """Define it otherwise and bring the guest along; nothing may be left to wait."""
        self.definition = replace(self.definition, **changes)
        self.hypervisor.define_domain(self.definition, OWNER)
        self.hypervisor.adjust_guest(NAME)
        assert self.seen().guest is None
        assert self.seen().running

    def seen(self) -> DomainState:
        return next(each for each in self.hypervisor.domains() if each.definition.name == NAME)

    def tells(self, said: Callable[[GuestStatus], bool]) -> GuestStatus:
        """What the guest says, as soon as it says that; it has not been started since."""

        def look() -> GuestStatus | None:
            status = ask_guest(ADDRESS)
            return status if status and said(status) else None

        status = eventually(look)
        assert (status.boot_id, status.boots) == (self.first.boot_id, self.first.boots)
        assert status.uptime_seconds >= self.first.uptime_seconds
        assert status.ticks >= self.first.ticks
        return status


@pytest.fixture
def hypervisor(lab: Lab, virthost: LabHost, tmp_path: Path) -> Iterator[Hypervisor]:
    with driven(lab, tmp_path) as farm:
        yield farm.hypervisor(virthost.name)


def started(lab: Lab, hypervisor: Hypervisor, **changes: Any) -> Running:
    definition = make_tiny(lab, hypervisor, NAME, ADDRESS, **changes)
    return Running(hypervisor, definition, await_guest(ADDRESS))


def test_processors_memory_and_title_change_while_the_guest_runs(
    lab: Lab, hypervisor: Hypervisor
) -> None:
    room = {"vcpus_maximum": 3, "memory_maximum_bytes": 256 * MIB}
    guest = started(lab, hypervisor, memory_bytes=128 * MIB, cpu_model="host-model", **room)
    before = guest.tells(lambda status: status.cpus == 1)
    guest.change(title="the grower", vcpus=2)
    guest.tells(lambda status: status.cpus == 2)
    guest.change(memory_bytes=224 * MIB)
    more = guest.tells(lambda status: status.memory_kib > before.memory_kib + 80 * 1024)
    guest.change(memory_bytes=112 * MIB)
    guest.tells(lambda status: status.memory_kib < more.memory_kib - 80 * 1024)
    assert guest.seen().definition.title == "the grower"


def test_a_guest_with_room_to_grow_waits_for_nothing_while_it_boots(
    lab: Lab, hypervisor: Hypervisor
) -> None:
    """It has all the memory that it could have until its driver gives back the rest."""
    make_tiny(lab, hypervisor, NAME, ADDRESS, memory_maximum_bytes=256 * MIB)
    waits = []
    while ask_guest(ADDRESS) is None:
        waits += [each.guest for each in hypervisor.domains() if each.guest]
    assert waits == []


def test_emulated_processors_are_taken_away_at_a_restart_only(
    lab: Lab, hypervisor: Hypervisor
) -> None:
    guest = started(lab, hypervisor, vcpus=2, vcpus_maximum=2)
    hypervisor.define_domain(replace(guest.definition, vcpus=1), OWNER)
    hypervisor.adjust_guest(NAME)
    waiting = guest.seen().guest
    assert waiting is not None
    assert waiting.vcpus == 2
    guest.tells(lambda status: status.cpus == 2)
    hypervisor.stop_domain(NAME)
    hypervisor.start_domain(NAME)
    assert await_guest(ADDRESS).cpus == 1


def test_disks_come_and_go_while_the_guest_runs(lab: Lab, hypervisor: Hypervisor) -> None:
    guest = started(lab, hypervisor)
    root, seed = guest.definition.disks
    sizes = {"data": 64 * MIB, "logs": 32 * MIB}
    for name, size in sizes.items():
        hypervisor.create_volume(NewVolume(POOL, f"{NAME}-{name}", "qcow2", size), OWNER)
    data, logs = (Disk(name, POOL, f"{NAME}-{name}") for name in sizes)
    guest.change(disks=(root, data, seed))
    guest.tells(lambda status: set(status.disks.values()) >= {64 * MIB})
    guest.change(disks=(root, logs, data, seed))
    guest.tells(lambda status: set(status.disks.values()) >= {64 * MIB, 32 * MIB})
    guest.change(disks=(root, logs, seed))
    guest.tells(lambda status: 64 * MIB not in status.disks.values())
    hypervisor.grow_volume(POOL, f"{NAME}-logs", 96 * MIB)
    guest.tells(lambda status: 96 * MIB in status.disks.values())


def test_interfaces_come_change_and_go_while_the_guest_runs(
    lab: Lab, virthost: LabHost, hypervisor: Hypervisor
) -> None:
    guest = started(lab, hypervisor)
    lan = guest.definition.interfaces[0]
    second = Interface(SECOND, "br-ovs", "openvswitch", vlan=42)
    guest.change(interfaces=(lan, second))
    guest.tells(lambda status: f"{SECOND} 1" in status.links.values())
    assert tag_of(virthost) == "42"
    guest.change(interfaces=(lan, replace(second, vlan=43)))
    assert tag_of(virthost) == "43"
    guest.change(interfaces=(lan, replace(second, vlan=None)))
    assert tag_of(virthost) == "[]"
    guest.change(interfaces=(lan, replace(second, vlan=None, link="down")))
    guest.tells(lambda status: f"{SECOND} 0" in status.links.values())
    guest.change(interfaces=(lan, Interface(SECOND, "br-lan")))
    guest.tells(lambda status: f"{SECOND} 1" in status.links.values())
    guest.change(interfaces=(lan,))
    guest.tells(lambda status: len(status.links) == 1)


def tag_of(host: LabHost) -> str:
    """The VLAN of the only port of a guest on the switch."""
    ports = host.run("ovs-vsctl", "list-ports", "br-ovs").split()
    (port,) = (each for each in ports if each.startswith("vnet"))
    return host.run("ovs-vsctl", "get", "port", port, "tag").strip()


def test_what_changed_live_is_so_after_a_restart_too(lab: Lab, hypervisor: Hypervisor) -> None:
    guest = started(lab, hypervisor, vcpus_maximum=2)
    root, seed = guest.definition.disks
    hypervisor.create_volume(NewVolume(POOL, f"{NAME}-data", "qcow2", 64 * MIB), OWNER)
    data = Disk("data", POOL, f"{NAME}-data")
    lan, second = guest.definition.interfaces[0], Interface(SECOND, "br-lan", link="down")
    guest.change(vcpus=2, disks=(root, data, seed), interfaces=(lan, second))
    hypervisor.stop_domain(NAME)
    hypervisor.start_domain(NAME)
    status = await_guest(ADDRESS)
    assert (status.cpus, status.boots) == (2, guest.first.boots + 1)
    assert status.disks == {"vda": 256 * MIB, "vdb": 64 * MIB}
    assert status.links["eth1"] == f"{SECOND} 0"
    assert guest.seen().guest is None


def test_firmware_and_a_module_are_there_after_the_start(
    virthost: LabHost, hypervisor: Hypervisor
) -> None:
    hypervisor.create_volume(NewVolume(POOL, f"{NAME}-root", "qcow2", 64 * MIB), OWNER)
    wanted = tiny(NAME, ADDRESS, disks=(Disk("root", POOL, f"{NAME}-root"),))
    hypervisor.define_domain(replace(wanted, firmware="uefi", tpm=True), OWNER)
    hypervisor.start_domain(NAME)
    (seen,) = hypervisor.domains()
    assert (seen.running, seen.guest) == (True, None)
    assert (seen.definition.firmware, seen.definition.tpm) == ("uefi", True)
    virthost.run("virsh", "destroy", NAME)
    hypervisor.undefine_domain(NAME)
    assert virthost.run("ls", "/var/lib/libvirt/qemu/nvram").split() == []


class Impatience:
    """A clock on which a minute is over soon."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def sleep(self, seconds: float) -> None:
        time.sleep(min(seconds, 0.2))  # noqa: TID251 - the host is real
        self.seconds += 20

    def monotonic(self) -> float:
        return self.seconds


def no_image(_connection: Any, _source: ImageSource) -> Any:
    pytest.fail("no image is needed")


@pytest.fixture
def impatient(lab: Lab, virthost: LabHost, tmp_path: Path) -> Iterator[Hypervisor]:
    clock = Impatience()
    program = SshProgram(tmp_path / "impatient", Access(lab.ssh_key, lab.known_hosts))
    connection = LibvirtConnection(
        virthost.name,
        "",
        dial=lambda: program.dial(virthost.address),
        deadline=timedelta(minutes=1),
    )
    yield LibvirtHypervisor(
        connection,
        Storage(MemoryManifest(), no_image, lambda: datetime.max.replace(tzinfo=UTC)),
        Patience(clock.sleep, clock.monotonic),
        domain_types={"qemu": "qemu"},
    )
    connection.close()
    program.close()


def test_a_guest_that_does_not_listen_is_told_of_and_cut_off_in_the_end(
    hypervisor: Hypervisor, impatient: Hypervisor
) -> None:
    """It has nothing to boot from, and so stays in its firmware."""
    for name in ("root", "data"):
        hypervisor.create_volume(NewVolume(POOL, f"{NAME}-{name}", "qcow2", 64 * MIB), OWNER)
    root, data = (Disk(name, POOL, f"{NAME}-{name}") for name in ("root", "data"))
    both = tiny(NAME, ADDRESS, disks=(root, data), memory_maximum_bytes=256 * MIB)
    hypervisor.define_domain(both, OWNER)
    hypervisor.start_domain(NAME)
    wanted = replace(both, title="deaf", disks=(root,), memory_bytes=128 * MIB)
    hypervisor.define_domain(wanted, OWNER)
    with pytest.raises(Conflict, match=r"memory and not yet 128 MiB.*does not let go of disk data"):
        impatient.adjust_guest(NAME)
    (seen,) = impatient.domains()
    assert seen.guest is not None
    assert (seen.guest.title, seen.guest.disks) == ("deaf", (root, data))
    impatient.stop_domain(NAME)
    assert [each.running for each in impatient.domains()] == [False]
