"""Seeds: what cloud-init finds on the disk that we make for it."""

from __future__ import annotations

from io import BytesIO

import pycdlib
import pytest

from reconciler.drivers.libvirt_.seeds import iso_of
from reconciler.drivers.refusal import Refused
from reconciler.ports.hypervisor import Seed

MIB = 2**20
SEED = Seed("instance-id: ü\n", "#cloud-config\n{}\n", "version: 2\n")
BLOCK_BYTES = 2048


def opened(content: bytes) -> pycdlib.PyCdlib:
    iso = pycdlib.PyCdlib()
    iso.open_fp(BytesIO(content))
    return iso


def read(iso: pycdlib.PyCdlib, **path: str) -> str:
    found = BytesIO()
    iso.get_file_from_iso_fp(found, **path)
    return found.getvalue().decode()


@pytest.mark.parametrize("reading", ["rr_path", "joliet_path"])
def test_the_files_are_found_by_their_names(reading: str) -> None:
    iso = opened(iso_of(SEED, MIB))
    found = {
        name: read(iso, **{reading: f"/{name}"})
        for name in ("meta-data", "user-data", "network-config")
    }
    assert found == {
        "meta-data": SEED.meta_data,
        "user-data": SEED.user_data,
        "network-config": SEED.network_config,
    }


def test_the_label_is_the_one_that_cloud_init_looks_for() -> None:
    assert iso_of(SEED, MIB)[16 * BLOCK_BYTES + 40 :].startswith(b"cidata ")


def test_an_empty_text_is_no_file() -> None:
    """An empty network-config would leave a guest without network."""
    iso = opened(iso_of(Seed("instance-id: 1\n", "#cloud-config\n", ""), MIB))
    names = [
        child.rock_ridge.name() for child in iso.list_children(rr_path="/") if child.rock_ridge
    ]
    assert {name for name in names if name.strip(b".")} == {b"meta-data", b"user-data"}


def test_it_fills_the_volume() -> None:
    assert len(iso_of(SEED, MIB)) == MIB


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(Refused, match="give the seed more room"):
        iso_of(Seed("", "x" * MIB, ""), MIB)
