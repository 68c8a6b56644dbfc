"""What every hypervisor promises about volumes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from reconciler.errors import Conflict, NotFound
from reconciler.ports.hypervisor import NewVolume, VolumeState
from tests.contract.bench import GIB, IMAGE, LOST_IMAGE, OTHER_OWNER, OWNER, POOL, Bench, volume


@pytest.mark.parametrize("form", ["qcow2", "raw"])
def test_a_new_volume_is_seen_as_it_was_asked_for(bench: Bench, form: str) -> None:
    bench.hypervisor.create_volume(volume("web-root", format=form), OWNER)
    assert bench.volume("web-root") == VolumeState(POOL, "web-root", form, 8 * GIB, OWNER)  # type: ignore[arg-type]


@pytest.mark.needs("image")
def test_a_volume_is_made_from_an_image(bench: Bench) -> None:
    bench.add_image(IMAGE, 8 * GIB)
    bench.hypervisor.create_volume(volume("web-root", image=IMAGE), OWNER)
    assert bench.volume("web-root").capacity_bytes == 8 * GIB


@pytest.mark.needs("image")
def test_a_volume_is_larger_than_its_image(bench: Bench) -> None:
    bench.add_image(IMAGE, 2 * GIB)
    bench.hypervisor.create_volume(volume("web-root", image=IMAGE), OWNER)
    assert bench.volume("web-root").capacity_bytes == 8 * GIB


@pytest.mark.parametrize(
    "new",
    [
        volume("web-root", pool="nowhere"),
        pytest.param(volume("web-root", image=LOST_IMAGE), marks=pytest.mark.needs("image")),
    ],
)
def test_without_its_pool_or_image_no_volume_is_made(bench: Bench, new: NewVolume) -> None:
    before = bench.hypervisor.volumes()
    with pytest.raises(NotFound):
        bench.hypervisor.create_volume(new, OWNER)
    assert bench.hypervisor.volumes() == before


def test_a_name_that_is_taken_is_refused(bench: Bench) -> None:
    bench.hypervisor.create_volume(volume("web-root"), OWNER)
    before = bench.hypervisor.volumes()
    with pytest.raises(Conflict, match="taken"):
        bench.hypervisor.create_volume(volume("web-root", capacity_bytes=GIB), OTHER_OWNER)
    assert bench.hypervisor.volumes() == before


@pytest.mark.needs("full pool")
def test_what_the_pool_has_no_room_for_is_not_made(bench: Bench) -> None:
    with pytest.raises(Conflict, match="100 GiB left"):
        bench.hypervisor.create_volume(volume("web-root", capacity_bytes=101 * GIB), OWNER)
    assert "web-root" not in bench.volume_names()


@pytest.mark.parametrize(
    "unsound",
    [{"name": name} for name in ("", ".", "..", "a/b", "../a", "a\nb", "a" * 256)]
    + [{"capacity_bytes": 0}, {"capacity_bytes": -1}],
)
def test_what_no_pool_can_have_is_refused(bench: Bench, unsound: dict[str, Any]) -> None:
    before = bench.hypervisor.volumes()
    with pytest.raises(Conflict):
        bench.hypervisor.create_volume(volume(**{"name": "web-root", **unsound}), OWNER)
    assert bench.hypervisor.volumes() == before


def test_a_volume_mark_is_replaced_and_nothing_else(bench: Bench) -> None:
    bench.hypervisor.create_volume(volume("web-root"), OWNER)
    for _ in range(2):
        bench.hypervisor.mark_volume(POOL, "web-root", OTHER_OWNER)
    seen = bench.volume("web-root")
    assert (seen.owner, seen.capacity_bytes) == (OTHER_OWNER, 8 * GIB)


@pytest.mark.needs("resize")
def test_a_volume_grows(bench: Bench) -> None:
    bench.hypervisor.create_volume(volume("web-root"), OWNER)
    for _ in range(2):
        bench.hypervisor.grow_volume(POOL, "web-root", 16 * GIB)
    assert bench.volume("web-root") == VolumeState(POOL, "web-root", "qcow2", 16 * GIB, OWNER)


@pytest.mark.needs("resize")
def test_a_volume_grows_under_a_running_guest(bench: Bench) -> None:
    bench.make("web", start=True)
    bench.hypervisor.grow_volume(POOL, "web-root", 16 * GIB)
    assert bench.volume("web-root").capacity_bytes == 16 * GIB
    assert bench.domain("web").running


def test_growing_to_the_present_size_is_nothing(bench: Bench) -> None:
    bench.hypervisor.create_volume(volume("web-root"), OWNER)
    bench.hypervisor.grow_volume(POOL, "web-root", 8 * GIB)
    assert bench.volume("web-root").capacity_bytes == 8 * GIB


@pytest.mark.parametrize(
    ("capacity_bytes", "reason"),
    [
        (4 * GIB, "never shrinks"),
        pytest.param(200 * GIB, "left", marks=pytest.mark.needs("full pool")),
    ],
)
def test_a_volume_does_not_shrink_nor_outgrow_its_pool(
    bench: Bench, capacity_bytes: int, reason: str
) -> None:
    bench.hypervisor.create_volume(volume("web-root"), OWNER)
    with pytest.raises(Conflict, match=reason):
        bench.hypervisor.grow_volume(POOL, "web-root", capacity_bytes)
    assert bench.volume("web-root").capacity_bytes == 8 * GIB


def test_a_trashed_volume_is_gone_from_sight(bench: Bench) -> None:
    bench.hypervisor.create_volume(volume("web-root"), OWNER)
    for _ in range(2):
        bench.hypervisor.trash_volume(POOL, "web-root")
    assert bench.volume_names() == set()


def test_a_name_from_the_trash_can_be_used_and_trashed_again(bench: Bench) -> None:
    for _ in range(3):
        bench.hypervisor.create_volume(volume("web-root"), OWNER)
        bench.hypervisor.trash_volume(POOL, "web-root")
    bench.hypervisor.create_volume(volume("web-root", capacity_bytes=GIB), OTHER_OWNER)
    assert bench.volume("web-root") == VolumeState(POOL, "web-root", "qcow2", GIB, OTHER_OWNER)


@pytest.mark.parametrize("running", [False, True])
def test_a_volume_in_use_is_not_trashed(bench: Bench, running: bool) -> None:
    bench.make("web", start=running)
    with pytest.raises(Conflict, match="in use by web"):
        bench.hypervisor.trash_volume(POOL, "web-data")
    assert bench.volume("web-data").owner == OWNER


def test_a_volume_that_only_the_running_guest_has_is_not_trashed(bench: Bench) -> None:
    wanted = bench.make("web", start=True)
    bench.hypervisor.define_domain(replace(wanted, disks=wanted.disks[:1]), OWNER)
    with pytest.raises(Conflict, match="in use by web"):
        bench.hypervisor.trash_volume(POOL, "web-data")
    bench.hypervisor.stop_domain("web")
    bench.hypervisor.trash_volume(POOL, "web-data")
    assert bench.volume_names() == {"web-root"}


def test_a_volume_deleted_by_hand_is_not_seen_any_more(bench: Bench) -> None:
    bench.make("web")
    bench.vanish("web-data")
    assert bench.volume_names() == {"web-root"}


def test_volumes_that_are_not_there_are_not_found(bench: Bench) -> None:
    port = bench.hypervisor
    attempts: tuple[Callable[[], None], ...] = (
        lambda: port.mark_volume(POOL, "nothing", OWNER),
        lambda: port.mark_volume("nowhere", "nothing", OWNER),
        lambda: port.grow_volume(POOL, "nothing", GIB),
        lambda: port.trash_volume("nowhere", "nothing"),
    )
    for attempt in attempts:
        with pytest.raises(NotFound):
            attempt()
