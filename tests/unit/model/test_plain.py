from __future__ import annotations

from dataclasses import replace

import pytest
from pydantic import ValidationError

from reconciler.kinds.domain import DomainSpec
from reconciler.kinds.volume import VolumeSpec
from reconciler.kinds.zone import ZoneSpec
from reconciler.model.plain import DIGEST_LENGTH, digest_of, from_plain, to_plain, to_short
from reconciler.ports.hypervisor import Disk
from tests.farms.specs import IMAGE, a_record, domain_spec, volume_spec, zone_spec

SPECS = [
    domain_spec(),
    domain_spec(host=None, disks=()),
    domain_spec(pending_restart=None),
    volume_spec(),
    volume_spec(image=IMAGE),
    zone_spec(a_record("www")),
    zone_spec(timers=None),
]


@pytest.mark.parametrize("spec", SPECS)
def test_the_plain_form_reads_back(spec: DomainSpec | VolumeSpec | ZoneSpec) -> None:
    assert from_plain(type(spec), to_plain(spec)) == spec


def test_what_is_not_managed_is_not_in_the_plain_form() -> None:
    assert "host" not in to_plain(volume_spec(host=None))


def test_a_plain_form_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValidationError, match="capacity_bytes"):
        from_plain(VolumeSpec, {**to_plain(volume_spec()), "capacity_bytes": "much"})


def test_what_is_missing_is_named() -> None:
    plain = to_plain(volume_spec())
    del plain["capacity_bytes"]
    with pytest.raises(ValidationError, match=r"capacity_bytes\s+Field required"):
        from_plain(VolumeSpec, plain)


@pytest.mark.parametrize("data", [None, [], "x"])
def test_what_is_no_mapping_is_no_spec(data: object) -> None:
    with pytest.raises(ValidationError):
        from_plain(VolumeSpec, data)


@pytest.mark.parametrize("spec", SPECS)
def test_equal_content_has_the_equal_digest(spec: DomainSpec | VolumeSpec | ZoneSpec) -> None:
    digest = digest_of(from_plain(type(spec), to_plain(spec)))
    assert digest == digest_of(spec)
    assert len(digest) == DIGEST_LENGTH


def test_another_content_has_another_digest() -> None:
    spec = domain_spec()
    assert digest_of(replace(spec, vcpus=3)) != digest_of(spec)


def test_a_digest_is_the_same_in_every_process() -> None:
    assert digest_of(volume_spec()) == "336b0d86ad05bd7d"


def test_the_short_form_leaves_out_what_is_as_usual() -> None:
    disks = (Disk("root", "default", "x"), Disk("seed", "default", "s", "cdrom"))
    assert to_short(disks) == [
        {"name": "root", "pool": "default", "volume": "x"},
        {"name": "seed", "pool": "default", "volume": "s", "device": "cdrom"},
    ]
    assert to_short(None) is None
    assert to_short(("a", 1)) == ["a", 1]
