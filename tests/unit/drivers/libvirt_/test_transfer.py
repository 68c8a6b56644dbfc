"""What a host is asked to make for a volume that comes from another one."""

from __future__ import annotations

import pytest
from lxml import etree

from reconciler.drivers.libvirt_.manifest import MemoryManifest
from reconciler.drivers.libvirt_.marks import Mark
from reconciler.drivers.libvirt_.reading import Dialect
from reconciler.drivers.libvirt_.transfer import Side, have_arrived, prepare
from reconciler.model.resource import Owner
from reconciler.ports.hypervisor import Disk, DomainDefinition, VolumeFormat
from tests.unit.drivers.libvirt_.fakehost import GIB, POOL, FakeFile, FakeHost, storage

NAME = "production-web-1-root"
KEY = f"{POOL}/{NAME}"
OWNER = Owner("production", "web-1-root", "0123456789abcdef")
GUEST = DomainDefinition(
    "web", "11111111-1111-4111-8111-111111111111", "kvm", 1, GIB, (Disk("root", POOL, NAME),)
)


def side(name: str, host: FakeHost, marks: dict[str, Mark] | None = None) -> Side:
    manifest = MemoryManifest()
    manifest.change(marks or {})
    return Side(name, "192.0.2.1", host, storage(host, manifest), Dialect({"kvm": "kvm"}))


def asked_for(pool_type: str, form: VolumeFormat) -> str:
    """What the destination's pool is asked to make for the disk of a guest that runs."""
    source = FakeHost(pool_type, {NAME: FakeFile("ours", GIB, form)}, unit_bytes=512)
    there = FakeHost(pool_type, unit_bytes=512)
    mark = Mark(OWNER, format=form)
    prepare(GUEST, side("virt1", source, {KEY: mark}), side("virt2", there))
    return there.sent[0]


def test_a_logical_volume_is_allocated_in_full() -> None:
    """Less would make a snapshot of it."""
    root = etree.fromstring(asked_for("logical", "raw"))
    assert root.findtext("allocation") == root.findtext("capacity") == str(GIB)
    assert root.find("target/format") is None


@pytest.mark.parametrize("form", ["qcow2", "raw"])
def test_a_file_keeps_its_format(form: VolumeFormat) -> None:
    root = etree.fromstring(asked_for("dir", form))
    assert root.find("target/format").get("type") == form
    assert root.findtext("target/compat") == ("1.1" if form == "qcow2" else None)


def test_a_copy_counts_only_when_it_has_arrived() -> None:
    source, there = FakeHost(files={NAME: FakeFile("ours", GIB)}), FakeHost()
    one, other = side("virt1", source, {KEY: Mark(OWNER, format="qcow2")}), side("virt2", there)
    prepare(GUEST, one, other)
    assert other.manifest.read()[KEY].begun is not None
    have_arrived(GUEST, other)
    assert other.manifest.read()[KEY] == Mark(OWNER, format="qcow2")
