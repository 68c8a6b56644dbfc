"""F12: libvirtd is killed in the middle of a change: no guest notices, and the rest is done later.

How a look fares meanwhile is in test_reach.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from reconciler.drivers.farm import RealFarm
from reconciler.model.address import Address
from reconciler.model.resource import Applied
from reconciler.ports.hypervisor import ImageSource, Interface, Seed
from tests.system.crash_run import NOTHING_LEFT, Tally, When, converge, environment_on, hurry, plant
from tests.system.crash_scenes import MAC, Wish, domain, volume
from tests.system.driven import driven
from tests.system.lab import GuestStatus, Lab, LabHost, ask_guest, await_guest, eventually

ADDRESS = "10.213.8.66"
NETWORK = """\
version: 2
ethernets:
  lan: {{match: {{macaddress: '{mac}'}}, addresses: [{address}/24]}}
"""
DEFINE = "virConnect.defineXMLFlags"


@dataclass(frozen=True)
class Guest:
    """A tiny guest on the first of two hosts."""

    lab: Lab
    hosts: tuple[LabHost, LabHost]
    farm: RealFarm
    memory: dict[Address, Applied] = field(default_factory=dict)

    def wish(self, host: int = 0, **fields: Any) -> Wish:
        """It, on one of the two."""
        where, mac = self.hosts[host].name, MAC.format(1)
        image = ImageSource("tiny", str(self.lab.image("tiny")), self.lab.checksum("tiny"))
        seed = Seed(
            "local-hostname: crash\n",
            "#cloud-config\n",
            NETWORK.format(mac=mac, address=ADDRESS),
        )
        return (
            volume(where, "root", mib=256, image=image),
            volume(where, "seed", "iso", 1, seed=seed, content="one"),
            domain(where, ("root", "seed"), **{"memory_bytes": 96 * 1024**2, **fields}),
        )

    def becomes(self, wish: Wish, tally: Tally | None = None) -> None:
        """Turns until it is so; the tally sees the changes."""
        names = [host.name for host in self.hosts]
        if tally:
            plant(self.farm, names, tally)
        environment = environment_on(self.farm, names, wish, self.memory)
        story = converge(environment)
        assert story[-1] == NOTHING_LEFT, "\n".join(story)
        self.memory.update(environment.memory)


@pytest.fixture
def guest(lab: Lab, virthosts: tuple[LabHost, LabHost], tmp_path: Path) -> Iterator[Guest]:
    here = replace(lab, hosts={host.name: host for host in virthosts})
    with driven(here, tmp_path) as farm:
        hurry(farm)
        yield Guest(here, virthosts, farm)


def killing(guest: Guest, host: int, at: str, when: When, seconds: float = 0.0) -> Tally:
    """Kills the host's libvirtd once, at a call; systemd starts it again."""
    kill = ("systemctl", "kill", "--kill-who=main", "--signal=KILL", "libvirtd.service")
    return Tally(at, when, seconds, strike=lambda: guest.hosts[host].run(*kill))


def is_undisturbed(before: GuestStatus, now: GuestStatus) -> bool:
    """Whether the guest went on all the time."""
    return (now.boot_id, now.boots) == (before.boot_id, before.boots) and now.ticks >= before.ticks


def with_links(count: int) -> GuestStatus | None:
    """How the guest is, once it has found so many interfaces."""
    status = ask_guest(ADDRESS)
    return status if status and len(status.links) == count else None


@pytest.mark.parametrize(
    ("at", "when", "defines"),
    [
        (DEFINE, "before", 2),  # the first was lost
        (DEFINE, "after", 1),
        ("virDomain.attachDeviceFlags", "after", 1),
    ],
)
def test_a_change_is_finished_and_nothing_is_defined_again(
    guest: Guest, at: str, when: When, defines: int
) -> None:
    guest.becomes(guest.wish())
    before = await_guest(ADDRESS)
    tally = killing(guest, 0, at, when)
    two = (Interface(MAC.format(1), "br-lan"), Interface(MAC.format(2), "br-lan"))
    guest.becomes(guest.wish(interfaces=two), tally)
    now = eventually(lambda: with_links(len(before.links) + 1))
    assert tally.struck
    assert is_undisturbed(before, now)
    assert [call.name for call in tally.calls].count(DEFINE) == defines


@pytest.mark.parametrize(("when", "seconds"), [("within", 0.2), ("after", 0.0)])
def test_a_guest_is_started_once(guest: Guest, when: When, seconds: float) -> None:
    guest.becomes(guest.wish())
    before = await_guest(ADDRESS)
    guest.becomes(guest.wish(running=False))
    tally = killing(guest, 0, "virDomain.create", when, seconds)
    guest.becomes(guest.wish(), tally)
    now = await_guest(ADDRESS)
    assert tally.struck
    assert now.boots == before.boots + 1
    assert DEFINE not in [call.name for call in tally.calls]


@pytest.mark.parametrize(
    ("host", "when", "seconds"), [(0, "within", 1.0), (1, "within", 1.0), (0, "after", 0.0)]
)
def test_a_guest_that_is_being_moved_goes_on(
    guest: Guest, host: int, when: When, seconds: float
) -> None:
    guest.becomes(guest.wish())
    before = await_guest(ADDRESS)
    tally = killing(guest, host, "virDomain.migrate3", when, seconds)
    guest.becomes(guest.wish(1), tally)
    now = await_guest(ADDRESS)
    assert tally.struck
    assert is_undisturbed(before, now)
    assert DEFINE not in [call.name for call in tally.calls]
    listed = [each.run("virsh", "list", "--all", "--name").split() for each in guest.hosts]
    assert listed == [[], ["production-crash"]]
