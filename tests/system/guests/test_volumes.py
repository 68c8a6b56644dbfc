"""Volumes on a real host: made, grown, thrown away and brought back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from reconciler.drivers.farm import RealFarm
from reconciler.errors import Conflict, NotFound
from reconciler.ports.hypervisor import (
    Disk,
    Hypervisor,
    ImageSource,
    NewVolume,
    Seed,
    VolumeState,
)
from tests.system.driven import MIB, OWNER, POOL, driven, make_tiny, tiny
from tests.system.lab import Lab, LabHost, await_guest, eventually

GIB = 1024**3
ADDRESS = "10.213.8.81"
DIRECTORY = "/var/lib/libvirt/images"
SMALL = "/var/lib/libvirt/small"
SEED = Seed("instance-id: one\n", "#cloud-config\n{}\n", "version: 2\n")


@pytest.fixture
def farm(lab: Lab, virthost: LabHost, tmp_path: Path) -> Iterator[RealFarm]:
    with driven(lab, tmp_path) as farm:
        yield farm


@pytest.fixture
def port(farm: RealFarm) -> Hypervisor:
    return farm.hypervisor("virt1")


def volume(name: str, **changes: Any) -> NewVolume:
    return replace(NewVolume(POOL, name, "qcow2", GIB), **changes)


def seen(port: Hypervisor) -> dict[str, VolumeState]:
    return {each.name: each for each in port.volumes() if each.pool == POOL}


def on_disk(host: LabHost, name: str) -> dict[str, Any]:
    told = host.run("qemu-img", "info", "-U", "--output=json", f"{DIRECTORY}/{name}")
    found: dict[str, Any] = json.loads(told)
    return found


def all_marks(host: LabHost) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(host.run("cat", "/var/lib/reconciler/volumes.json"))
    return found


def marks(host: LabHost) -> dict[str, Any]:
    found = all_marks(host)
    return {key: mark for key, mark in found.items() if key.startswith(f"{POOL}/")}


def inode(host: LabHost, name: str) -> str:
    return host.run("stat", "-c", "%i", f"{DIRECTORY}/{name}")


def test_volumes_are_what_they_were_asked_to_be(
    lab: Lab, virthost: LabHost, port: Hypervisor
) -> None:
    image = ImageSource("tiny", str(lab.image("tiny")), lab.checksum("tiny"))
    wanted = (
        volume("empty"),
        volume("bytes", format="raw", capacity_bytes=GIB + 512),
        volume("copy", image=image, content="digest"),
        volume("copied-bytes", image=image, format="raw"),
        volume("overlay", image=image, overlay=True),
        volume("seed", format="iso", capacity_bytes=MIB, seed=SEED),
    )
    for new in wanted:
        port.create_volume(new, OWNER)
    assert seen(port) == {
        new.name: VolumeState(POOL, new.name, new.format, new.capacity_bytes, OWNER, new.content)
        for new in wanted
    }
    files = {new.name: on_disk(virthost, new.name) for new in wanted}
    assert {name: file["virtual-size"] for name, file in files.items()} == {
        new.name: new.capacity_bytes for new in wanted
    }
    assert files["overlay"]["backing-filename-format"] == "qcow2"
    assert [name for name, file in files.items() if "backing-filename" in file] == ["overlay"]
    assert not any("begun" in mark for mark in marks(virthost).values())


def test_a_seed_is_read_by_the_kernel(virthost: LabHost, port: Hypervisor) -> None:
    port.create_volume(volume("seed", format="iso", capacity_bytes=MIB, seed=SEED), OWNER)
    told = virthost.run("blkid", "-p", "-o", "export", f"{DIRECTORY}/seed")
    assert "LABEL=cidata" in told.splitlines()
    assert "TYPE=iso9660" in told.splitlines()


def test_a_volume_grows_under_a_guest_that_runs_on(
    lab: Lab, virthost: LabHost, port: Hypervisor
) -> None:
    make_tiny(lab, port, "grower", ADDRESS)
    before = await_guest(ADDRESS)
    port.grow_volume(POOL, "grower-root", 512 * MIB)
    eventually(lambda: await_guest(ADDRESS).disks.get("vda") == 512 * MIB or None)
    after = await_guest(ADDRESS)
    assert (after.boot_id, after.boots) == (before.boot_id, before.boots)
    assert seen(port)["grower-root"].capacity_bytes == 512 * MIB
    with pytest.raises(Conflict, match="never shrinks"):
        port.grow_volume(POOL, "grower-root", 256 * MIB)
    with pytest.raises(Conflict, match="in use by grower"):
        port.trash_volume(POOL, "grower-root")
    with pytest.raises(Conflict, match="in use by grower"):
        port.trash_volume(POOL, "grower-seed")


def test_a_seed_gets_new_contents_while_its_guest_runs(
    lab: Lab, virthost: LabHost, port: Hypervisor
) -> None:
    """The guest keeps what it has until it stops; then it starts with the new."""
    make_tiny(lab, port, "seeded", ADDRESS)
    before = await_guest(ADDRESS)
    mac = tiny("seeded", ADDRESS).interfaces[0].mac
    network = f"version: 2\nethernets: {{lan: {{match: {{macaddress: '{mac}'}}, "
    seed = Seed("local-hostname: other\n", "", network + f"addresses: [{ADDRESS}/24]}}}}\n")
    new = volume("seeded-seed", format="iso", capacity_bytes=MIB, seed=seed, content="new")
    port.write_seed(new, OWNER)
    assert await_guest(ADDRESS).boot_id == before.boot_id
    assert seen(port)["seeded-seed"].content == "new"
    port.stop_domain("seeded")
    port.start_domain("seeded")
    assert await_guest(ADDRESS).hostname == "other"


def test_the_trash_keeps_the_file_itself_and_gives_it_back(
    virthost: LabHost, port: Hypervisor
) -> None:
    port.create_volume(volume("data", content="digest"), OWNER)
    file, mark = inode(virthost, "data"), marks(virthost)[f"{POOL}/data"]
    port.trash_volume(POOL, "data")
    (trashed,) = port.trash()
    assert (trashed.pool, trashed.name, trashed.owner) == (POOL, "data", OWNER)
    assert inode(virthost, trashed.trash_name) == file
    assert marks(virthost) == {f"{POOL}/{trashed.trash_name}": mark}
    assert "data" not in seen(port)
    port.restore_volume(POOL, trashed.trash_name)
    assert inode(virthost, "data") == file
    assert marks(virthost) == {f"{POOL}/data": mark}
    assert port.trash() == ()
    assert seen(port)["data"].content == "digest"


def test_a_name_that_is_taken_again_is_not_given_back(virthost: LabHost, port: Hypervisor) -> None:
    for _ in range(2):
        port.create_volume(volume("data"), OWNER)
        port.trash_volume(POOL, "data")
    port.create_volume(volume("data"), OWNER)
    one, two = port.trash()
    with pytest.raises(Conflict, match="taken"):
        port.restore_volume(POOL, one.trash_name)
    port.purge_volume(POOL, two.trash_name)
    with pytest.raises(NotFound):
        port.restore_volume(POOL, two.trash_name)
    assert port.trash() == (one,)


def test_the_trash_is_emptied_of_what_is_old_and_ours(virthost: LabHost, port: Hypervisor) -> None:
    now = datetime.now(UTC)  # noqa: TID251 - a real farm lives in real time
    port.create_volume(volume("data"), OWNER)
    port.trash_volume(POOL, "data")
    virthost.run("touch", f"{DIRECTORY}/trash.20200101T000000.1.whose")
    port.tidy("production", now - timedelta(minutes=5), None)
    port.tidy("staging", now + timedelta(minutes=5), None)
    assert {each.name for each in port.trash()} == {"data", "whose"}
    port.tidy("production", now + timedelta(minutes=5), None)
    assert {each.name for each in port.trash()} == {"whose"}
    assert marks(virthost) == {}


def test_what_a_guest_writes_to_a_raw_volume_does_not_pass_for_another_format(
    virthost: LabHost, port: Hypervisor
) -> None:
    """An overlay of a file of the host, with a size that would look like drift."""
    port.create_volume(volume("bytes", format="raw", capacity_bytes=64 * MIB), OWNER)
    before = seen(port)["bytes"]
    virthost.run("qemu-img", "create", "-q", "-f", "qcow2", "/tmp/evil", "1T")  # noqa: S108
    evil = ["-u", "-f", "qcow2", "-F", "raw", "-b", "/etc/shadow", "/tmp/evil"]  # noqa: S108
    virthost.run("qemu-img", "rebase", *evil)
    virthost.run("dd", "if=/tmp/evil", f"of={DIRECTORY}/bytes", "conv=notrunc", "status=none")
    assert on_disk(virthost, "bytes")["format"] == "qcow2"
    assert seen(port)["bytes"] == before
    port.define_domain(tiny("victim", ADDRESS, disks=(Disk("root", POOL, "bytes"),)), OWNER)
    assert "type='raw'" in virthost.run("virsh", "dumpxml", "victim")
    with pytest.raises(Conflict, match="looks like qcow2"):
        port.grow_volume(POOL, "bytes", 128 * MIB)
    port.undefine_domain("victim")
    port.trash_volume(POOL, "bytes")
    (trashed,) = port.trash()
    port.restore_volume(POOL, trashed.trash_name)
    assert seen(port)["bytes"] == before


@pytest.fixture
def small_pool(virthost: LabHost) -> Iterator[str]:
    """A pool of 32 MiB."""
    virthost.run("mkdir", "-p", SMALL)
    virthost.run("mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", SMALL)
    try:
        virthost.run("virsh", "pool-create-as", "small", "dir", "--target", SMALL)
        yield "small"
        virthost.run("virsh", "pool-destroy", "small")
    finally:
        virthost.run("umount", "--lazy", SMALL)


def test_a_pool_that_gets_full_meanwhile_keeps_nothing_half(
    lab: Lab, virthost: LabHost, port: Hypervisor, small_pool: str
) -> None:
    """F34: libvirt believed that there was room. The rest of the host goes on."""
    image = ImageSource("tiny", str(lab.image("tiny")), lab.checksum("tiny"))
    port.create_volume(volume("warm-up", image=image), OWNER)
    virthost.run("dd", "if=/dev/zero", f"of={SMALL}/stray", "bs=1M", "count=31", "status=none")
    new = NewVolume(small_pool, "web-root", "raw", 32 * MIB - 4096)
    with pytest.raises(Conflict):
        port.create_volume(replace(new, seed=SEED, format="iso"), OWNER)
    assert virthost.run("ls", SMALL).split() == ["stray"]
    assert {key.partition("/")[0] for key in all_marks(virthost)} == {POOL, "images"}
    port.create_volume(volume("other"), OWNER)
    virthost.run("rm", f"{SMALL}/stray")
    port.create_volume(replace(new, seed=SEED, format="iso"), OWNER)
    assert "web-root" in {each.name for each in port.volumes()}
