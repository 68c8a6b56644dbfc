"""Volumes in use, on a host that can be cut off, that rounds, and that lies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import libvirt
import pytest

from reconciler.drivers.libvirt_ import volumes
from reconciler.drivers.libvirt_.manifest import MemoryManifest
from reconciler.drivers.libvirt_.marks import Mark, Rounded
from reconciler.drivers.refusal import Missing, Refused
from reconciler.model.resource import Owner
from reconciler.ports.hypervisor import ImageSource, NewVolume, Seed, VolumeState
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

OWNER = Owner("production", "web-1", "0123456789abcdef")
OTHER = Owner("production", "web-1", "fedcba9876543210")
NEW = NewVolume(POOL, "web-root", "qcow2", 8 * GIB, content="digest")
IMAGE = ImageSource("debian-12", "https://images.example/x", "ab" * 32)
IMAGE_FILE = "debian-12.abababababababab"
FROM_IMAGE = replace(NEW, image=IMAGE)
SEED = NewVolume(POOL, "web-seed", "iso", 2**20, seed=Seed("id: 1\n", "#cloud-config\n", ""))
KEY = f"{POOL}/web-root"
MARK = Mark(OWNER, "digest", "qcow2")

LOST = libvirt_error(libvirt.VIR_ERR_SYSTEM_ERROR, libvirt.VIR_FROM_RPC)
FULL = libvirt_error(libvirt.VIR_ERR_SYSTEM_ERROR)
BUSY = libvirt_error(libvirt.VIR_ERR_OPERATION_INVALID)
DENIED = libvirt_error(libvirt.VIR_ERR_ACCESS_DENIED)


@pytest.fixture
def host() -> FakeHost:
    return FakeHost()


def with_image(host: FakeHost, capacity_bytes: int = 2 * GIB) -> FakeHost:
    host.files[IMAGE_FILE] = FakeFile("debian", capacity_bytes)
    return host


class WatchedManifest(MemoryManifest):
    """Counts the looks."""

    looks = 0

    def look(self) -> Mapping[str, Mark]:
        self.looks += 1
        return super().look()


def test_a_look_at_the_volumes_is_a_look_at_the_host(host: FakeHost) -> None:
    manifest = WatchedManifest()
    assert list(volumes.observe(host, storage(host, manifest))) == []
    assert manifest.looks == 1
    volumes.create(host, storage(host, manifest), NEW, OWNER)
    assert manifest.looks == 1


def failing_at(step: str, error: Exception) -> Callable[[str], None]:
    def on_step(name: str) -> None:
        if name == step:
            raise error

    return on_step


def seen(host: FakeHost, store: Any) -> dict[str, VolumeState]:
    return {each.name: each for each in volumes.observe(host, store)}


def test_a_volume_is_marked_as_begun_before_it_is_made(host: FakeHost) -> None:
    store, found = storage(host), []
    host.on_step = lambda step: found.append((step, store.manifest.read().get(KEY)))
    volumes.create(host, store, NEW, OWNER)
    assert dict(found)["before create web-root"] == replace(MARK, begun=NOON)
    assert store.manifest.read() == {KEY: MARK}


@pytest.mark.parametrize(("failure", "is_marked"), [(LOST, True), (FULL, False), (BUSY, False)])
def test_a_mark_stays_only_when_the_volume_may_be_there(
    host: FakeHost, failure: Exception, is_marked: bool
) -> None:
    store = storage(host)
    host.on_step = failing_at("before create web-root", failure)
    with pytest.raises(libvirt.libvirtError):
        volumes.create(host, store, NEW, OWNER)
    assert (KEY in store.manifest.read()) is is_marked


def test_what_was_never_finished_is_hidden_and_made_anew(host: FakeHost) -> None:
    """And what was there is not lost: it may be somebody's who took the name."""
    store = storage(host)
    store.manifest.write(KEY, replace(MARK, begun=NOON))
    host.files["web-root"] = FakeFile("half", 8 * GIB)
    assert seen(host, store) == {}
    volumes.create(host, store, NEW, OWNER)
    assert seen(host, store) == {
        "web-root": VolumeState(POOL, "web-root", "qcow2", 8 * GIB, OWNER, "digest")
    }
    assert {name: file.data for name, file in host.files.items()} == {
        "trash.20261121T120000.1.web-root": "half",
        "web-root": "fresh",
    }


def test_the_name_of_a_stranger_is_taken_and_stays_his(host: FakeHost) -> None:
    store = storage(host)
    host.files["web-root"] = FakeFile("his", GIB)
    with pytest.raises(Refused, match="taken"):
        volumes.create(host, store, NEW, OWNER)
    assert host.files == {"web-root": FakeFile("his", GIB)}
    assert store.manifest.read() == {}


def test_who_takes_the_name_in_the_last_moment_keeps_his_volume(host: FakeHost) -> None:
    store = storage(host)

    def take(step: str) -> None:
        if step == "before create web-root":
            host.files["web-root"] = FakeFile("his", GIB)

    host.on_step = take
    with pytest.raises(libvirt.libvirtError):
        volumes.create(host, store, NEW, OWNER)
    assert host.files["web-root"].data == "his"
    assert store.manifest.read() == {}


def test_a_copy_of_an_image_grows_to_its_size(host: FakeHost) -> None:
    volumes.create(with_image(host), storage(host), FROM_IMAGE, OWNER)
    assert host.files["web-root"] == FakeFile("debian", 8 * GIB)


def test_an_overlay_names_its_image_and_the_format_of_it(host: FakeHost) -> None:
    volumes.create(with_image(host), storage(host), replace(FROM_IMAGE, overlay=True), OWNER)
    assert host.files["web-root"].backing == f"/pools/default/{IMAGE_FILE}"
    assert '<format type="qcow2"/></backingStore>' in host.sent[0]


@pytest.mark.parametrize("failing", ["before resize web-root", "after resize web-root"])
def test_a_copy_that_cannot_grow_is_removed(host: FakeHost, failing: str) -> None:
    store = storage(with_image(host))
    host.on_step = failing_at(failing, FULL)
    with pytest.raises(libvirt.libvirtError):
        volumes.create(host, store, FROM_IMAGE, OWNER)
    assert set(host.files) == {IMAGE_FILE}
    assert store.manifest.read() == {}


def test_a_copy_that_cannot_be_removed_either_still_counts_as_not_whole(host: FakeHost) -> None:
    store = storage(with_image(host))

    def on_step(step: str) -> None:
        if step in {"before resize web-root", "before delete web-root"}:
            raise FULL if "resize" in step else BUSY

    host.on_step = on_step
    with pytest.raises(libvirt.libvirtError) as caught:
        volumes.create(host, store, FROM_IMAGE, OWNER)
    assert caught.value is FULL
    assert store.manifest.read()[KEY].begun == NOON
    host.on_step = lambda _step: None
    volumes.create(host, store, FROM_IMAGE, OWNER)
    assert seen(host, store)["web-root"].capacity_bytes == 8 * GIB


def test_a_volume_is_not_smaller_than_its_image(host: FakeHost) -> None:
    store = storage(with_image(host, 9 * GIB))
    with pytest.raises(Refused, match="what it is made from has 9 GiB"):
        volumes.create(host, store, FROM_IMAGE, OWNER)
    assert store.manifest.read() == {}


def test_cached_images_are_nobodys_volumes(host: FakeHost) -> None:
    store = storage(with_image(host))
    store.manifest.write(f"{POOL}/{IMAGE_FILE}", Mark(content="ab" * 32))
    assert seen(host, store) == {}


def test_a_mark_is_replaced_and_the_rest_of_it_kept(host: FakeHost) -> None:
    store = storage(host)
    volumes.create(host, store, NEW, OWNER)
    volumes.mark(host, store, POOL, "web-root", OTHER)
    assert store.manifest.read() == {KEY: replace(MARK, owner=OTHER)}
    with pytest.raises(Missing):
        volumes.mark(host, store, POOL, "nothing", OTHER)


def test_what_is_marked_for_the_first_time_keeps_its_format(host: FakeHost) -> None:
    store = storage(host)
    host.files["web-root"] = FakeFile("adopted", GIB, "raw")
    volumes.mark(host, store, POOL, "web-root", OWNER)
    assert store.manifest.read() == {KEY: Mark(OWNER, None, "raw")}


def test_a_volume_grows_through_the_guest_that_has_it(host: FakeHost) -> None:
    store, guest = storage(host), FakeGuest(host, "web-root")
    volumes.create(host, store, NEW, OWNER)
    host.domains = [FakeGuest(host, "other"), guest]
    volumes.grow(host, store, POOL, "web-root", 16 * GIB)
    assert guest.resized == [("vdb", 16 * GIB, libvirt.VIR_DOMAIN_BLOCK_RESIZE_BYTES)]
    assert host.files["web-root"].capacity_bytes == 16 * GIB


def test_a_volume_that_no_guest_has_grows_by_itself(host: FakeHost) -> None:
    store = storage(host)
    volumes.create(host, store, NEW, OWNER)
    host.domains = [FakeGuest(host, "other")]
    volumes.grow(host, store, POOL, "web-root", 16 * GIB)
    assert host.files["web-root"].capacity_bytes == 16 * GIB


def test_a_volume_that_does_not_grow_is_told(host: FakeHost) -> None:
    store, guest = storage(host), FakeGuest(host, "web-root")
    volumes.create(host, store, NEW, OWNER)
    guest.blockResize = lambda *_arguments: None  # type: ignore[method-assign] # QEMU said yes
    host.domains = [guest]
    with pytest.raises(Refused, match="8 GiB instead of 16 GiB"):
        volumes.grow(host, store, POOL, "web-root", 16 * GIB)


def test_a_raw_volume_stays_raw_whatever_its_guest_writes(host: FakeHost) -> None:
    """The header of an overlay over a file of the host, of a size that would look like drift."""
    store = storage(host)
    volumes.create(host, store, replace(NEW, format="raw"), OWNER)
    before = seen(host, store)
    host.files["web-root"] = FakeFile("evil", 1024 * GIB, "qcow2", 8 * GIB, "/etc/shadow")
    assert seen(host, store) == before
    assert volumes.formats_of(host, store, [(POOL, "web-root")]) == {(POOL, "web-root"): "raw"}
    with pytest.raises(Refused, match="looks like qcow2"):
        volumes.grow(host, store, POOL, "web-root", 16 * GIB)


def test_all_volumes_that_are_missing_are_told_at_once(host: FakeHost) -> None:
    places = [(POOL, "one"), (POOL, "two"), ("nowhere", "three")]
    with pytest.raises(Refused, match=r"one.*two.*nowhere"):
        volumes.formats_of(host, storage(host), places)


def test_what_a_pool_gives_more_is_no_difference(host: FakeHost) -> None:
    """LVM counts in extents. A volume that seems too large would be made anew."""
    host.unit_bytes, asked_bytes = 3 * GIB, 8 * GIB
    store = storage(host)
    volumes.create(host, store, NEW, OWNER)
    assert host.files["web-root"].capacity_bytes == 9 * GIB
    assert seen(host, store)["web-root"].capacity_bytes == asked_bytes
    volumes.grow(host, store, POOL, "web-root", asked_bytes + 1)
    assert seen(host, store)["web-root"].capacity_bytes == asked_bytes + 1
    volumes.grow(host, store, POOL, "web-root", 10 * GIB)
    assert store.manifest.read()[KEY].rounded == Rounded(10 * GIB, 12 * GIB)
    with pytest.raises(Refused, match="never shrinks"):
        volumes.grow(host, store, POOL, "web-root", 9 * GIB)
    volumes.grow(host, store, POOL, "web-root", 12 * GIB)
    assert store.manifest.read() == {KEY: MARK}


def test_what_grew_by_hand_is_seen_in_full(host: FakeHost) -> None:
    host.unit_bytes = 3 * GIB
    store = storage(host)
    volumes.create(host, store, NEW, OWNER)
    host.files["web-root"].capacity_bytes = 30 * GIB
    assert seen(host, store)["web-root"].capacity_bytes == 30 * GIB


def test_a_seed_in_use_is_made_anew_beside_the_old_file(host: FakeHost) -> None:
    """QEMU holds the old file; to write into it would show its guest a half."""
    store, steps = storage(host), list[str]()
    volumes.create(host, store, SEED, OWNER)
    host.on_step = steps.append
    volumes.write_seed(host, store, replace(SEED, content="new"), OTHER)
    assert [step for step in steps if step.startswith("after")] == [
        "after mark default/web-seed",
        "after delete web-seed",
        "after create web-seed",
        "after upload web-seed",
        "after mark default/web-seed",
    ]
    state = VolumeState(POOL, "web-seed", "iso", 2**20, OTHER, "new")
    assert seen(host, store) == {"web-seed": state}


def test_a_seed_that_does_not_fit_leaves_the_old_one(host: FakeHost) -> None:
    store = storage(host)
    volumes.create(host, store, SEED, OWNER)
    marks, files = store.manifest.read(), dict(host.files)
    large = replace(SEED, seed=Seed("id: 1\n", "x" * 2**20, ""))
    with pytest.raises(Refused, match="give the seed more room"):
        volumes.write_seed(host, store, large, OWNER)
    assert (store.manifest.read(), host.files) == (marks, files)


def test_a_seed_that_is_not_there_is_missing(host: FakeHost) -> None:
    with pytest.raises(Missing):
        volumes.write_seed(host, storage(host), SEED, OWNER)


def test_a_pool_at_work_is_seen_as_it_was(host: FakeHost) -> None:
    host.files["web-root"] = FakeFile("his", 8 * GIB)
    host.refresh_error = BUSY
    assert list(seen(host, storage(host))) == ["web-root"]


def test_a_pool_that_may_not_be_looked_at_fails_the_look(host: FakeHost) -> None:
    host.refresh_error = DENIED
    with pytest.raises(libvirt.libvirtError):
        seen(host, storage(host))


def test_a_volume_that_goes_away_during_the_look_is_left_out(host: FakeHost) -> None:
    host.files = {"one": FakeFile("1", GIB), "two": FakeFile("2", GIB)}
    found = volumes.observe(host, storage(host))
    assert next(found).name == "one"
    del host.files["two"]
    assert list(found) == []
