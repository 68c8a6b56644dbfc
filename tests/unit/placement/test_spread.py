"""Every machine gets a host, or the reason why there is none."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.model.address import Address
from reconciler.model.resource import Applied, Desired, World
from reconciler.placement.spread import Placement, Room, place
from reconciler.ports.hypervisor import Interface
from tests.farms.specs import GIB, machine, seen, unreachable, want, zone_spec

POOLS = frozenset({"default"})
A, B = Room("virt1", 8 * GIB, POOLS), Room("virt2", 8 * GIB, POOLS)
ROOMS = (A, B)
WEB = machine(host=None, accelerator=None)
ROOT, DOMAIN = WEB
ZONE = want(zone_spec(), "farm")


def put(*machines: Desired[Any], rooms: tuple[Room, ...] = ROOMS, **arguments: Any) -> Placement:
    return place("production", machines, rooms, arguments.pop("world", World()), **arguments)


def new(name: str, gib: int = 1, **fields: Any) -> Desired[Any]:
    fields = {"host": None, "accelerator": None, "memory_bytes": gib * GIB, **fields}
    return machine(name, disks=(), **fields)[0]


def hosts(placement: Placement) -> dict[str, str | None]:
    return {want.address.name: want.spec.host for want in placement.desired}


def reasons(placement: Placement) -> list[str]:
    return [unplaced.reason for unplaced in placement.unplaced]


def test_a_machine_and_its_volumes_go_to_one_host_in_the_given_order() -> None:
    placement = put(*WEB, ZONE)
    assert [want.address for want in placement.desired] == [
        ROOT.address,
        DOMAIN.address,
        ZONE.address,
    ]
    assert hosts(put(*WEB)) == {"web-1-root": "virt1", "web-1": "virt1"}


def test_a_machine_is_run_as_its_host_runs_guests() -> None:
    emulating = replace(A, accelerator="qemu")
    (placed,) = put(new("web"), rooms=(emulating,)).desired
    assert placed.spec.accelerator == "qemu"


def test_new_machines_go_where_most_is_free_the_large_ones_first() -> None:
    placement = put(new("a"), new("b", 6), new("c", 3), new("d", 2))
    assert hosts(placement) == {"b": "virt1", "c": "virt2", "d": "virt2", "a": "virt2"}


def test_what_others_have_is_not_free() -> None:
    theirs = [seen(each, "staging") for each in machine("x", host="virt1", memory_bytes=GIB)]
    assert hosts(put(new("a"), world=World(tuple(theirs)))) == {"a": "virt2"}


def test_a_machine_stays_where_it_is_although_others_have_more_room() -> None:
    there = World((seen(machine(host="virt2", memory_bytes=7 * GIB)[1]),))
    assert hosts(put(*WEB, world=there))["web-1"] == "virt2"


def test_a_machine_stays_in_a_host_that_is_closed_or_full() -> None:
    full = replace(B, memory_bytes=0, open=False)
    there = World((seen(machine(host="virt2")[1]),))
    assert hosts(put(*WEB, rooms=(A, full), world=there))["web-1"] == "virt2"


def test_a_machine_comes_back_to_its_volumes() -> None:
    there = World((seen(machine(host="virt2")[0]),))
    assert hosts(put(*WEB, world=there)) == {"web-1-root": "virt2", "web-1": "virt2"}


@pytest.mark.parametrize("name", ["web-1", "old"])
def test_a_machine_belongs_where_it_was_last_seen(name: str) -> None:
    renamed = replace(DOMAIN, formerly=Address("domain", "old"))
    applied = {Address("domain", name): Applied("0" * 16, "virt2")}
    assert hosts(put(renamed, applied=applied)) == {"web-1": "virt2"}


def test_a_renamed_machine_stays_where_it_is() -> None:
    renamed = machine("shop", formerly="web-1", host=None)
    there = World((seen(machine(host="virt2")[1]),))
    assert hosts(put(*renamed, world=there))["shop"] == "virt2"


def test_a_rename_that_is_taken_back_leaves_the_machine_where_it_is() -> None:
    there = World((seen(machine("shop", formerly="web-1", host="virt2")[1]),))
    assert hosts(put(*WEB, world=there))["web-1"] == "virt2"


def test_a_document_that_names_a_host_moves_the_machine() -> None:
    there = World((seen(machine(host="virt1")[1]),))
    placement = put(*machine(host="virt2"), world=there)
    assert hosts(placement) == {"web-1-root": "virt2", "web-1": "virt2"}


def test_a_machine_that_nobody_has_seen_may_be_on_a_host_that_cannot_be_looked_at() -> None:
    """Were it made elsewhere, there might be two: a run may have died before it could tell."""
    away = World((), unreachable("virt2", "virt9"))
    assert hosts(put(new("a"), world=away)) == {"a": "virt2"}
    assert hosts(put(new("a", 9), world=away)) == {"a": "virt2"}


def test_a_machine_is_not_on_a_host_that_could_not_hold_it() -> None:
    bare = replace(B, pools=frozenset())
    assert hosts(put(*WEB, rooms=(A, bare), world=World((), unreachable("virt2")))) == {
        "web-1-root": "virt1",
        "web-1": "virt1",
    }


def test_a_machine_that_was_seen_or_is_told_its_host_is_not_looked_for_elsewhere() -> None:
    away = unreachable("virt2")
    there = World((seen(machine("a", disks=(), host="virt1")[0]),), away)
    assert hosts(put(new("a"), world=there)) == {"a": "virt1"}
    assert hosts(put(new("a", host="virt1"), world=World((), away))) == {"a": "virt1"}


REFUSALS: list[tuple[str, Room, dict[str, Any], str]] = [
    ("memory", A, {"gib": 9}, "virt1 has 8 GiB of memory left for it"),
    ("maintenance", replace(A, open=False), {}, "virt1 is in maintenance"),
    ("another host", A, {"host": "virt9"}, "virt9 offers this environment no room"),
    ("quota", replace(A, share_bytes=GIB), {"gib": 2}, "virt1 has 1 GiB of memory left for it"),
    ("cpus", replace(A, share_cpus=1), {"vcpus": 2}, "virt1 shares 1 cpus, 0 are taken"),
]


@pytest.mark.parametrize(
    ("room", "fields", "reason"), [row[1:] for row in REFUSALS], ids=[row[0] for row in REFUSALS]
)
def test_a_machine_for_which_there_is_no_host(
    room: Room, fields: dict[str, Any], reason: str
) -> None:
    placement = put(new("web", **fields), rooms=(room,))
    assert placement.desired == ()
    assert reasons(placement) == [reason]


def test_every_host_says_why_not() -> None:
    placement = put(new("web", 9))
    assert reasons(placement) == [
        "virt1 has 8 GiB of memory left for it; virt2 has 8 GiB of memory left for it"
    ]
    assert reasons(put(new("web"), rooms=())) == ["there is no host"]


def test_a_pool_that_a_host_lacks_is_named_even_to_a_machine_that_stays() -> None:
    there = World((seen(machine(host="virt1")[1]),))
    placement = put(*WEB, rooms=(replace(A, pools=frozenset()),), world=there)
    assert reasons(placement) == ["virt1 has no pool default"]


def test_volumes_and_former_names_of_a_machine_without_a_host_share_its_fate() -> None:
    renamed = machine("shop", formerly="web-1", host="virt9")
    there = World(tuple(seen(each) for each in machine()))
    (unplaced,) = put(*renamed, ZONE, world=there).unplaced
    assert unplaced.address == Address("domain", "shop")
    assert {str(part) for part in unplaced.parts} == {
        "volume/shop-root",
        "domain/web-1",
        "volume/web-1-root",
    }


def test_a_machine_whose_host_left_the_environment_is_not_made_anew_elsewhere() -> None:
    there = World((seen(machine(host="virt9")[1]),))
    placement = put(*WEB, world=there)
    assert placement.desired == ()
    assert (
        "it was last seen on virt9, which offers this environment no room any more"
        in (reasons(placement)[0])
    )


def test_a_quota_is_shared_by_all_machines_of_the_environment() -> None:
    shared = replace(A, share_bytes=3 * GIB, share_cpus=4)
    placement = put(new("a", 2, vcpus=2), new("b", 1, vcpus=2), new("c", 1), rooms=(shared,))
    assert hosts(placement) == {"a": "virt1", "b": "virt1"}
    assert reasons(placement) == ["virt1 has 0 B of memory left for it"]


def test_processors_of_a_share_run_out() -> None:
    shared = replace(A, share_cpus=3)
    placement = put(new("a", vcpus=2), new("b", vcpus=2), rooms=(shared,))
    assert reasons(placement) == ["virt1 shares 3 cpus, 2 are taken"]


def test_a_host_that_is_overfull_has_nothing_left() -> None:
    theirs = seen(machine("x", memory_bytes=9 * GIB)[1], "staging")
    placement = put(new("a", host="virt1"), world=World((theirs,)))
    assert reasons(placement) == ["virt1 has 0 B of memory left for it"]


def test_a_machine_that_comes_finds_room_only_beside_those_that_stay() -> None:
    stays = machine("a", disks=(), host="virt2", memory_bytes=6 * GIB)[0]
    comes = machine("b", disks=(), host="virt1", memory_bytes=7 * GIB)[0]
    world = World((seen(stays), seen(comes)))
    moved = replace(comes, spec=replace(comes.spec, host="virt2"))
    placement = put(moved, new("a", 6), world=world)
    assert hosts(placement) == {"a": "virt2"}
    assert reasons(placement) == ["virt2 has 2 GiB of memory left for it"]


def test_the_same_input_always_gives_the_same_choice() -> None:
    machines = [new(f"m{number}", number % 3 + 1) for number in range(12)]
    first = hosts(put(*machines, rooms=(replace(A, memory_bytes=64 * GIB), B)))
    shuffled = [*machines[7:], *machines[:7][::-1]]
    assert hosts(put(*shuffled, rooms=(B, replace(A, memory_bytes=64 * GIB)))) == first


def test_a_machine_that_grows_beyond_what_is_left_is_refused() -> None:
    there = World(
        (
            seen(machine("a", host="virt1")[1]),
            seen(machine("b", host="virt1", memory_bytes=4 * GIB)[1]),
        )
    )
    wanted = (new("a", 5), new("b", 4))
    assert reasons(put(*wanted, rooms=(A,), world=there)) == [
        "virt1 has 4 GiB of memory left for it"
    ]
    assert reasons(put(new("a", 4), new("b", 4), rooms=(A,), world=there)) == []


def test_a_machine_cannot_outgrow_the_share_of_its_environment() -> None:
    share = replace(A, share_bytes=2 * GIB, share_cpus=2)
    there = World((seen(machine("a", host="virt1", memory_bytes=GIB, vcpus=1)[1]),))
    assert reasons(put(new("a", 3, vcpus=1), rooms=(share,), world=there)) == [
        "virt1 has 2 GiB of memory left for it"
    ]
    assert reasons(put(new("a", 1, vcpus=3), rooms=(share,), world=there)) == [
        "virt1 shares 2 cpus, 0 are taken"
    ]


def test_a_machine_grows_on_a_host_in_maintenance() -> None:
    closed = replace(A, open=False)
    there = World((seen(machine("a", host="virt1", memory_bytes=GIB)[1]),))
    assert reasons(put(new("a", 3), rooms=(closed,), world=there)) == []


def test_a_machine_goes_only_where_its_network_is_made() -> None:
    lacking = replace(A, lacks=frozenset({("linux", "br-lan")}))
    plugged = new("web", interfaces=(Interface("52:54:00:00:00:01", "br-lan"),))
    assert hosts(put(plugged, rooms=(lacking, B))) == {"web": "virt2"}
    other_sort = replace(A, lacks=frozenset({("openvswitch", "br-lan")}))
    assert hosts(put(plugged, rooms=(other_sort,))) == {"web": "virt1"}
    pinned = new("web", host="virt1", interfaces=plugged.spec.interfaces)
    (reason,) = reasons(put(pinned, rooms=(lacking, B)))
    assert reason == "virt1 is not among the hosts of the network of br-lan"
