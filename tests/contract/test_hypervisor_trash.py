"""What every hypervisor promises about the trash, seeds and what is recorded of volumes."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest

from reconciler.errors import Conflict, NotFound
from reconciler.ports.hypervisor import TrashedVolume, VolumeState
from tests.contract.bench import GIB, MIB, OTHER_OWNER, OWNER, POOL, Bench, seed, volume

LATER = timedelta(seconds=2)


def trashed(bench: Bench, name: str = "web-root") -> TrashedVolume:
    (found,) = (each for each in bench.hypervisor.trash() if each.name == name)
    return found


def put_in_trash(bench: Bench, name: str = "web-root") -> TrashedVolume:
    bench.hypervisor.create_volume(volume(name, content="0123"), OWNER)
    bench.hypervisor.trash_volume(POOL, name)
    return trashed(bench, name)


def test_the_trash_tells_what_is_in_it(bench: Bench) -> None:
    assert bench.hypervisor.trash() == ()
    found = put_in_trash(bench)
    assert (found.pool, found.name, found.owner) == (POOL, "web-root", OWNER)
    assert found.trash_name != found.name
    assert found.since.tzinfo is UTC


def test_what_is_restored_is_as_it_was(bench: Bench) -> None:
    bench.hypervisor.create_volume(volume("web-root", content="0123"), OWNER)
    before = bench.volume("web-root")
    bench.hypervisor.trash_volume(POOL, "web-root")
    bench.hypervisor.restore_volume(POOL, trashed(bench).trash_name)
    assert bench.volume("web-root") == before
    assert bench.hypervisor.trash() == ()


def test_nothing_is_restored_over_something(bench: Bench) -> None:
    found = put_in_trash(bench)
    bench.hypervisor.create_volume(volume("web-root", capacity_bytes=GIB), OTHER_OWNER)
    with pytest.raises(Conflict, match="taken"):
        bench.hypervisor.restore_volume(POOL, found.trash_name)
    assert bench.volume("web-root").owner == OTHER_OWNER
    assert bench.hypervisor.trash() == (found,)


@pytest.mark.parametrize(("pool", "name"), [(POOL, "web-root"), ("nowhere", "web-root")])
def test_what_is_not_in_the_trash_is_not_restored(bench: Bench, pool: str, name: str) -> None:
    put_in_trash(bench)
    with pytest.raises(NotFound):
        bench.hypervisor.restore_volume(pool, name)


def test_several_of_one_name_are_told_apart(bench: Bench) -> None:
    for number in range(3):
        bench.hypervisor.create_volume(volume("web-root", content=str(number)), OWNER)
        bench.hypervisor.trash_volume(POOL, "web-root")
    found = bench.hypervisor.trash()
    assert len({each.trash_name for each in found}) == 3
    bench.hypervisor.restore_volume(POOL, sorted(each.trash_name for each in found)[1])
    assert bench.volume("web-root").content == "1"


def test_a_volume_is_purged_for_good(bench: Bench) -> None:
    found, kept = put_in_trash(bench), put_in_trash(bench, "web-data")
    for _ in range(2):
        bench.hypervisor.purge_volume(POOL, found.trash_name)
    assert bench.hypervisor.trash() == (kept,)
    with pytest.raises(NotFound):
        bench.hypervisor.purge_volume("nowhere", found.trash_name)


def test_only_the_trash_can_be_purged(bench: Bench) -> None:
    bench.hypervisor.create_volume(volume("web-root"), OWNER)
    with suppress(Conflict, NotFound):
        bench.hypervisor.purge_volume(POOL, "web-root")
    assert bench.volume_names() == {"web-root"}


def test_old_trash_is_tidied_away_and_younger_stays(bench: Bench) -> None:
    found = put_in_trash(bench)
    bench.hypervisor.create_volume(volume("web-data"), OWNER)
    bench.hypervisor.tidy("production", found.since - LATER, None)
    assert bench.hypervisor.trash() == (found,)
    for _ in range(2):
        bench.hypervisor.tidy("production", found.since + LATER, None)
    assert bench.hypervisor.trash() == ()
    assert bench.volume_names() == {"web-data"}


def test_an_environment_leaves_the_trash_of_others_alone(bench: Bench) -> None:
    found = put_in_trash(bench)
    bench.hypervisor.tidy("staging", found.since + LATER, None)
    assert bench.hypervisor.trash() == (found,)


def test_what_was_made_with_is_recorded(bench: Bench) -> None:
    bench.hypervisor.create_volume(volume("web-root", content="0123456789abcdef"), OWNER)
    bench.hypervisor.create_volume(volume("web-data"), OWNER)
    assert bench.volume("web-root").content == "0123456789abcdef"
    assert bench.volume("web-data").content is None


def test_a_new_mark_leaves_the_record(bench: Bench) -> None:
    bench.hypervisor.create_volume(volume("web-root", content="0123"), OWNER)
    bench.hypervisor.mark_volume(POOL, "web-root", OTHER_OWNER)
    assert (bench.volume("web-root").content, bench.volume("web-root").owner) == (
        "0123",
        OTHER_OWNER,
    )


@pytest.mark.needs("upload")
def test_a_seed_is_made(bench: Bench) -> None:
    bench.hypervisor.create_volume(seed("web-seed"), OWNER)
    assert bench.volume("web-seed") == VolumeState(POOL, "web-seed", "iso", MIB, OWNER, "0123")


@pytest.mark.needs("upload")
def test_a_seed_is_written_anew(bench: Bench) -> None:
    bench.hypervisor.create_volume(seed("web-seed"), OWNER)
    for _ in range(2):
        bench.hypervisor.write_seed(
            seed("web-seed", content="4567", capacity_bytes=2 * MIB), OTHER_OWNER
        )
    written = VolumeState(POOL, "web-seed", "iso", 2 * MIB, OTHER_OWNER, "4567")
    assert bench.volume("web-seed") == written


@pytest.mark.needs("upload")
def test_a_seed_is_written_anew_under_a_guest(bench: Bench) -> None:
    bench.hypervisor.create_volume(seed("web-seed"), OWNER)
    wanted = bench.make("web")
    disk = type(wanted.disks[0])("seed", POOL, "web-seed", "cdrom")
    bench.make("web", disks=(*wanted.disks, disk), start=True)
    before = bench.domain("web")
    bench.hypervisor.write_seed(seed("web-seed", content="4567"), OWNER)
    assert bench.volume("web-seed").content == "4567"
    assert bench.domain("web") == before


def test_a_seed_that_is_not_there_is_not_found(bench: Bench) -> None:
    with pytest.raises(NotFound):
        bench.hypervisor.write_seed(seed("web-seed"), OWNER)


@pytest.mark.needs("upload")
def test_a_seed_is_trashed_and_restored_like_any_volume(bench: Bench) -> None:
    bench.hypervisor.create_volume(seed("web-seed"), OWNER)
    before = bench.volume("web-seed")
    bench.hypervisor.trash_volume(POOL, "web-seed")
    bench.hypervisor.restore_volume(POOL, trashed(bench, "web-seed").trash_name)
    assert bench.volume("web-seed") == before


def test_time_before_all_trash_is_no_reason_to_delete(bench: Bench) -> None:
    found = put_in_trash(bench)
    bench.hypervisor.tidy("production", datetime(1970, 1, 2, tzinfo=UTC), None)
    assert bench.hypervisor.trash() == (found,)
