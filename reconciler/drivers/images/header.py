"""What the first bytes of an image say, judged before any tool opens it.

A qcow2 header may name other files, which tools then read as part of the image: a backing file, or
an external data file. An image made by an attacker so copies any file of the host into a guest. A
few bytes of it can also claim an enormous disk, and a raw image can look like another format to
a tool that guesses. None of that is let through.
"""

from __future__ import annotations

import struct
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Literal

from reconciler.drivers.refusal import Refused
from reconciler.model.quantity import format_size

HEADER_BYTES = 64 * 1024
QCOW2_MAGIC = b"QFI\xfb"
MOST_EXTENSIONS = 100
MOST_TABLE_BYTES = 32 * 1024 * 1024  # what QEMU takes of a first-level table
_V2_BYTES = 72
_FEATURES = struct.Struct(">QQQII")  # what version 3 adds
_EXTENSION = struct.Struct(">II")
_END, _DATA_FILE, _BACKING_FORMAT, _ENCRYPTION = 0, 0x44415441, 0xE2792ACA, 0x0537BE77
_CORRUPT, _EXTERNAL_DATA, _KNOWN_FEATURES = 1 << 1, 1 << 2, 0b11111
_RAW_DATA_FILE = 1 << 1
_CLUSTER_BITS = range(9, 22)
_MAGICS: tuple[tuple[int, bytes, str], ...] = (
    (0, QCOW2_MAGIC, "qcow2"),
    (0, b"QED\0", "qed"),
    (0, b"KDMV", "vmdk"),
    (0, b"COWD", "vmdk"),
    (0, b"# Disk DescriptorFile", "vmdk"),
    (0, b"vhdxfile", "vhdx"),
    (0, b"conectix", "vpc"),
    (0, b"LUKS\xba\xbe", "luks"),
    (0, b"WithoutFreeSpace", "parallels"),
    (0, b"WithouFreSpacExt", "parallels"),
    (0, b"Bochs Virtual HD Image", "bochs"),
    (0, b"#!/bin/sh\n#V2.0 Format", "cloop"),
    (0, b"OOOM", "cow"),
    (64, b"\x7f\x10\xda\xbe", "vdi"),
)
_FOREIGN_ENDS = ((b"koly", "dmg"), (b"conectix", "vpc"))
FOOTER_BYTES = 512


@dataclass(frozen=True, slots=True)
class Inspection:
    """What an image is as a disk."""

    format: Literal["qcow2", "raw"]
    disk_bytes: int


def inspect(
    head: bytes,
    foot: bytes,
    size_bytes: int,
    format: Literal["qcow2", "raw"],  # noqa: A002 - it is called so in documents and by QEMU
    largest_disk_bytes: int,
) -> Inspection:
    """What an image is, from its first `HEADER_BYTES`, its last `FOOTER_BYTES` and its size.

    Raises:
        Refused: it is not of that format, names other files, or claims an absurd disk.
    """
    if format == "raw":
        reasons, disk_bytes = list(_raw_faults(head, foot)), size_bytes
    elif head[:4] != QCOW2_MAGIC or len(head) < _V2_BYTES:
        raise Refused("it is no qcow2 image; give its format in the Image document")
    else:
        reasons, disk_bytes = list(_qcow2_faults(head)), _qcow2_disk_bytes(head)
    if disk_bytes == 0:
        reasons.append("its disk has no size")
    if disk_bytes > largest_disk_bytes:
        most = format_size(largest_disk_bytes)
        reasons.append(
            f"it claims a disk of {disk_bytes} bytes, and images.largest_disk allows {most}"
        )
    if reasons:
        raise Refused("; ".join(reasons))
    return Inspection(format, disk_bytes)


def _raw_faults(head: bytes, foot: bytes) -> Iterator[str]:
    found = [name for offset, magic, name in _MAGICS if head[offset:].startswith(magic)]
    found += [name for magic, name in _FOREIGN_ENDS if foot.startswith(magic)]
    if found:
        yield f"it is called raw and begins or ends like {found[0]}, for which tools would take it"


def _qcow2_faults(head: bytes) -> Iterator[str]:
    version, backing_offset, backing_length, cluster_bits = struct.unpack_from(">IQII", head, 4)
    encryption, table_entries = struct.unpack_from(">II", head, 32)
    if backing_offset or backing_length:
        yield "it has a backing file: it would read another file of the host"
    if encryption:
        yield "it is encrypted"
    if table_entries * 8 > MOST_TABLE_BYTES:
        yield "its table is larger than QEMU reads"
    if version not in {2, 3}:
        yield f"it is qcow2 of version {version}, and 2 and 3 are known"
    elif cluster_bits not in _CLUSTER_BITS:
        yield f"its clusters are of 2^{cluster_bits} bytes"
    else:
        header_bytes = _V2_BYTES if version == 2 else (yield from _feature_faults(head))  # noqa: PLR2004 - the first with extensions
        yield from _extension_faults(head[: 1 << cluster_bits], header_bytes)


def _qcow2_disk_bytes(head: bytes) -> int:
    return int(struct.unpack_from(">Q", head, 24)[0])


def _feature_faults(head: bytes) -> Generator[str, None, int]:
    """Say what is wrong with the fields of version 3, and return the length of the header."""
    if len(head) < _V2_BYTES + _FEATURES.size:
        yield "its header is cut off"
        return len(head)
    incompatible, _, autoclear, _, header_bytes = _FEATURES.unpack_from(head, _V2_BYTES)
    if incompatible & _EXTERNAL_DATA or autoclear & _RAW_DATA_FILE:
        yield "it has an external data file: it would read another file of the host"
    if incompatible & _CORRUPT:
        yield "it is marked as corrupt"
    if incompatible & ~_KNOWN_FEATURES:
        yield f"it has features that are not known ({incompatible:#x})"
    return int(header_bytes)


def _extension_faults(first_cluster: bytes, start: int) -> Iterator[str]:
    """Go through the header extensions as QEMU does, to their end or that of the first cluster."""
    names = {
        _DATA_FILE: "it names an external data file: it would read another file of the host",
        _BACKING_FORMAT: "it names the format of a backing file",
        _ENCRYPTION: "it is encrypted",
    }
    at = max(start, _V2_BYTES)
    for _ in range(MOST_EXTENSIONS):
        if at + _EXTENSION.size > len(first_cluster):
            break
        magic, length = _EXTENSION.unpack_from(first_cluster, at)
        if magic == _END:
            return
        if magic in names:
            yield names[magic]
        at += _EXTENSION.size + (length + 7) // 8 * 8
    yield "its header has no end"
