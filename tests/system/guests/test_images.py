"""Images on a real host: what arrives is what git pins, and what does not arrive leaves nothing."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from reconciler.drivers.images.spool import SpooledImage
from reconciler.drivers.libvirt_.connection import LibvirtConnection
from reconciler.drivers.libvirt_.image_waste import discard_unused_images
from reconciler.drivers.libvirt_.images import POOL_PATH, ImageCache, put
from reconciler.drivers.libvirt_.manifest import MemoryManifest
from reconciler.drivers.libvirt_.marks import Mark
from reconciler.drivers.libvirt_.over_ssh import SshProgram
from reconciler.drivers.ssh.access import Access
from reconciler.errors import Conflict, Denied, DriverError
from reconciler.model.resource import Owner
from reconciler.ports.hypervisor import ImageSource
from tests.images.bench import spool_at
from tests.images.specimens import DATA_FILE, GIB, MIB, Qcow2, source_of
from tests.system.lab import Lab, LabHost, eventually

LONG = timedelta(minutes=5)
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=2)
BASE = "/var/lib/libvirt/base"
SCRATCH, SECRET = "/var/lib/reconciler/scratch", "/var/lib/reconciler/secret"  # go with clean-host


@dataclass
class Bench:
    """The image cache of one host, and how to call it."""

    host: LabHost
    connection: LibvirtConnection
    cache: ImageCache
    manifest: MemoryManifest
    directory: Path

    def source(self, content: bytes, **fields: str) -> ImageSource:
        """An image in a file that the operator allows."""
        file = self.directory / "image"
        file.write_bytes(content)
        return source_of(content, str(file), **fields)

    def run(self, work: Callable[[Any], Any]) -> Any:
        return self.connection.run("work", work, deadline=LONG)

    def ensure(self, source: ImageSource) -> str:
        """The name of the volume with the image."""
        name: str = self.run(lambda c: self.cache.volume(c, source).name())
        return name

    def discard(self, *wanted: ImageSource, now: datetime = NOW) -> tuple[str, ...]:
        cache = replace(self.cache, now=lambda: now)
        checksums = frozenset(source.checksum for source in wanted)
        gone: tuple[str, ...] = self.run(lambda c: discard_unused_images(c, cache, checksums))
        return gone

    def ensure_again(self, source: ImageSource, mebibytes: int) -> str:
        """The same for an image whose file has been overwritten since."""
        self.source(Qcow2(disk_bytes=mebibytes * MIB).whole())
        return self.ensure(source)

    def content(self, path: str, length: int) -> str:
        """How the disk of an image begins."""
        self.host.run("qemu-img", "convert", "-f", "qcow2", "-O", "raw", path, SCRATCH)
        return self.host.run("head", "-c", str(length), SCRATCH)

    def files(self) -> list[str]:
        return self.host.run("ls", BASE).split()


@pytest.fixture
def bench(lab: Lab, virthost: LabHost, tmp_path: Path) -> Iterator[Bench]:
    access = Access(lab.ssh_key, lab.known_hosts)
    program = SshProgram(tmp_path / "ssh", access)
    connection = LibvirtConnection(virthost.name, "", dial=lambda: program.dial(virthost.address))
    manifest, numbers = MemoryManifest(), itertools.count(1)
    spool = spool_at(
        tmp_path, directories=(tmp_path, lab.image("tiny").resolve().parent), largest_bytes=GIB
    )
    cache = ImageCache(virthost.name, manifest, spool, lambda: f"{next(numbers):08x}", lambda: NOW)
    virthost.run("mkdir", "-p", "/var/lib/reconciler")
    yield Bench(virthost, connection, cache, manifest, tmp_path)
    connection.close()
    program.close()


def guest_image(lab: Lab, name: str = "tiny") -> ImageSource:
    return ImageSource(name, str(lab.image(name).resolve()), lab.checksum(name))


def test_an_image_arrives_once_and_whole(lab: Lab, bench: Bench) -> None:
    source = guest_image(lab)
    name = bench.ensure(source)
    assert name == f"tiny-{source.checksum[:16]}.00000001"
    assert bench.ensure(source) == name
    assert bench.files() == [name]
    script = f"cat > {SCRATCH}; qemu-img compare -f qcow2 -F qcow2 {SCRATCH} {BASE}/{name}"
    told = bench.host.run("sh", "-c", script, stdin=Path(source.url).read_bytes(), within=LONG)
    assert told == "Images are identical.\n"


def test_a_raw_image_is_kept_as_qcow2(bench: Bench) -> None:
    content = b"boot" + bytes(5 * MIB - 300)
    name = bench.ensure(bench.source(content, format="raw"))
    info = bench.host.run("qemu-img", "info", f"{BASE}/{name}")
    assert "file format: qcow2" in info
    assert f"({5 * MIB} bytes)" in info, "the last sector is filled up"
    assert bench.content(f"{BASE}/{name}", 4) == "boot"


def test_a_host_without_a_pool_of_images_gets_one(bench: Bench) -> None:
    bench.cache = replace(bench.cache, pool="made")
    name = bench.ensure(bench.source(Qcow2().whole()))
    told = bench.host.run("virsh", "pool-info", "made").split()
    assert (told[told.index("State:") + 1], told[told.index("Autostart:") + 1]) == (
        "running",
        "yes",
    )
    assert bench.host.run("ls", POOL_PATH).split() == [name]
    bench.host.run("virsh", "pool-destroy", "made")
    assert bench.ensure(bench.source(Qcow2().whole())) != name, "a pool that does not run has none"
    bench.host.run("rm", "-r", POOL_PATH)


def test_two_who_make_the_same_image_do_not_meet(bench: Bench, tmp_path: Path) -> None:
    """Two reconcilers on two machines: nothing but the host and its list is shared."""
    source = bench.source(bytes(64 * MIB), format="raw")
    spool = bench.cache.spool
    other = replace(bench.cache, spool=replace(spool, directory=tmp_path / "of-another"))
    with ThreadPoolExecutor(2) as pool:
        works = [pool.submit(bench.run, volume_name(each, source)) for each in (bench.cache, other)]
        names = sorted({work.result() for work in works})
    assert bench.files() == names
    assert {mark.content for mark in bench.manifest.read().values()} == {source.checksum}


def test_two_threads_upload_once(bench: Bench) -> None:
    source = bench.source(bytes(64 * MIB), format="raw")
    with ThreadPoolExecutor(3) as pool:
        works = [pool.submit(bench.run, volume_name(bench.cache, source)) for _ in range(3)]
        assert {work.result() for work in works} == set(bench.files())
    assert len(bench.files()) == 1


def volume_name(cache: ImageCache, source: ImageSource) -> Callable[[Any], str]:
    return lambda connection: str(cache.volume(connection, source).name())


@dataclass
class DeadlyManifest(MemoryManifest):
    """Marks, of which the n-th that is written is the end of the host's libvirtd."""

    host: LabHost
    left: int

    def __post_init__(self) -> None:
        super().__init__()

    def write(self, key: str, mark: Mark) -> None:
        super().write(key, mark)
        self.left -= 1
        if self.left == 0:
            kill_libvirtd(self.host)


def kill_libvirtd(host: LabHost) -> None:
    host.run("systemctl", "kill", "--signal=KILL", "libvirtd.service")


@pytest.mark.parametrize("write", [1, 2])
def test_a_libvirtd_that_dies_meanwhile_leaves_nothing_that_counts(
    bench: Bench, write: int
) -> None:
    source = bench.source(b"boot" + bytes(MIB - 4), format="raw")
    deadly = DeadlyManifest(bench.host, write)
    bench.cache = replace(bench.cache, manifest=deadly)
    with pytest.raises(DriverError):
        bench.ensure(source)
    assert all(mark.begun for mark in deadly.read().values())
    name = eventually(lambda: attempt(bench, source))
    assert bench.content(f"{BASE}/{name}", 4) == "boot"
    bench.discard(source, now=LATER)
    assert bench.files() == [name]
    assert list(deadly.read()) == [f"images/{name}"]


def test_a_libvirtd_that_dies_in_the_middle_of_converting_leaves_nothing_that_counts(
    lab: Lab, bench: Bench
) -> None:
    source = guest_image(lab, "debian-12")
    wait = "until pgrep -x qemu-img; do sleep 0.02; done; systemctl kill --signal=KILL libvirtd"
    with ThreadPoolExecutor(1) as pool:
        killing = pool.submit(bench.host.run, "timeout", "60", "sh", "-c", wait, within=LONG)
        with pytest.raises(DriverError):
            bench.ensure(source)
        killing.result()
    name = eventually(lambda: attempt(bench, source))
    bench.discard(source, now=LATER)
    assert bench.files() == [name]
    bench.host.run("qemu-img", "check", "-f", "qcow2", f"{BASE}/{name}")


def attempt(bench: Bench, source: ImageSource) -> str | None:
    """The name, or None: libvirtd takes a moment to come back."""
    try:
        return bench.ensure(source)
    except DriverError:
        return None


def test_images_go_when_no_document_names_them_and_no_volume_is_an_overlay(bench: Bench) -> None:
    used, unused, wanted = (
        bench.source(Qcow2(disk_bytes=size * MIB).whole()) for size in (5, 6, 7)
    )
    names = [bench.ensure_again(each, size) for each, size in ((used, 5), (unused, 6), (wanted, 7))]
    foreign = ("vol-create-as", "images", "somebodys", "1M")
    overlay = ("--backing-vol", f"{BASE}/{names[0]}", "--backing-vol-format", "qcow2")
    bench.host.run("virsh", *foreign)
    bench.host.run("virsh", "vol-create-as", "default", "over", "8M", "--format", "qcow2", *overlay)
    assert bench.discard(wanted) == (names[1],)
    assert bench.files() == sorted([names[0], names[2], "somebodys"])
    bench.host.run("virsh", "vol-delete", "over", "default")
    assert bench.discard(wanted) == (names[0],)
    assert bench.files() == sorted([names[2], "somebodys"])


def test_nothing_goes_while_a_pool_with_overlays_may_be_asleep(bench: Bench) -> None:
    name = bench.ensure(bench.source(Qcow2().whole()))
    bench.host.run("virsh", "pool-destroy", "default")
    assert bench.discard() == ()
    bench.host.run("virsh", "pool-start", "default")
    assert bench.discard() == (name,)


def test_what_is_being_made_is_left_alone_for_a_day(bench: Bench) -> None:
    bench.manifest.write("images/incoming.x", Mark(begun=NOW))
    bench.manifest.write("images/owned", Mark(Owner("production", "v", "d")))
    for name in ("incoming.x", "owned"):
        bench.host.run("virsh", "vol-create-as", "images", name, "1M")
    assert bench.discard(now=NOW + timedelta(hours=23)) == ()
    assert bench.discard(now=NOW + timedelta(hours=25)) == ("incoming.x",)
    assert bench.files() == ["owned"]


def test_a_pool_without_room_is_told_before_anything_is_sent(bench: Bench) -> None:
    spooled = SpooledImage(bench.directory / "image", 2**60, 2**60)
    with pytest.raises(Conflict, match=r"images has .* left"):
        bench.run(lambda c: put(c, bench.cache, bench.source(b"x", format="raw"), spooled))
    assert bench.files() == []


HOSTILE = {
    "backing file": Qcow2(backing=SECRET.encode()),
    "backing file of version 2": Qcow2(version=2, backing=SECRET.encode()),
    "data file": Qcow2(incompatible=4, autoclear=2, extensions=[(DATA_FILE, SECRET.encode())]),
}


@pytest.mark.parametrize("image", HOSTILE.values(), ids=HOSTILE)
def test_S20_what_would_copy_a_file_of_the_host_does_not_get_there(
    bench: Bench, image: Qcow2
) -> None:
    content = image.whole()
    bench.host.run(
        "sh", "-c", f"yes MARKER | head -c {8 * MIB} > {SECRET}; cat > {SCRATCH}", stdin=content
    )
    bench.host.run("qemu-img", "convert", "-f", "qcow2", "-O", "raw", SCRATCH, f"{SCRATCH}.raw")
    assert "MARKER" in bench.host.run("head", "-c", "100", f"{SCRATCH}.raw"), "it is not hostile"
    with pytest.raises(Denied):
        bench.ensure(bench.source(content))
    assert bench.files() == []


@pytest.mark.parametrize("image", list(HOSTILE.values())[:2], ids=list(HOSTILE)[:2])
def test_S20_the_host_is_not_told_to_convert_what_it_takes_for_an_overlay(
    bench: Bench, image: Qcow2
) -> None:
    """Should our own look at an image be fooled: libvirt 9 sees backing files, not data files."""
    content = image.whole()
    bench.host.run("sh", "-c", f"yes MARKER | head -c {8 * MIB} > {SECRET}")
    source = bench.source(content)
    spooled = SpooledImage(Path(source.url), len(content), image.disk_bytes)
    with pytest.raises(Conflict):
        bench.run(lambda c: put(c, bench.cache, source, spooled))
    assert bench.files() == []
