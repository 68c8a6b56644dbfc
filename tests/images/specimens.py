"""Small disk images, made byte by byte: good ones, and ones that a tool would be fooled by."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.ports.hypervisor import ImageSource

KIB, MIB, GIB, PIB = 2**10, 2**20, 2**30, 2**50
DATA_FILE, BACKING_FORMAT, ENCRYPTION = 0x44415441, 0xE2792ACA, 0x0537BE77
FEATURE_NAMES = 0x6803F857
EXTERNAL_DATA, COPIED = 1 << 2, 1 << 63
URL = "https://images.example/debian-12.qcow2"


@dataclass(frozen=True, slots=True)
class Qcow2:
    """The fields of a qcow2 header that tests vary. `extensions` are pairs of number and data."""

    disk_bytes: int = 8 * MIB
    version: int = 3
    backing: bytes = b""
    backing_offset: int = 0
    cluster_bits: int = 16
    encryption: int = 0
    table_entries: int = 1
    incompatible: int = 0
    autoclear: int = 0
    header_bytes: int = 104
    extensions: Sequence[tuple[int, bytes]] = ()

    def head(self) -> bytes:
        """The header with its extensions, and the backing file's name behind them."""
        extensions = b"".join(_extension(number, data) for number, data in self.extensions)
        start = 72 if self.version == 2 else 104
        end = start + len(extensions) + 8
        offset = self.backing_offset or (end if self.backing else 0)
        fields = (b"QFI\xfb", self.version, offset, len(self.backing), self.cluster_bits)
        tables = (self.disk_bytes, self.encryption, self.table_entries, 3 << 16, 1 << 16, 1, 0, 0)
        head = struct.pack(">4sIQIIQIIQQIIQ", *fields, *tables)
        if self.version >= 3:
            features = (self.incompatible, 0, self.autoclear, 4, self.header_bytes)
            head += struct.pack(">QQQII", *features)
        return head + extensions + bytes(8) + self.backing

    def whole(self) -> bytes:
        """An image that QEMU opens. It reads as zeros, or as the first bytes of its data file."""
        cluster = 1 << self.cluster_bits
        references = struct.pack(">Q", 2 * cluster).ljust(cluster, b"\0")
        counts = struct.pack(">HHHHH", 1, 1, 1, 1, 1).ljust(cluster, b"\0")
        tables = bytes(cluster)
        if self.incompatible & EXTERNAL_DATA:
            level_1 = struct.pack(">Q", COPIED | 4 * cluster).ljust(cluster, b"\0")
            tables = level_1 + struct.pack(">Q", COPIED).ljust(cluster, b"\0")
        return self.head().ljust(cluster, b"\0") + references + counts + tables


def source_of(content: bytes, url: str = URL, **fields: str) -> ImageSource:
    """The Image document's word on this content."""
    algorithm = fields.pop("algorithm", "sha256")
    checksum = hashlib.new(algorithm, content).hexdigest()
    source = {"name": "debian-12", "url": url, "checksum": checksum, "algorithm": algorithm}
    return ImageSource(**{**source, **fields})  # type: ignore[arg-type] # the words are checked there


def _extension(number: int, data: bytes) -> bytes:
    padded = data.ljust((len(data) + 7) // 8 * 8, b"\0")
    return struct.pack(">II", number, len(data)) + padded
