"""What can be installed on a bare server, and what is refused before anything is wiped."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from reconciler.config.install import Install

ROOT = {"name": "root", "path": "/", "size": "20 GiB"}
BOOT = {"name": "boot", "path": "/boot", "size": "1 GiB"}
GROUP = {"name": "vg0", "volume_group": "vg0"}
VOLUME = {"name": "root", "volume_group": "vg0", "path": "/", "size": "20 GiB"}


def install(**changes: Any) -> Install:
    whole = {"image": "Debian.tar.gz", "disks": ("/dev/sda", "/dev/sdb"), "partitions": (ROOT,)}
    return Install.model_validate({**whole, **changes})


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"raid": 1},
        {"raid": 0, "partitions": (BOOT, ROOT)},
        {"partitions": (BOOT, GROUP), "volumes": (VOLUME,)},
        {"data": ({"name": "a", "size": "1 GiB"}, {"name": "b"})},
        {"partitions": ({"name": "root", "path": "/"},)},
        {"image": "/srv/images/x.tar.xz", "disks": ("/dev/disk/by-id/nvme-S_1",)},
    ],
)
def test_what_can_be_installed(fields: dict[str, Any]) -> None:
    install(**fields)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"disks": ("/dev/sda", "/dev/sda")}, "names a disk twice"),
        ({"disks": ("/dev/sda",), "raid": 1}, "raid 1 needs at least 2 disks"),
        ({"raid": 5}, "raid 5 needs at least 3 disks"),
        ({"raid": 0}, "raid 0 needs a partition with path /boot"),
        ({"partitions": (BOOT,)}, "nothing has the path /"),
        ({"partitions": (ROOT, {**ROOT, "name": "again"})}, "/ is mounted twice"),
        ({"partitions": ({"name": "x"}, ROOT)}, "needs a path or a volume_group"),
        ({"partitions": ({**ROOT, "volume_group": "vg0"},)}, "and not both"),
        ({"partitions": ({**ROOT, "size": None}, BOOT)}, "only the last may take all"),
        ({"partitions": ({**ROOT, "size": "1 GiB"},)}, "/ needs at least 1500 MiB"),
        ({"partitions": ({**BOOT, "size": "100 MiB"}, ROOT)}, "/boot needs at least 200 MiB"),
        ({"partitions": (BOOT, GROUP)}, "volume group vg0 has no volume"),
        ({"volumes": ({**VOLUME, "path": "/srv"},)}, "no partition is volume group vg0"),
        ({"partitions": (GROUP,), "volumes": (VOLUME,)}, "/boot must be a partition of its own"),
        (
            {
                "partitions": (BOOT, {**GROUP, "size": "30 GiB"}, {**GROUP, "name": "b"}),
                "volumes": (VOLUME,),
            },
            "two partitions are volume group vg0",
        ),
        (
            {"partitions": (BOOT, GROUP), "volumes": (VOLUME, {**VOLUME, "path": "/srv"})},
            "two volumes of vg0 have one name",
        ),
        (
            {
                "partitions": (BOOT, GROUP),
                "volumes": ({**VOLUME, "size": None}, {**VOLUME, "name": "b", "path": "/srv"}),
            },
            "only the last volume of vg0",
        ),
        (
            {"partitions": ({"name": "root", "path": "/"},), "data": ({"name": "a"},)},
            "data has no room",
        ),
        ({"data": ({"name": "a"}, {"name": "b"})}, "only the last of data"),
        ({"data": ({"name": "a", "passphrase": "secret://disks/a"},)}, "is not encrypted"),
    ],
)
def test_what_the_installer_would_refuse_is_refused_here(
    fields: dict[str, Any], reason: str
) -> None:
    with pytest.raises(ValidationError, match=reason):
        install(**fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"image": "x.tar.gz\nPART / ext4 all"},
        {"image": "../x.tar.gz"},
        {"image": "https://example.org/x.tar.gz"},
        {"image": "x.iso"},
        {"disks": ("sda",)},
        {"disks": ("/dev/sda\nDRIVE2 /dev/sdb",)},
        {"disks": ("/dev/../etc/passwd",)},
        {"disks": ()},
        {"partitions": ({**ROOT, "path": "/srv/../etc"},)},
        {"partitions": ({**ROOT, "path": "/ ext4 all"},)},
        {"partitions": ({**ROOT, "type": "ntfs"},)},
        {"partitions": ()},
        {"data": ({"name": "a b"},)},
        {"data": ({"name": "a", "encrypted": True, "passphrase": "correct horse"},)},
        {"raid": 7},
        {"packages": ()},
    ],
)
def test_nothing_gets_into_the_configuration_that_is_no_word_of_its_own(
    fields: dict[str, Any],
) -> None:
    with pytest.raises(ValidationError):
        install(**fields)
