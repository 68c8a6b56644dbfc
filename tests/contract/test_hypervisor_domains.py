"""What every hypervisor promises about domains."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from reconciler.drivers.likeness import is_same_definition
from reconciler.errors import Conflict, NotFound
from reconciler.ports.hypervisor import Disk, Interface
from tests.contract.bench import GIB, OTHER_OWNER, OWNER, POOL, Bench, definition, seed

OTHER_UUID = "11111111-1111-4111-8111-111111111111"


def test_a_defined_domain_is_seen_as_it_was_defined(bench: Bench) -> None:
    wanted = bench.make("web")
    seen = bench.domain("web")
    assert is_same_definition(wanted, seen.definition)
    assert seen.owner == OWNER
    assert (seen.running, seen.autostart, seen.arriving) == (False, False, False)
    assert (seen.guest, seen.snapshots) == (None, ())


def test_domains_of_others_are_seen_and_have_no_owner(bench: Bench) -> None:
    bench.add_foreign("old-web")
    seen = bench.domain("old-web")
    assert seen.owner is None
    assert (seen.definition.memory_bytes, seen.definition.vcpus) == (GIB, 1)


def test_defining_again_changes_nothing(bench: Bench) -> None:
    wanted = bench.make("web")
    before = bench.hypervisor.domains()
    bench.hypervisor.define_domain(wanted, OWNER)
    assert bench.hypervisor.domains() == before


def test_a_name_that_another_uuid_has_is_refused(bench: Bench) -> None:
    wanted = bench.make("web")
    with pytest.raises(Conflict, match=wanted.uuid):
        bench.hypervisor.define_domain(replace(wanted, uuid=OTHER_UUID), OWNER)
    assert bench.domain("web").definition.uuid == wanted.uuid


def test_a_uuid_that_another_name_has_is_refused(bench: Bench) -> None:
    wanted = bench.make("web")
    with pytest.raises(Conflict, match="already defined"):
        bench.hypervisor.define_domain(replace(wanted, name="other"), OWNER)
    assert bench.names().isdisjoint({"other"})


@pytest.mark.parametrize("disk", [Disk("root", "nowhere", "web"), Disk("root", POOL, "nothing")])
def test_a_disk_that_is_not_there_is_refused(bench: Bench, disk: Disk) -> None:
    with pytest.raises(Conflict, match="there is no"):
        bench.hypervisor.define_domain(definition(disks=(disk,)), OWNER)
    assert "web" not in bench.names()


@pytest.mark.parametrize(
    "unsound",
    [
        {"name": ""},
        {"name": "a/b"},
        {"name": "a\nb"},
        {"uuid": "no-uuid"},
        {"uuid": OTHER_UUID.replace("8", "A")},
        {"vcpus": 0},
        {"memory_bytes": 0},
        {"memory_bytes": GIB + 1},
        {"interfaces": (Interface("52:54:00:AA:00:01", "br-lan"),)},
        {"interfaces": (Interface("52:54:00:00:00:01", ""),)},
        {"interfaces": (Interface("52:54:00:00:00:01", "a"), Interface("52:54:00:00:00:01", "b"))},
    ],
)
def test_what_no_host_can_have_is_refused(bench: Bench, unsound: dict[str, Any]) -> None:
    before = bench.names()
    with pytest.raises(Conflict):
        bench.hypervisor.define_domain(definition(**{"disks": (), **unsound}), OWNER)
    assert bench.names() == before


@pytest.mark.parametrize(
    "disks",
    [
        (Disk("no name", POOL, "web-root"),),
        (Disk("root", POOL, "web-root"), Disk("root", POOL, "web-data")),
        (Disk("root", POOL, "web-root"), Disk("data", POOL, "web-root")),
    ],
)
def test_disks_that_no_host_can_have_are_refused(bench: Bench, disks: tuple[Disk, ...]) -> None:
    bench.make("web")
    with pytest.raises(Conflict):
        bench.hypervisor.define_domain(definition(disks=disks), OWNER)


def test_an_accelerator_that_the_host_lacks_is_refused(bench: Bench) -> None:
    with pytest.raises(Conflict, match="cannot run domains of type kvm"):
        bench.hypervisor.define_domain(definition(accelerator="kvm", disks=()), OWNER)
    assert "web" not in bench.names()


@pytest.mark.parametrize(
    "change",
    [
        {"memory_bytes": 4 * GIB},
        {"memory_bytes": GIB},
        {"vcpus": 4},
        {"vcpus": 1},
        {"disks": (Disk("root", POOL, "web-root"),)},
        {"disks": (Disk("root", POOL, "web-data"),)},
        {"interfaces": ()},
        {"interfaces": (Interface("52:54:00:00:00:09", "br-lan"),)},
        {"title": "the web"},
        {"tpm": True},
        {"cpu_model": "Nehalem"},
        {"first_boot": "0123"},
        {"vcpus_maximum": 4},
        {"memory_maximum_bytes": 4 * GIB},
    ],
)
def test_a_running_domain_gets_a_new_definition_at_its_restart(
    bench: Bench, change: dict[str, Any]
) -> None:
    before = bench.make("web", start=True)
    wanted = definition("web", **change)
    bench.hypervisor.define_domain(wanted, OWNER)
    seen = bench.domain("web")
    assert is_same_definition(wanted, seen.definition)
    assert seen.running
    assert seen.guest is not None
    assert is_same_definition(replace(before, disks=seen.guest.disks), seen.guest)
    assert {disk.volume for disk in seen.guest.disks} == {"web-root", "web-data"}
    bench.hypervisor.stop_domain("web")
    assert bench.domain("web").guest is None
    bench.hypervisor.start_domain("web")
    assert (bench.domain("web").running, bench.domain("web").guest) == (True, None)


def test_going_back_to_what_runs_waits_for_no_restart(bench: Bench) -> None:
    wanted = bench.make("web", start=True)
    bench.hypervisor.define_domain(replace(wanted, vcpus=4), OWNER)
    bench.hypervisor.define_domain(wanted, OWNER)
    assert bench.domain("web").guest is None


def test_another_name_for_a_disk_waits_for_no_restart(bench: Bench) -> None:
    wanted = bench.make("web", start=True)
    root, data = wanted.disks
    renamed = replace(wanted, disks=(replace(root, name="system"), data))
    bench.hypervisor.define_domain(renamed, OWNER)
    seen = bench.domain("web")
    assert is_same_definition(renamed, seen.definition)
    assert seen.guest is None


def test_all_that_a_definition_can_say_is_seen(bench: Bench) -> None:
    said: dict[str, Any] = {
        "vcpus_maximum": 8,
        "memory_maximum_bytes": 8 * GIB,
        "cpu_model": "Nehalem",
        "firmware": "uefi",
        "tpm": True,
        "title": 'the web: <&> "it"',
        "first_boot": "0123456789abcdef",
    }
    bench.make("web", **said)
    seen = bench.domain("web").definition
    assert {name: getattr(seen, name) for name in said} == said


def test_what_a_new_domain_leaves_open_has_the_usual_values(bench: Bench) -> None:
    bench.make("web")
    seen = bench.domain("web").definition
    assert (seen.vcpus_maximum, seen.memory_maximum_bytes) == (2, 2 * GIB)
    assert (seen.firmware, seen.tpm, seen.title, seen.first_boot) == ("bios", False, "", None)


def test_what_is_left_open_stays_as_it_was(bench: Bench) -> None:
    kept: dict[str, Any] = {
        "tpm": True,
        "title": "mine",
        "cpu_model": "Nehalem",
        "vcpus_maximum": 8,
    }
    bench.make("web", **kept, first_boot="0123")
    bench.hypervisor.define_domain(definition("web", vcpus=1), OWNER)
    seen = bench.domain("web").definition
    assert {name: getattr(seen, name) for name in kept} == kept
    assert (seen.vcpus, seen.first_boot) == (1, "0123")


def test_a_title_is_taken_away(bench: Bench) -> None:
    wanted = bench.make("web", title="the web")
    bench.hypervisor.define_domain(replace(wanted, title=""), OWNER)
    assert bench.domain("web").definition.title == ""


def test_a_maximum_that_is_left_open_rises_with_what_is_wanted(bench: Bench) -> None:
    wanted = bench.make("web")
    bench.hypervisor.define_domain(replace(wanted, vcpus=4, memory_bytes=4 * GIB), OWNER)
    seen = bench.domain("web").definition
    assert (seen.vcpus_maximum, seen.memory_maximum_bytes) == (4, 4 * GIB)


@pytest.mark.parametrize(
    "unsound",
    [{"vcpus_maximum": 1}, {"memory_maximum_bytes": GIB}, {"title": "a\nb"}, {"cpu_model": "a b"}],
)
def test_a_definition_that_contradicts_itself_is_refused(
    bench: Bench, unsound: dict[str, Any]
) -> None:
    with pytest.raises(Conflict):
        bench.hypervisor.define_domain(definition(**{"disks": (), **unsound}), OWNER)
    assert "web" not in bench.names()


INTERFACES = (
    Interface("52:54:00:00:00:01", "br-ovs", switch="openvswitch", vlan=42),
    Interface("52:54:00:00:00:02", "br-ovs", switch="openvswitch"),
    Interface("52:54:00:00:00:03", "office", switch="libvirt", portgroup="dmz"),
    Interface("52:54:00:00:00:04", "br-lan", link="down"),
)


def test_interfaces_are_seen_as_they_were_plugged(bench: Bench) -> None:
    bench.make("web", interfaces=INTERFACES)
    assert bench.domain("web").definition.interfaces == INTERFACES
    turned = INTERFACES[::-1]
    bench.hypervisor.define_domain(definition("web", interfaces=turned), OWNER)
    assert bench.domain("web").definition.interfaces == turned


@pytest.mark.parametrize("before", INTERFACES)
@pytest.mark.parametrize("after", INTERFACES)
def test_an_interface_is_plugged_elsewhere(
    bench: Bench, before: Interface, after: Interface
) -> None:
    bench.make("web", interfaces=(before,))
    after = replace(after, mac=before.mac)
    bench.hypervisor.define_domain(definition("web", interfaces=(after,)), OWNER)
    assert bench.domain("web").definition.interfaces == (after,)


def test_disks_are_in_the_order_of_the_definition(bench: Bench) -> None:
    wanted = bench.make("web")
    root, data = wanted.disks
    for disks in ((data, root), (root, data), (data,), (root, data)):
        bench.hypervisor.define_domain(replace(wanted, disks=disks), OWNER)
        assert bench.domain("web").definition.disks == disks


@pytest.mark.needs("upload")
def test_a_seed_is_a_cdrom(bench: Bench) -> None:
    bench.hypervisor.create_volume(seed("web-seed"), OWNER)
    cdrom = Disk("seed", POOL, "web-seed", "cdrom")
    wanted = bench.make("web")
    for disks in ((*wanted.disks, cdrom), wanted.disks):
        bench.hypervisor.define_domain(replace(wanted, disks=disks), OWNER)
        assert frozenset(bench.domain("web").definition.disks) == frozenset(disks)


def test_two_disks_can_swap_their_volumes(bench: Bench) -> None:
    wanted = bench.make("web")
    swapped = (Disk("root", POOL, "web-data"), Disk("data", POOL, "web-root"))
    bench.hypervisor.define_domain(replace(wanted, disks=swapped), OWNER)
    assert frozenset(bench.domain("web").definition.disks) == frozenset(swapped)


def test_a_new_definition_leaves_autostart_alone_and_replaces_the_mark(bench: Bench) -> None:
    wanted = bench.make("web")
    bench.hypervisor.set_autostart("web", autostart=True)
    bench.hypervisor.define_domain(replace(wanted, vcpus=1), OTHER_OWNER)
    assert bench.domain("web").autostart
    assert bench.domain("web").owner == OTHER_OWNER


@pytest.mark.parametrize("running", [False, True])
def test_a_mark_is_replaced_and_nothing_else(bench: Bench, running: bool) -> None:
    bench.make("web", start=running)
    before = bench.domain("web")
    for _ in range(2):
        bench.hypervisor.mark_domain("web", OTHER_OWNER)
    assert bench.domain("web") == replace(before, owner=OTHER_OWNER)


def test_a_mark_adopts_what_was_nobodys(bench: Bench) -> None:
    bench.add_foreign("old-web")
    bench.hypervisor.mark_domain("old-web", OWNER)
    assert bench.domain("old-web").owner == OWNER


def test_what_is_undefined_is_gone_and_its_volumes_stay(bench: Bench) -> None:
    bench.make("web")
    for _ in range(2):
        bench.hypervisor.undefine_domain("web")
    assert "web" not in bench.names()
    assert {"web-root", "web-data"} <= bench.volume_names()


def test_a_running_domain_is_not_undefined(bench: Bench) -> None:
    bench.make("web", start=True)
    with pytest.raises(Conflict, match="running"):
        bench.hypervisor.undefine_domain("web")
    bench.hypervisor.stop_domain("web")
    assert "web" in bench.names()


def test_starting_and_stopping_are_idempotent(bench: Bench) -> None:
    bench.make("web")
    for _ in range(2):
        bench.hypervisor.start_domain("web")
        assert bench.domain("web").running
    for _ in range(2):
        bench.hypervisor.stop_domain("web")
        assert not bench.domain("web").running


@pytest.mark.needs("memory check")
def test_a_domain_does_not_start_without_memory(bench: Bench) -> None:
    bench.make("large", memory_bytes=31 * GIB, start=True)
    bench.make("web")
    with pytest.raises(Conflict, match="1 GiB is free"):
        bench.hypervisor.start_domain("web")
    assert not bench.domain("web").running


@pytest.mark.needs("bridge check")
def test_a_domain_does_not_start_without_its_bridge(bench: Bench) -> None:
    bench.make("web", interfaces=(Interface("52:54:00:00:00:01", "br-none"),))
    with pytest.raises(Conflict, match="br-none"):
        bench.hypervisor.start_domain("web")


@pytest.mark.needs("disk lock")
def test_two_domains_do_not_run_on_one_volume(bench: Bench) -> None:
    disks = bench.make("web", start=True).disks
    bench.hypervisor.define_domain(definition("twin", disks=disks), OWNER)
    with pytest.raises(Conflict, match=r"in use|lock"):
        bench.hypervisor.start_domain("twin")


def test_autostart_is_set_and_unset(bench: Bench) -> None:
    bench.make("web")
    for autostart in (True, True, False, False):
        bench.hypervisor.set_autostart("web", autostart=autostart)
        assert bench.domain("web").autostart is autostart


def test_what_is_not_there_is_not_found(bench: Bench) -> None:
    port = bench.hypervisor
    attempts: tuple[Callable[[], None], ...] = (
        lambda: port.mark_domain("nobody", OWNER),
        lambda: port.start_domain("nobody"),
        lambda: port.stop_domain("nobody"),
        lambda: port.set_autostart("nobody", autostart=True),
        lambda: port.adjust_guest("nobody"),
        lambda: port.snapshot_domain("nobody", "before"),
        lambda: port.revert_domain("nobody", "before"),
    )
    for attempt in attempts:
        with pytest.raises(NotFound):
            attempt()


def test_an_error_says_where_and_what(bench: Bench) -> None:
    with pytest.raises(NotFound) as caught:
        bench.hypervisor.start_domain("nobody")
    assert (caught.value.where, caught.value.operation) == ("virt1", "start domain nobody")
    assert caught.value.cause


@pytest.mark.needs("disk check")
def test_a_domain_does_not_start_without_its_volume(bench: Bench) -> None:
    bench.make("web")
    bench.vanish("web-data")
    with pytest.raises(Conflict, match="web-data"):
        bench.hypervisor.start_domain("web")
