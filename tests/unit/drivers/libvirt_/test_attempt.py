"""A volume that is being made is accounted for, whatever happens to the host meanwhile."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import libvirt
import pytest

from reconciler.drivers.libvirt_.attempt import Attempt
from reconciler.drivers.libvirt_.connection import LibvirtConnection
from reconciler.drivers.libvirt_.manifest import MemoryManifest
from reconciler.drivers.libvirt_.marks import Mark
from reconciler.errors import Conflict

pytestmark = pytest.mark.libvirt
NOW = datetime(2026, 3, 1, tzinfo=UTC)
KEY = "default-pool/image"
XML = "<volume><name>image</name><capacity>{}</capacity></volume>"
ROOM, NO_ROOM = XML.format(1024), XML.format(2**60)


class LostPool:
    """A pool of a host that is gone."""

    def name(self) -> str:
        return "default-pool"

    def lost(self, *_: Any) -> Any:
        raise libvirt.libvirtError("the connection is lost")

    storageVolLookupByName = createXML = createXMLFrom = lost  # noqa: N815 - libvirt's names


def names(pool: Any) -> list[str]:
    return [volume.name() for volume in pool.listAllVolumes(0)]


def on_a_host(work: Any) -> None:
    """With an empty pool: the test driver of libvirt keeps it while anybody is connected."""
    connection = LibvirtConnection("virt1", "test:///default")

    def with_pool(connected: Any) -> None:
        pool = connected.storagePoolLookupByName("default-pool")
        for volume in pool.listAllVolumes(0):
            volume.delete(0)
        work(pool)

    connection.run("work", with_pool)
    connection.close()


def test_what_is_kept_is_there_with_its_checksum() -> None:
    manifest = MemoryManifest()

    def work(pool: Any) -> None:
        with Attempt(manifest, NOW, pool, "image") as attempt:
            assert manifest.read() == {KEY: Mark(begun=NOW)}
            attempt.make(ROOM)
            attempt.keep("ab")
        assert names(pool) == ["image"]

    on_a_host(work)
    assert manifest.read() == {KEY: Mark(content="ab")}


def test_what_is_not_kept_is_gone_with_its_mark() -> None:
    manifest = MemoryManifest()

    def work(pool: Any) -> None:
        with Attempt(manifest, NOW, pool, "image") as attempt:
            attempt.make(ROOM)
        assert names(pool) == []

    on_a_host(work)
    assert manifest.read() == {}


def test_what_the_host_refuses_leaves_no_mark() -> None:
    manifest = MemoryManifest()

    def work(pool: Any) -> None:
        with Attempt(manifest, NOW, pool, "image") as attempt:
            attempt.make(NO_ROOM)

    with pytest.raises(Conflict):
        on_a_host(work)
    assert manifest.read() == {}


@pytest.mark.parametrize("origin", [None, "another volume"])
def test_what_a_lost_host_may_have_begun_stays_accounted_for(origin: str | None) -> None:
    manifest = MemoryManifest()
    with (
        pytest.raises(libvirt.libvirtError),
        Attempt(manifest, NOW, LostPool(), "image") as attempt,
    ):
        attempt.make(ROOM, origin)
    assert manifest.read() == {KEY: Mark(begun=NOW)}
