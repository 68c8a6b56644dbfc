"""Volumes of LVM and ZFS, which no kernel of ours runs: what is sent, by their manuals.

libvirt can neither rename nor grow them, nor copy into one of ZFS: commands of the host do that.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.drivers.libvirt_ import trash, volumes
from reconciler.drivers.libvirt_.making import volume_xml
from reconciler.drivers.libvirt_.pool_commands import growing, renaming
from reconciler.drivers.libvirt_.pools import Pool
from reconciler.drivers.libvirt_.storage import local_command
from reconciler.drivers.refusal import Refused
from reconciler.model.resource import Owner
from reconciler.ports.hypervisor import ImageSource, NewVolume, Seed
from tests.unit.drivers.libvirt_.fakehost import (
    GIB,
    POOL,
    FakeFile,
    FakeGuest,
    FakeHost,
    storage,
)

OWNER = Owner("production", "web-1", "0123456789abcdef")
NEW = NewVolume(POOL, "web-root", "raw", 8 * GIB)
IMAGE = ImageSource("debian-12", "https://images.example/x", "ab" * 32)
IMAGE_FILE = "debian-12.abababababababab"
TRASH = "trash.20261121T120000.1.web-root"
LVM = Pool(None, POOL, "logical", "vg0")
ZFS = Pool(None, POOL, "zfs", "tank/vms")
SIZE = '<capacity unit="bytes">8589934592</capacity>'


def test_a_logical_volume_is_allocated_in_full() -> None:
    """With less libvirt makes a snapshot of it. It has no format."""
    assert volume_xml(LVM, NEW) == (
        f"<volume><name>web-root</name>{SIZE}"
        '<allocation unit="bytes">8589934592</allocation></volume>'
    )


def test_a_zfs_volume_takes_what_is_written_in_whole_blocks() -> None:
    odd = replace(NEW, capacity_bytes=8 * GIB - 1)
    assert volume_xml(ZFS, odd) == (
        f'<volume><name>web-root</name>{SIZE}<allocation unit="bytes">0</allocation></volume>'
    )


@pytest.mark.parametrize("sort", ["logical", "zfs"])
def test_what_only_files_can_be_is_refused(sort: str) -> None:
    host = FakeHost(sort)
    for new, reason in (
        (replace(NEW, format="qcow2"), "holds no qcow2 volumes"),
        (replace(NEW, image=IMAGE, overlay=True), "make it a copy"),
    ):
        with pytest.raises(Refused, match=reason):
            volumes.create(host, storage(host), new, OWNER)
    assert host.files == {}


def test_an_image_is_copied_into_a_logical_volume_by_libvirt() -> None:
    host = FakeHost("logical", {IMAGE_FILE: FakeFile("debian", 2 * GIB)})
    volumes.create(host, storage(host), replace(NEW, image=IMAGE), OWNER)
    assert host.files["web-root"].data == "debian"
    assert host.files["web-root"].capacity_bytes == 8 * GIB
    assert host.commands == []


def test_an_image_is_copied_into_a_zfs_volume_by_qemu_img() -> None:
    host = FakeHost("zfs", {IMAGE_FILE: FakeFile("debian", 2 * GIB)})
    volumes.create(host, storage(host), replace(NEW, image=IMAGE), OWNER)
    assert host.files["web-root"].data == "debian"
    (command,) = host.commands
    assert command == [
        *("qemu-img", "convert", "-n", "-f", "raw", "-O", "raw", "--"),
        f"/dev/zvol/tank/vms/{IMAGE_FILE}",
        "/dev/zvol/tank/vms/web-root",
    ]


@pytest.mark.parametrize(
    ("sort", "command"),
    [
        ("logical", ["lvextend", "--size", "17179869184b", "vg0/web-root"]),
        ("zfs", ["zfs", "set", "volsize=17179869184", "tank/vms/web-root"]),
    ],
)
def test_the_device_grows_first_and_then_its_guest(sort: str, command: list[str]) -> None:
    host = FakeHost(sort)
    store, guest = storage(host), FakeGuest(host, "web-root")
    volumes.create(host, store, NEW, OWNER)
    host.domains = [guest]
    volumes.grow(host, store, POOL, "web-root", 16 * GIB)
    assert host.commands == [command]
    assert [size for _, size, _ in guest.resized] == [16 * GIB]
    assert host.files["web-root"].capacity_bytes == 16 * GIB


@pytest.mark.parametrize(
    ("sort", "command"),
    [
        ("logical", ["lvrename", "vg0", "web-root", TRASH]),
        ("zfs", ["zfs", "rename", "tank/vms/web-root", f"tank/vms/{TRASH}"]),
    ],
)
def test_the_trash_is_a_rename(sort: str, command: list[str]) -> None:
    host = FakeHost(sort)
    store = storage(host)
    volumes.create(host, store, NEW, OWNER)
    trash.put(host, store, POOL, "web-root")
    assert host.commands == [command]
    assert list(host.files) == [TRASH]
    trash.restore(host, store, POOL, TRASH)
    assert list(host.files) == ["web-root"]


def test_a_seed_on_a_device_is_written_over() -> None:
    """A device that a guest has open cannot be deleted."""
    seed = NewVolume(POOL, "web-seed", "iso", 2**20, seed=Seed("id: 1\n", "", ""))
    host = FakeHost("logical", unit_bytes=4 * 2**20)
    store = storage(host)
    volumes.create(host, store, seed, OWNER)
    volumes.write_seed(host, store, replace(seed, content="new"), OWNER)
    (state,) = volumes.observe(host, store)
    assert (state.format, state.capacity_bytes, state.content) == ("iso", 2**20, "new")
    assert len(host.sent) == 1


def test_other_pools_are_refused_in_words() -> None:
    with pytest.raises(Refused, match="volumes of a disk pool cannot be renamed"):
        renaming(Pool(None, POOL, "disk"), "/dev/sdb1", "sdb1", "trash")
    assert growing(Pool(None, POOL, "dir"), "web-root", GIB) is None


@pytest.mark.parametrize("name", ["plain", "-rf", "with space", "$(touch x)", "a\nb", "ü'\""])
def test_files_are_renamed_whatever_they_are_called(tmp_path: Path, name: str) -> None:
    pool = Pool(None, POOL, "dir")
    (tmp_path / name).write_text("data", encoding="utf-8")
    local_command(renaming(pool, str(tmp_path / name), name, f"trash.1.{name}"))
    assert [each.name for each in tmp_path.iterdir()] == [f"trash.1.{name}"]
    assert (tmp_path / f"trash.1.{name}").read_text(encoding="utf-8") == "data"


def test_a_file_never_takes_the_place_of_another(tmp_path: Path) -> None:
    (tmp_path / "one").write_text("1", encoding="utf-8")
    (tmp_path / "two").write_text("2", encoding="utf-8")
    with pytest.raises(Refused, match=r"there is a .*/two already"):
        local_command(renaming(Pool(None, POOL, "dir"), str(tmp_path / "one"), "one", "two"))
    assert (tmp_path / "one").read_text(encoding="utf-8") == "1"
    assert (tmp_path / "two").read_text(encoding="utf-8") == "2"


def test_a_volume_that_is_a_file_of_another_name_is_not_moved() -> None:
    with pytest.raises(Refused, match="another name"):
        renaming(Pool(None, POOL, "dir"), "/pools/default/web.img", "web-root", "trash")
