"""S20, S29: what a guest wrote to the start of its raw disk is not believed when it is adopted."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.config.load import load
from reconciler.drivers.libvirt_ import volumes
from reconciler.drivers.refusal import Refused
from reconciler.errors import ConfigError
from reconciler.gitops.directory import DirectoryTree
from reconciler.model.resource import Owner
from tests.scenes.scene import example_files
from tests.unit.drivers.libvirt_.fakehost import GIB, POOL, FakeFile, FakeGuest, FakeHost, storage

OWNER = Owner("production", "web-1-root", "0123456789abcdef")


class GuestWithFormat(FakeGuest):
    """A guest whose definition says what its disk is."""

    form = "raw"

    def XMLDesc(self, _flags: int) -> str:
        return super().XMLDesc(0).replace("<source", f"<driver type='{self.form}'/><source")


class GuestWithQcow2(GuestWithFormat):
    """Its disk is qcow2, and so it cannot write what it likes to the start of the file."""

    form = "qcow2"


def test_a_raw_disk_that_looks_like_qcow2_is_not_adopted() -> None:
    host = FakeHost(files={"old": FakeFile("x", GIB, "qcow2")})
    host.domains.append(GuestWithFormat(host, "old"))
    with pytest.raises(Refused, match="looks like qcow2"):
        volumes.mark(host, storage(host), POOL, "old", OWNER)


def test_what_is_qcow2_is_adopted() -> None:
    host = FakeHost(files={"old": FakeFile("x", GIB, "qcow2")})
    host.domains.append(GuestWithQcow2(host, "old"))
    kept = storage(host)
    volumes.mark(host, kept, POOL, "old", OWNER)
    assert kept.manifest.read()[f"{POOL}/old"].format == "qcow2"


@pytest.mark.parametrize(
    "name", ["trash.20261101T000000.1.staging-db-1-root", "incoming.x", "moving.staging-db-1-root"]
)
def test_no_document_names_a_volume_like_those_in_the_trash(tmp_path: Path, name: str) -> None:
    machine = (
        "kind: VirtualMachine\nname: thief\nmemory: 1 GiB\n"
        f"disks: [{{name: root, size: 1 GiB, volume: {name}}}]\n"
    )
    files = example_files() | {"environments/production/vms/thief.yaml": machine.encode()}
    for path, content in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(content)
    with pytest.raises(ConfigError, match="the trash"):
        load(DirectoryTree(tmp_path), "production")
