"""What every hypervisor promises about changing a guest while it runs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.errors import Conflict
from reconciler.ports.hypervisor import Disk, DomainDefinition, Interface
from tests.contract.bench import GIB, OWNER, POOL, Bench, definition, seed, volume

LAN = Interface("52:54:00:00:00:41", "br-lan")
MORE = Interface("52:54:00:00:00:42", "br-lan")
DATA = Disk("data", POOL, "web-data")
ROOM: dict[str, Any] = {"vcpus_maximum": 4, "memory_maximum_bytes": 4 * GIB}


def adjusted(bench: Bench, wanted: DomainDefinition) -> DomainDefinition | None:
    """What the guest still has otherwise, after it was given what can be given."""
    bench.hypervisor.define_domain(wanted, OWNER)
    for _ in range(2):
        bench.hypervisor.adjust_guest("web")
    seen = bench.domain("web")
    assert seen.running
    return seen.guest


def small(**changes: Any) -> dict[str, Any]:
    return {"interfaces": (LAN,), **changes}


LIVE: dict[str, dict[str, Any]] = {
    "more processors": {"vcpus": 4},
    "more memory": {"memory_bytes": 4 * GIB},
    "less memory": {"memory_bytes": GIB},
    "another title": {"title": "the web"},
    "processors, memory and title": {"vcpus": 3, "memory_bytes": 3 * GIB, "title": "x"},
}
PLUGGED: dict[str, dict[str, Any]] = {
    "an interface comes": {"interfaces": (LAN, MORE)},
    "the interface goes": {"interfaces": ()},
    "another interface": {"interfaces": (MORE,)},
    "the link goes down": {"interfaces": (replace(LAN, link="down"),)},
    "a disk goes": {"disks": (Disk("root", POOL, "web-root"),)},
    "all at once": {"vcpus": 3, "memory_bytes": 3 * GIB, "interfaces": (MORE, LAN), "title": "x"},
}


@pytest.mark.parametrize("change", LIVE.values(), ids=LIVE)
def test_a_guest_is_given_what_it_can_take(bench: Bench, change: dict[str, Any]) -> None:
    before = bench.make("web", start=True, **small(**ROOM))
    assert adjusted(bench, replace(before, **change)) is None
    vcpus = change.get("vcpus", before.vcpus)  # which are emulated here, and so stay
    assert adjusted(bench, replace(before, vcpus=vcpus)) is None


@pytest.mark.needs("hot plug")
@pytest.mark.parametrize("change", PLUGGED.values(), ids=PLUGGED)
def test_devices_of_a_guest_are_plugged(bench: Bench, change: dict[str, Any]) -> None:
    before = bench.make("web", start=True, **small(**ROOM))
    assert adjusted(bench, replace(before, **change)) is None
    vcpus = change.get("vcpus", before.vcpus)  # which are emulated here, and so stay
    assert adjusted(bench, replace(before, vcpus=vcpus)) is None


@pytest.mark.parametrize("memory_bytes", [GIB, 2 * GIB])
def test_memory_sinks_and_rises_to_what_the_guest_was_started_with(
    bench: Bench, memory_bytes: int
) -> None:
    before = bench.make("web", start=True)
    adjusted(bench, replace(before, memory_bytes=GIB))
    assert adjusted(bench, replace(before, memory_bytes=memory_bytes)) is None


REST: dict[str, dict[str, Any]] = {
    "more memory than it was started for": {"memory_bytes": 4 * GIB},
    "more processors than it was started for": {"vcpus": 4},
    "fewer processors than it was started with": {"vcpus": 1},
    "room to grow": ROOM,
    "a module": {"tpm": True},
    "its first boot": {"first_boot": "4567"},
}


@pytest.mark.parametrize("change", REST.values(), ids=REST)
def test_the_rest_waits_for_a_restart(bench: Bench, change: dict[str, Any]) -> None:
    before = bench.make("web", start=True, **small())
    guest = adjusted(bench, replace(before, **change, title="the web"))
    assert guest is not None
    assert guest.title == "the web"
    assert all(getattr(guest, name) != value for name, value in change.items())
    bench.hypervisor.stop_domain("web")
    bench.hypervisor.start_domain("web")
    assert bench.domain("web").guest is None


def test_emulated_processors_are_not_taken_away(bench: Bench) -> None:
    before = bench.make("web", start=True, **small(**ROOM))
    guest = adjusted(bench, replace(before, vcpus=1))
    assert guest is not None
    assert guest.vcpus == 2


@pytest.mark.needs("hot plug")
def test_a_disk_comes_and_goes(bench: Bench) -> None:
    before = bench.make("web", start=True, **small(disks=(Disk("root", POOL, "web-root"),)))
    bench.hypervisor.create_volume(volume("web-more"), OWNER)
    more = Disk("more", POOL, "web-more")
    assert adjusted(bench, replace(before, disks=(*before.disks, more))) is None
    with pytest.raises(Conflict, match="in use by web"):
        bench.hypervisor.trash_volume(POOL, "web-more")
    assert adjusted(bench, before) is None
    bench.hypervisor.trash_volume(POOL, "web-more")


@pytest.mark.needs("upload")
def test_a_seed_is_seen_after_a_restart(bench: Bench) -> None:
    before = bench.make("web", start=True, **small())
    bench.hypervisor.create_volume(seed("web-seed"), OWNER)
    cdrom = Disk("seed", POOL, "web-seed", "cdrom")
    guest = adjusted(bench, replace(before, disks=(*before.disks, cdrom)))
    assert guest is not None
    assert cdrom not in guest.disks


def test_a_guest_that_is_off_is_left_alone(bench: Bench) -> None:
    bench.make("web")
    before = bench.domain("web")
    bench.hypervisor.adjust_guest("web")
    assert bench.domain("web") == before


def test_what_can_be_done_is_done_beside_what_is_refused(bench: Bench) -> None:
    before = bench.make("web", start=True, **small())
    astray = (LAN, replace(MORE, bridge="br-none"))
    bench.hypervisor.define_domain(
        replace(before, memory_bytes=GIB, interfaces=astray, title="the web"), OWNER
    )
    with pytest.raises(Conflict, match="interface"):
        bench.hypervisor.adjust_guest("web")
    guest = bench.domain("web").guest
    assert guest is not None
    assert (guest.memory_bytes, guest.title, guest.interfaces) == (GIB, "the web", (LAN,))


def test_a_disk_under_another_name_is_left_plugged(bench: Bench) -> None:
    before = bench.make("web", start=True, **small())
    renamed = replace(before, disks=(before.disks[0], replace(DATA, name="store")))
    assert adjusted(bench, renamed) is None
    assert definition("web").disks != bench.domain("web").definition.disks
