"""The trash of a pool: in, out, and gone for good."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import libvirt
import pytest

from reconciler.drivers.libvirt_ import trash, volumes
from reconciler.drivers.libvirt_.marks import Mark
from reconciler.drivers.refusal import Missing, Refused
from reconciler.model.resource import Owner
from reconciler.ports.hypervisor import NewVolume, TrashedVolume
from tests.unit.drivers.libvirt_.fakehost import (
    GIB,
    POOL,
    FakeFile,
    FakeGuest,
    FakeHost,
    libvirt_error,
    storage,
)
from tests.unit.drivers.libvirt_.stores import NOON

OWNER = Owner("production", "web-1-data", "0123456789abcdef")
STAGING = replace(OWNER, environment="staging")
NEW = NewVolume(POOL, "web-data", "qcow2", 8 * GIB, content="digest")
MARK = Mark(OWNER, "digest", "qcow2")
TRASH = "trash.20261121T120000.1.web-data"
BUSY = libvirt_error(libvirt.VIR_ERR_OPERATION_INVALID)


@pytest.fixture
def host() -> FakeHost:
    return FakeHost()


def trashed(host: FakeHost, *names: str) -> None:
    for name in names:
        host.files[name] = FakeFile(name, GIB)


def test_the_mark_moves_along_and_back(host: FakeHost) -> None:
    store = storage(host)
    volumes.create(host, store, NEW, OWNER)
    trash.put(host, store, POOL, "web-data")
    assert store.manifest.read() == {f"{POOL}/{TRASH}": MARK}
    assert list(trash.listing(host, store)) == [TrashedVolume(POOL, "web-data", TRASH, NOON, OWNER)]
    trash.restore(host, store, POOL, TRASH)
    assert store.manifest.read() == {f"{POOL}/web-data": MARK}
    assert list(trash.listing(host, store)) == []


def test_the_new_mark_comes_first_and_the_old_goes_last(host: FakeHost) -> None:
    store, steps = storage(host), list[str]()
    volumes.create(host, store, NEW, OWNER)
    host.on_step = steps.append
    trash.put(host, store, POOL, "web-data")
    assert [step for step in steps if step.startswith("after")] == [
        f"after mark {POOL}/{TRASH}",
        "after run sh",
        f"after mark {POOL}/web-data",
    ]


def test_several_of_one_name_in_one_second_get_numbers(host: FakeHost) -> None:
    store = storage(host)
    for _ in range(3):
        volumes.create(host, store, NEW, OWNER)
        trash.put(host, store, POOL, "web-data")
    assert [each.trash_name for each in trash.listing(host, store)] == [
        TRASH.replace(".1.", f".{number}.") for number in (1, 2, 3)
    ]


def test_the_list_of_the_trash_survives_the_loss_of_all_marks(host: FakeHost) -> None:
    trashed(host, TRASH)
    assert list(trash.listing(host, storage(host))) == [
        TrashedVolume(POOL, "web-data", TRASH, NOON, None)
    ]


@pytest.mark.parametrize(
    "name",
    [
        "trash",
        "trash.web-data",
        "trash.1.web-data",
        "trash.20260230T120000.1.web-data",  # there is no such day
        "trash.20261121T120000.1.",
        "my-trash.20261121T120000.1.web-data",
    ],
)
def test_names_that_only_look_alike_are_volumes(host: FakeHost, name: str) -> None:
    trashed(host, name)
    assert list(trash.listing(host, storage(host))) == []
    assert [each.name for each in volumes.observe(host, storage(host))] == [name]


def test_while_its_pool_is_at_work_nothing_is_moved(host: FakeHost) -> None:
    """Libvirt would go on to speak of the old name, and could not be told otherwise."""
    store = storage(host)
    volumes.create(host, store, NEW, OWNER)
    host.refresh_error = BUSY
    with pytest.raises(Refused, match="try again"):
        trash.put(host, store, POOL, "web-data")
    assert list(host.files) == ["web-data"]


def test_what_a_guest_uses_stays_in_use(host: FakeHost) -> None:
    store = storage(host)
    volumes.create(host, store, NEW, OWNER)
    host.domains = [FakeGuest(host, "web-data")]
    with pytest.raises(Refused, match="in use by guest"):
        trash.put(host, store, POOL, "web-data")


def test_a_name_taken_meanwhile_keeps_the_volume_in_the_trash(host: FakeHost) -> None:
    store = storage(host)
    trashed(host, TRASH, "web-data")
    with pytest.raises(Refused, match="the name web-data is taken"):
        trash.restore(host, store, POOL, TRASH)
    assert set(host.files) == {TRASH, "web-data"}


def test_what_was_never_whole_does_not_come_back(host: FakeHost) -> None:
    store = storage(host)
    trashed(host, TRASH)
    store.manifest.write(f"{POOL}/{TRASH}", replace(MARK, begun=NOON))
    with pytest.raises(Refused, match="never finished"):
        trash.restore(host, store, POOL, TRASH)


@pytest.mark.parametrize("name", [TRASH, "web-data", "", "trash.20261121T120000.1."])
def test_only_what_is_in_the_trash_comes_out_of_it(host: FakeHost, name: str) -> None:
    trashed(host, "web-data")
    with pytest.raises(Missing):
        trash.restore(host, storage(host), POOL, name)
    assert list(host.files) == ["web-data"]


def test_a_volume_in_use_is_never_purged(host: FakeHost) -> None:
    store = storage(host)
    trashed(host, "web-data")
    with pytest.raises(Refused, match="not in the trash"):
        trash.purge(host, store, POOL, "web-data")
    assert list(host.files) == ["web-data"]


def test_purging_twice_is_purging_once(host: FakeHost) -> None:
    store = storage(host)
    volumes.create(host, store, NEW, OWNER)
    trash.put(host, store, POOL, "web-data")
    for _ in range(2):
        trash.purge(host, store, POOL, TRASH)
    assert (host.files, store.manifest.read()) == ({}, {})


def test_what_somebody_put_to_use_straight_from_the_trash_is_not_deleted(host: FakeHost) -> None:
    store = storage(host)
    volumes.create(host, store, NEW, OWNER)
    trash.put(host, store, POOL, "web-data")
    host.domains = [FakeGuest(host, TRASH)]
    with pytest.raises(Refused, match="in use by guest"):
        trash.purge(host, store, POOL, TRASH)
    trash.tidy(host, store, "production", NOON + timedelta(days=1), None)
    assert list(host.files) == [TRASH]


def test_only_what_is_old_and_of_the_environment_is_tidied_away(host: FakeHost) -> None:
    store, old = storage(host), "trash.20261101T120000.1."
    kept = {
        "trash.20261121T120000.1.new": Mark(OWNER),
        f"{old}staging": Mark(STAGING),
        f"{old}nobodys": None,
        f"{old}image": Mark(),
        "web-data": Mark(OWNER),
    }
    trashed(host, f"{old}ours", *kept)
    store.manifest.change({f"{POOL}/{name}": mark for name, mark in kept.items()})
    store.manifest.write(f"{POOL}/{old}ours", Mark(OWNER))
    trash.tidy(host, store, "production", datetime(2026, 11, 14, tzinfo=UTC), None)
    assert set(host.files) == set(kept)
    assert f"{POOL}/{old}ours" not in store.manifest.read()


def test_what_was_begun_long_ago_and_never_finished_is_tidied_away(host: FakeHost) -> None:
    store = storage(host)
    for name, age in (("old", timedelta(days=8)), ("young", timedelta(days=6))):
        trashed(host, name)
        store.manifest.write(f"{POOL}/{name}", replace(MARK, begun=NOON - age))
    trash.tidy(host, store, "production", NOON - timedelta(days=7), None)
    assert list(host.files) == ["young"]
    assert list(store.manifest.read()) == [f"{POOL}/young"]


def test_a_mark_that_a_crash_left_does_not_make_ours_what_others_call_so_later(
    host: FakeHost,
) -> None:
    store = storage(host)
    trashed(host, "there")
    kept = {"there": MARK, "staging": Mark(STAGING), "making": replace(MARK, begun=NOON)}
    store.manifest.change({f"{POOL}/{name}": mark for name, mark in kept.items()})
    store.manifest.write(f"{POOL}/lost", MARK)
    trash.tidy(host, store, "production", NOON - timedelta(days=7), None)
    assert set(store.manifest.read()) == {f"{POOL}/{name}" for name in kept}


@pytest.mark.parametrize("named", [None, frozenset({"ab" * 32})])
def test_images_are_discarded_only_when_all_that_name_some_are_known(
    host: FakeHost, named: frozenset[str] | None
) -> None:
    asked: list[frozenset[str]] = []
    store = replace(storage(host), discard_images=lambda _host, wanted: asked.append(wanted))
    trash.tidy(host, store, "production", NOON, named)
    assert asked == ([] if named is None else [named])


def test_without_commands_the_trash_is_a_copy(host: FakeHost) -> None:
    store = replace(storage(host), command=None)
    volumes.create(host, store, NEW, OWNER)
    trash.put(host, store, POOL, "web-data")
    assert host.files == {TRASH: FakeFile("fresh", 8 * GIB)}
    assert store.manifest.read() == {f"{POOL}/{TRASH}": MARK}
