"""What drivers cannot do on the test driver of libvirt: they say so, and nothing happens."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.errors import Conflict
from tests.contract.bench import GIB, OWNER, POOL, Bench, seed, volume

pytestmark = pytest.mark.libvirt


def test_resizing_is_refused_in_the_words_of_libvirt(libvirt_bench: Bench) -> None:
    libvirt_bench.hypervisor.create_volume(volume("web-root"), OWNER)
    with pytest.raises(Conflict, match="not supported by the connection driver"):
        libvirt_bench.hypervisor.grow_volume(POOL, "web-root", 16 * GIB)
    assert libvirt_bench.volume("web-root").capacity_bytes == 8 * GIB


def test_a_seed_is_refused_and_nothing_of_it_is_left(libvirt_bench: Bench) -> None:
    with pytest.raises(Conflict, match="not supported by the connection driver"):
        libvirt_bench.hypervisor.create_volume(seed("web-seed"), OWNER)
    assert libvirt_bench.volume_names() == set()


def test_a_device_is_not_plugged_in(libvirt_bench: Bench) -> None:
    wanted = libvirt_bench.make("web", start=True)
    libvirt_bench.hypervisor.define_domain(replace(wanted, interfaces=()), OWNER)
    with pytest.raises(Conflict, match="let go of interface"):
        libvirt_bench.hypervisor.adjust_guest("web")


def test_moving_is_refused(libvirt_bench: Bench) -> None:
    libvirt_bench.make("web")
    with pytest.raises(Conflict, match="no way to virt2"):
        libvirt_bench.hypervisor.migrate_domain("web", "virt2")
    libvirt_bench.hypervisor.create_volume(volume("spare"), OWNER)
    with pytest.raises(Conflict, match="no way to virt2"):
        libvirt_bench.hypervisor.send_volume(POOL, "spare", "virt2")
    assert "web" in libvirt_bench.names()
    assert "spare" in libvirt_bench.volume_names()
