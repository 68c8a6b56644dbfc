"""S20: an image cannot make the host copy another file into a guest, or fill its disk with air."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from reconciler.drivers.images.spool import ImageSpool
from reconciler.errors import Denied
from tests.images import web as answers
from tests.images.bench import files_in, spool_at
from tests.images.specimens import (
    BACKING_FORMAT,
    DATA_FILE,
    ENCRYPTION,
    MIB,
    PIB,
    Qcow2,
    source_of,
)
from tests.images.web import serving

SECRET = b"/etc/SECRET"
HOSTILE = {
    "backing file": (Qcow2(backing=SECRET), "backing file"),
    "backing file of version 2": (Qcow2(version=2, backing=SECRET), "backing file"),
    "backing file far behind": (Qcow2(backing=SECRET, backing_offset=50_000), "backing file"),
    "a backing file without a name": (Qcow2(backing_offset=112), "backing file"),
    "format of a backing file": (Qcow2(extensions=[(BACKING_FORMAT, b"raw")]), "backing file"),
    "backing file as json": (Qcow2(backing=b'json:{"file.filename":"/etc/SECRET"}'), "backing"),
    "data file": (Qcow2(incompatible=4, extensions=[(DATA_FILE, SECRET)]), "external data file"),
    "data file without its name": (Qcow2(incompatible=4), "external data file"),
    "data file's name alone": (Qcow2(extensions=[(DATA_FILE, SECRET)]), "external data file"),
    "data file in version 2": (
        Qcow2(version=2, extensions=[(DATA_FILE, SECRET)]),
        "external data file",
    ),
    "data file behind others": (
        Qcow2(extensions=[(1, b"x" * 999), (DATA_FILE, SECRET)]),
        "external data file",
    ),
    "raw data file": (Qcow2(autoclear=2), "external data file"),
    "encrypted": (Qcow2(extensions=[(ENCRYPTION, bytes(16))]), "encrypted"),
    "a disk of a PiB": (Qcow2(disk_bytes=PIB), "1125899906842624 bytes"),
    "a disk a byte too large": (Qcow2(disk_bytes=2**40 + 1), "claims a disk"),
}
LOOKALIKES = {
    "qcow2": Qcow2(backing=SECRET).whole(),
    "qcow": b"QFI\xfb\0\0\0\1" + bytes(504),
    "qed": b"QED\0" + bytes(508),
    "vmdk": b"KDMV" + bytes(508),
    "vmdk of text": b"# Disk DescriptorFile\nRW 1 FLAT /etc/SECRET 0\n".ljust(512, b"\n"),
    "vhdx": b"vhdxfile" + bytes(504),
    "vpc": b"conectix" + bytes(504),
    "vpc at its end": bytes(1024) + b"conectix" + bytes(504),
    "vdi": bytes(64) + b"\x7f\x10\xda\xbe" + bytes(444),
    "luks": b"LUKS\xba\xbe\0\1" + bytes(504),
    "parallels": b"WithoutFreeSpace" + bytes(496),
    "parallels, newer": b"WithouFreSpacExt" + bytes(496),
    "bochs": b"Bochs Virtual HD Image" + bytes(490),
    "cloop": b"#!/bin/sh\n#V2.0 Format\nmodprobe cloop" + bytes(512),
    "dmg": bytes(1024) + b"koly" + bytes(508),
}


@pytest.fixture
def spool(tmp_path: Path) -> ImageSpool:
    return spool_at(tmp_path, directories=(tmp_path,))


def refusal(spool: ImageSpool, tmp_path: Path, content: bytes, **fields: str) -> str:
    file = tmp_path / "i.img"
    file.write_bytes(content)
    with pytest.raises(Denied) as error:
        spool.fetch(source_of(content, str(file), **fields))
    assert files_in(spool) == []
    return str(error.value)


@pytest.mark.parametrize(("image", "reason"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_image_is_refused_though_its_checksum_is_right(
    spool: ImageSpool, tmp_path: Path, image: Qcow2, reason: str
) -> None:
    assert reason in refusal(spool, tmp_path, image.whole())


@pytest.mark.parametrize("content", LOOKALIKES.values(), ids=LOOKALIKES)
def test_a_raw_image_that_tools_would_take_for_another_format_is_refused(
    spool: ImageSpool, tmp_path: Path, content: bytes
) -> None:
    assert "called raw" in refusal(spool, tmp_path, content, format="raw")


def test_a_raw_image_called_qcow2_is_refused(spool: ImageSpool, tmp_path: Path) -> None:
    assert "no qcow2" in refusal(spool, tmp_path, bytes(MIB))


def test_a_large_raw_image_is_refused_by_its_size(tmp_path: Path) -> None:
    spool = spool_at(tmp_path, directories=(tmp_path,), largest_disk_bytes=MIB)
    assert "claims a disk" in refusal(spool, tmp_path, bytes(MIB + 512), format="raw")


def test_what_comes_from_the_web_is_judged_as_well(spool: ImageSpool) -> None:
    content = Qcow2(backing=SECRET).whole()
    with serving() as site:
        site.says(answers.body(content))
        with pytest.raises(Denied, match="backing file"):
            spool.fetch(source_of(content, site.url()))
    assert files_in(spool) == []


def test_what_lies_in_the_spool_is_judged_each_time(spool: ImageSpool, tmp_path: Path) -> None:
    """The operator may have lowered the limits since it was put there."""
    content = Qcow2(disk_bytes=2**39).whole()
    (tmp_path / "i.img").write_bytes(content)
    source = source_of(content, str(tmp_path / "i.img"))
    spool.fetch(source)
    stricter = spool_at(tmp_path, directories=(tmp_path,), largest_disk_bytes=MIB)
    with pytest.raises(Denied, match="claims a disk"):
        stricter.fetch(source)


@pytest.mark.parametrize("url", ["/etc/hostname", "{}/link", "{}/inner/link"])
def test_only_files_of_the_operators_directories_become_images(tmp_path: Path, url: str) -> None:
    allowed = tmp_path / "allowed"
    (allowed / "inner").mkdir(parents=True)
    (allowed / "link").symlink_to("/etc/hostname")
    (allowed / "inner" / "link").symlink_to("../../allowed-not/secret")
    (tmp_path / "allowed-not").mkdir()
    (tmp_path / "allowed-not" / "secret").write_bytes(b"SECRET")
    spool = spool_at(tmp_path, directories=(allowed,))
    with pytest.raises(Denied, match="directories"):
        spool.fetch(source_of(b"SECRET", url.format(allowed)))
    assert files_in(spool) == []


def test_a_pipe_in_a_directory_of_images_holds_nothing_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    spool = spool_at(tmp_path, directories=(tmp_path,))
    with pytest.raises(Denied, match="not a file"):
        spool.fetch(source_of(b"", str(tmp_path / "pipe")))
