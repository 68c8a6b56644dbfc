"""What the header of an image says is judged before any tool opens it."""

from __future__ import annotations

import struct

import pytest

from reconciler.drivers.images.header import HEADER_BYTES, Inspection, inspect
from reconciler.drivers.refusal import Refused
from tests.images.specimens import FEATURE_NAMES, GIB, MIB, Qcow2

MOST = 64 * GIB
GOOD = {
    "version 3": Qcow2(),
    "version 2": Qcow2(version=2),
    "feature names": Qcow2(extensions=[(FEATURE_NAMES, b"x" * 144)]),
    "an extension that is not known": Qcow2(extensions=[(0x12345678, b"odd")]),
    "a longer header": Qcow2(header_bytes=112),
    "dirty, zstd and extended entries": Qcow2(incompatible=0b11001),
    "the largest that is allowed": Qcow2(disk_bytes=MOST),
    "small clusters": Qcow2(cluster_bits=9),
    "large clusters": Qcow2(cluster_bits=21),
}
BAD = {
    "corrupt": (Qcow2(incompatible=2), "corrupt"),
    "unknown features": (Qcow2(incompatible=1 << 5), "not known"),
    "version 4": (Qcow2(version=4), "version 4"),
    "encrypted": (Qcow2(encryption=2), "encrypted"),
    "tiny clusters": (Qcow2(cluster_bits=8), "clusters"),
    "huge clusters": (Qcow2(cluster_bits=22), "clusters"),
    "a huge table": (Qcow2(table_entries=2**31), "table"),
    "no disk": (Qcow2(disk_bytes=0), "no size"),
}


def judged(head: bytes, format_: str = "qcow2", foot: bytes = b"") -> Inspection:
    return inspect(head[:HEADER_BYTES], foot, len(head), format_, MOST)  # type: ignore[arg-type]


@pytest.mark.parametrize("image", GOOD.values(), ids=GOOD)
def test_a_good_image_is_what_its_header_says(image: Qcow2) -> None:
    assert judged(image.whole()) == Inspection("qcow2", image.disk_bytes)


@pytest.mark.parametrize(("image", "reason"), BAD.values(), ids=BAD)
def test_a_bad_image_is_refused_with_the_reason(image: Qcow2, reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        judged(image.whole())


def test_all_reasons_are_told_at_once() -> None:
    with pytest.raises(Refused) as refusal:
        judged(Qcow2(encryption=1, incompatible=2, backing=b"/etc/shadow").whole())
    assert str(refusal.value).count(";") == 2


@pytest.mark.parametrize("length", range(0, 112, 4))
def test_a_header_that_is_cut_off_is_refused(length: int) -> None:
    with pytest.raises(Refused):
        judged(Qcow2().head()[:length])


def test_extensions_that_never_end_are_refused() -> None:
    endless = Qcow2(extensions=[(1, b"")] * 20_000)
    with pytest.raises(Refused, match="no end"):
        judged(endless.head())


def test_an_extension_that_claims_more_than_there_is_is_refused() -> None:
    head = Qcow2().head()[:104] + struct.pack(">II", 1, 2**32 - 1)
    with pytest.raises(Refused, match="no end"):
        judged(head.ljust(65536, b"\0"))


def test_a_raw_image_is_as_large_as_its_file() -> None:
    assert judged(bytes(3 * MIB), "raw") == Inspection("raw", 3 * MIB)


@pytest.mark.parametrize("content", [b"", b"MZ", b"QFI", bytes(4096)], ids=repr)
def test_what_is_no_qcow2_is_not_taken_for_it(content: bytes) -> None:
    with pytest.raises(Refused, match="no qcow2"):
        judged(content[:100])


def test_an_empty_raw_image_is_refused() -> None:
    with pytest.raises(Refused, match="no size"):
        judged(b"", "raw")
