"""S17: what a Host document says cannot end a word, a line or a paragraph in a file of the host.

Its values end in /etc/fstab, sysctl.d, modules-load.d, modprobe.d, sources.list.d, /etc/passwd and
/etc/hostname. What may hold blanks is told here, with the reason.
"""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from reconciler.config.base import Base
from tests.documents.corpus import problems_of
from tests.documents.specimens import HOST, PLACES, Path, as_yaml, at, changed, texts

ENDINGS: Mapping[str, str] = {
    "a line": "\n/dev/sda1 / ext4 rw 0 0",
    "a paragraph": "\n\nTypes: deb",
    "a carriage return": "\rx",
    "a tab": "\tx",
    "a word": " trusted=yes",
    "an escaped blank": "\\040x",
    "a remark": " # x",
    "a field of passwd": ":0:0",
    "a NUL": "\x00x",
}
WORDS = {"a word"}  # several of them are one value
TEXT = {"a word", "a remark", "an escaped blank"}
COLON = {"a field of passwd"}  # nas:/export, 1:7.2, /dev/disk/by-path/pci-0000:00
ALLOWED: Mapping[tuple[str, str], set[str]] = {
    ("sysctls", "value"): COLON,
    ("modules", "options"): WORDS | COLON,
    ("users", "ssh_keys"): WORDS | {"a remark"},
    ("users", "description"): TEXT,
    ("files", "path"): COLON,
    ("files", "target"): COLON,
    ("mounts", "path"): COLON,
    ("mounts", "source"): COLON,
    ("mounts", "options"): COLON,
    ("packages", "version"): COLON,
    ("services", "name"): COLON,
    ("services", "reads"): COLON,
    ("volume_groups", "devices"): COLON,
    ("zpools", "layout"): COLON,
    ("zpools", "properties"): COLON,
}
NOT_WRITTEN = {("files", "content"), ("files", "check"), ("commands", "run"), ("commands", "check")}


def place(path: Path) -> tuple[str, str]:
    names = [step for step in path if isinstance(step, str)]
    return names[0], names[1] if names[1:] else ""


def written() -> list[Path]:
    """Every text of the base that ends in a file or an argument of the host."""
    fields = {*Base.model_fields, "hostname"}
    known = (path for path in texts(HOST) if path[0] in fields)
    return [path for path in known if place(path) not in NOT_WRITTEN]


@pytest.mark.parametrize("path", written(), ids=str)
def test_no_value_ends_what_it_stands_in(path: Path) -> None:
    text = at(HOST, path)
    taken = {
        name
        for name, ending in ENDINGS.items()
        if not problems_of(PLACES["Host"], as_yaml(changed("Host", path, text + ending)))
    }
    assert taken <= ALLOWED.get(place(path), set())


def test_there_are_many_values() -> None:
    assert len(written()) >= 40
