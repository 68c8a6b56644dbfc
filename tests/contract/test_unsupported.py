"""What drivers cannot do on the test driver of libvirt: they say so, and nothing happens."""

from __future__ import annotations

import pytest

from reconciler.errors import Conflict
from tests.contract.bench import GIB, IMAGE, OWNER, POOL, Bench, volume

pytestmark = pytest.mark.libvirt


def test_resizing_is_refused_in_the_words_of_libvirt(libvirt_bench: Bench) -> None:
    libvirt_bench.hypervisor.create_volume(volume("web-root"), OWNER)
    with pytest.raises(Conflict, match="not supported by the connection driver"):
        libvirt_bench.hypervisor.grow_volume(POOL, "web-root", 16 * GIB)
    assert libvirt_bench.volume("web-root").capacity_bytes == 8 * GIB


def test_a_copy_that_cannot_be_made_larger_is_removed(libvirt_bench: Bench) -> None:
    libvirt_bench.add_image(IMAGE, 2 * GIB)
    before = libvirt_bench.hypervisor.volumes()
    with pytest.raises(Conflict, match="not supported by the connection driver"):
        libvirt_bench.hypervisor.create_volume(volume("web-root", image=IMAGE), OWNER)
    assert libvirt_bench.hypervisor.volumes() == before


def test_moving_is_refused(libvirt_bench: Bench) -> None:
    libvirt_bench.make("web")
    with pytest.raises(Conflict, match="cannot move"):
        libvirt_bench.hypervisor.migrate_domain("web", "virt2")
    libvirt_bench.hypervisor.create_volume(volume("spare"), OWNER)
    with pytest.raises(Conflict, match="cannot move"):
        libvirt_bench.hypervisor.send_volume(POOL, "spare", "virt2")
    assert "web" in libvirt_bench.names()
    assert "spare" in libvirt_bench.volume_names()
