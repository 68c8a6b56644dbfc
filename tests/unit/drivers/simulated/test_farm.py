"""The farm under many hands at once, and what people do to it past the ports."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest

from reconciler.drivers.likeness import is_same_definition
from reconciler.drivers.simulated import by_hand
from reconciler.drivers.simulated.farm import SimulatedFarm
from reconciler.drivers.simulated.faults import Fault
from reconciler.drivers.simulated.state import BEGINNING, FarmState, Volume
from reconciler.errors import Conflict, NotFound
from reconciler.ports.hypervisor import Disk, ImageSource, Interface, NewVolume, Seed
from tests.unit.drivers.simulated.samples import (
    BASE,
    GIB,
    OWNER,
    TRASHED,
    WWW,
    definition,
    new_volume,
)

IMAGE = ImageSource("debian-12", "https://images.example/d.qcow2", "ab" * 32)


def run_together(work: Callable[[int], None], count: int) -> None:
    threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_what_was_given_out_does_not_change_later(farm: SimulatedFarm) -> None:
    state, seen = farm.state, farm.hypervisor("virt1").domains()
    farm.hypervisor("virt1").stop_domain("web")
    assert state.hosts["virt1"].domains["web"].running
    assert {each.definition.name: each.running for each in seen}["web"]


def test_threads_together_do_not_overfill_a_pool(farm: SimulatedFarm) -> None:
    refusals: list[Conflict] = []

    def work(number: int) -> None:
        for each in range(5):
            try:
                farm.hypervisor("virt2").create_volume(new_volume(f"v{number}-{each}"), OWNER)
            except Conflict as error:
                refusals.append(error)

    run_together(work, 8)
    assert len(farm.hypervisor("virt2").volumes()) == 12  # of 8 GiB in 100 GiB
    assert len(refusals) == 28
    assert farm.calls == 41


def test_threads_together_lose_no_change(farm: SimulatedFarm) -> None:
    def work(number: int) -> None:
        for each in range(20):
            name = f"d{number}-{each}"
            host = farm.hypervisor(f"virt{1 + each % 2}")
            host.define_domain(definition(name, disks=(), interfaces=()), OWNER)

    run_together(work, 8)
    names = [each for host in farm.state.hosts.values() for each in host.domains]
    assert len(names) == 3 + 160


def test_opposite_moves_at_once_do_not_wait_for_each_other(farm: SimulatedFarm) -> None:
    for host in ("virt1", "virt2"):
        farm.hypervisor(host).define_domain(definition(f"of-{host}", disks=()), OWNER)

    def work(number: int) -> None:
        here, there = ("virt1", "virt2") if number else ("virt2", "virt1")
        for _ in range(50):
            farm.hypervisor(here).migrate_domain(f"of-{here}", there)
            farm.hypervisor(there).migrate_domain(f"of-{here}", here)

    run_together(work, 2)
    assert "of-virt1" in farm.state.hosts["virt1"].domains
    assert "of-virt2" in farm.state.hosts["virt2"].domains


def test_a_volume_takes_room_in_the_trash_too(farm: SimulatedFarm) -> None:
    host = farm.hypervisor("virt2")
    host.create_volume(new_volume("large", capacity_bytes=60 * GIB), OWNER)
    host.trash_volume("default", "large")
    with pytest.raises(Conflict, match="40 GiB left"):
        host.create_volume(new_volume("larger", capacity_bytes=60 * GIB), OWNER)


def test_a_pool_of_logical_volumes_holds_no_qcow2(farm: SimulatedFarm) -> None:
    with pytest.raises(Conflict, match="logical pool holds no qcow2"):
        farm.hypervisor("virt1").create_volume(new_volume("new", pool="vg0"), OWNER)
    farm.hypervisor("virt1").create_volume(new_volume("new", pool="vg0", format="raw"), OWNER)


def test_a_host_keeps_a_copy_of_an_image(farm: SimulatedFarm) -> None:
    host = farm.hypervisor("virt2")
    image = ImageSource("debian-12", "https://images.example/d.qcow2", "ab" * 32)
    host.create_volume(new_volume("one", image=image), OWNER)
    assert farm.state.hosts["virt2"].images == {"ab" * 32: "debian-12"}
    farm.change(lambda state: replace(state, missing_images=("debian-12",)))
    host.create_volume(new_volume("two", image=image), OWNER)
    newer = replace(image, checksum="cd" * 32)
    with pytest.raises(NotFound, match="not on the host"):
        host.create_volume(new_volume("three", image=newer), OWNER)


def test_memory_is_given_back_only_as_far_as_the_host_has_it(farm: SimulatedFarm) -> None:
    host = farm.hypervisor("virt1")  # 64 GiB, of which `web` has 2 and `db` 1 of its 2
    large = definition("large", memory_bytes=61 * GIB, disks=(), interfaces=())
    host.define_domain(large, OWNER)
    host.start_domain("large")
    host.define_domain(definition("db", memory_bytes=2 * GIB), OWNER)
    with pytest.raises(Conflict, match="0 B of memory is free"):
        host.adjust_guest("db")
    assert farm.state.hosts["virt1"].domains["db"].live.memory_bytes == GIB


def test_a_person_changes_memory(farm: SimulatedFarm) -> None:
    by_hand.set_memory(farm, "virt1", "db", 2 * GIB)
    db = farm.state.hosts["virt1"].domains["db"]
    assert (db.live.memory_bytes, db.runs_on) == (2 * GIB, None)
    with pytest.raises(Conflict):
        by_hand.set_memory(farm, "virt1", "db", 4 * GIB)


def test_a_person_edits_a_domain_and_the_mark_stays(farm: SimulatedFarm) -> None:
    by_hand.redefine(farm, "virt1", definition("web", vcpus=8))
    web = farm.hypervisor("virt1").domains()[-1]
    assert (web.definition.vcpus, web.owner) == (8, OWNER)
    assert web.guest
    assert web.guest.vcpus == 2


def test_a_person_strips_the_mark(farm: SimulatedFarm) -> None:
    by_hand.strip_mark(farm, "virt1", "web")
    assert farm.hypervisor("virt1").domains()[-1].owner is None


def test_a_person_stops_starts_and_removes_a_domain(farm: SimulatedFarm) -> None:
    by_hand.stop_domain(farm, "virt1", "web")
    assert not farm.state.hosts["virt1"].domains["web"].running
    by_hand.start_domain(farm, "virt1", "web")
    assert farm.state.hosts["virt1"].domains["web"].live.vcpus == 4
    by_hand.remove_domain(farm, "virt1", "web")
    assert "web" not in farm.state.hosts["virt1"].domains
    assert "web-root" in farm.state.hosts["virt1"].pools["default"].volumes


def test_a_person_adds_a_domain_that_is_nobodys(farm: SimulatedFarm) -> None:
    mine = definition("mine", disks=(Disk("vda", "default", "mine.img"),))
    by_hand.add_domain(farm, "virt2", mine)
    (seen,) = farm.hypervisor("virt2").domains()
    assert is_same_definition(mine, seen.definition)
    assert (seen.owner, seen.running) == (None, True)
    assert farm.hypervisor("virt2").volumes()[0].owner is None
    with pytest.raises(Conflict, match="already defined"):
        by_hand.add_domain(farm, "virt2", replace(mine, name="again"))


def test_a_person_deletes_a_volume_in_use(farm: SimulatedFarm) -> None:
    by_hand.delete_volume(farm, "virt1", "default", "web-root")
    assert farm.state.hosts["virt1"].domains["web"].running
    by_hand.stop_domain(farm, "virt1", "web")
    with pytest.raises(Conflict, match="no volume web-root"):
        farm.hypervisor("virt1").start_domain("web")


def test_a_person_adds_a_volume(farm: SimulatedFarm) -> None:
    by_hand.add_volume(farm, "virt2", "default", "iso", Volume("raw", GIB))
    with pytest.raises(Conflict, match="taken"):
        by_hand.add_volume(farm, "virt2", "default", "iso", Volume("raw", GIB))


def test_a_person_edits_records(farm: SimulatedFarm) -> None:
    changed = replace(WWW, values=("192.168.1.200",))
    by_hand.put_record(farm, "ns1", "farm.internal", changed)
    zone = farm.nameserver("ns1").zone("farm.internal")
    assert (zone.records, zone.serial) == ((*BASE, changed), 2011031201)
    by_hand.remove_record(farm, "ns1", "farm.internal", "www/A")
    zone = farm.nameserver("ns1").zone("farm.internal")
    assert (zone.records, zone.serial) == (BASE, 2011031202)
    with pytest.raises(Conflict, match="no NS record"):
        by_hand.remove_record(farm, "ns1", "farm.internal", "@/NS")


def test_after_a_power_failure_only_autostarted_domains_run(farm: SimulatedFarm) -> None:
    by_hand.reboot_host(farm, "virt1")
    domains = farm.state.hosts["virt1"].domains
    assert {name: each.running for name, each in domains.items()} == {
        "db": True,
        "off": False,
        "web": False,
    }


def test_what_a_person_does_crosses_no_wire(farm: SimulatedFarm) -> None:
    farm.add_fault(Fault())
    by_hand.stop_domain(farm, "virt1", "web")
    assert (farm.calls, farm.log) == (0, ())


def test_a_person_finds_nothing_where_nothing_is(farm: SimulatedFarm) -> None:
    attempts: tuple[Callable[[], None], ...] = (
        lambda: by_hand.stop_domain(farm, "virt1", "nobody"),
        lambda: by_hand.stop_domain(farm, "nowhere", "web"),
        lambda: by_hand.strip_mark(farm, "virt1", "nobody"),
        lambda: by_hand.delete_volume(farm, "virt1", "default", "nothing"),
        lambda: by_hand.delete_volume(farm, "virt1", "nowhere", "nothing"),
        lambda: by_hand.put_record(farm, "ns1", "nowhere", WWW),
        lambda: by_hand.remove_record(farm, "ns9", "farm.internal", "www/A"),
    )
    for attempt in attempts:
        with pytest.raises(NotFound):
            attempt()


@pytest.mark.parametrize("bridge", ["br-lan", "br-none"])
def test_an_empty_farm_refuses_politely(bridge: str) -> None:
    farm = SimulatedFarm()
    assert farm.state == FarmState()
    with pytest.raises(NotFound):
        by_hand.add_domain(
            farm, "virt1", definition("web", interfaces=(Interface("52:54:00:00:00:01", bridge),))
        )


def test_an_image_that_no_document_names_goes_unless_a_volume_lies_over_it(
    farm: SimulatedFarm,
) -> None:
    host = farm.hypervisor("virt2")
    for number, overlay in enumerate((True, False)):
        image = ImageSource("debian", "https://images.example/d.qcow2", f"{number}" * 64)
        host.create_volume(new_volume(f"v{number}", image=image, overlay=overlay), OWNER)
    host.tidy("production", TRASHED, None)
    assert len(farm.state.hosts["virt2"].images) == 2
    host.trash_volume("default", "v0")
    host.tidy("production", BEGINNING, frozenset())
    assert list(farm.state.hosts["virt2"].images) == ["0" * 64]
    host.tidy("production", TRASHED, frozenset())
    assert farm.state.hosts["virt2"].images == {}


@pytest.mark.parametrize(("maximum", "left"), [(None, 2), (2, 1)])
def test_processors_are_unplugged_if_the_guest_was_started_for_that(
    farm: SimulatedFarm, maximum: int | None, left: int
) -> None:
    host, wanted = farm.hypervisor("virt2"), definition("new", disks=(), vcpus_maximum=maximum)
    host.define_domain(wanted, OWNER)
    host.start_domain("new")
    host.define_domain(replace(wanted, vcpus=1), OWNER)
    host.adjust_guest("new")
    assert farm.state.hosts["virt2"].domains["new"].live.vcpus == left


@pytest.mark.parametrize(
    "new",
    [
        new_volume("v", overlay=True),
        new_volume("v", format="raw", overlay=True, image=IMAGE),
        new_volume("v", pool="vg0", format="raw", overlay=True, image=IMAGE),
        new_volume("v", format="iso"),
        new_volume("v", seed=Seed("m", "u", "n")),
    ],
)
def test_what_makes_no_volume_is_refused(farm: SimulatedFarm, new: NewVolume) -> None:
    with pytest.raises(Conflict):
        farm.hypervisor("virt1").create_volume(new, OWNER)


def test_only_a_seed_is_written_as_one(farm: SimulatedFarm) -> None:
    seed = Seed("m", "u", "n")
    with pytest.raises(Conflict, match="no seed"):
        farm.hypervisor("virt1").write_seed(new_volume("db-root", seed=seed), OWNER)
    large = new_volume("web-seed", format="iso", seed=seed, capacity_bytes=200 * GIB)
    with pytest.raises(Conflict, match="left"):
        farm.hypervisor("virt1").write_seed(large, OWNER)


def test_a_domain_does_not_move_with_a_snapshot(farm: SimulatedFarm) -> None:
    with pytest.raises(Conflict, match="snapshot"):
        farm.hypervisor("virt1").migrate_domain("web", "virt2")
