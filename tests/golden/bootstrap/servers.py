"""Servers as their documents describe them, each an example of a sort of disks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.config.install import Install

IMAGE = "Debian-1208-bookworm-amd64-base.tar.gz"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGKDi13ZIeSZOWAxLcsohhod0lPUDYJLp5XpLLHPUatZ reconciler"
TWO = ("/dev/nvme0n1", "/dev/nvme1n1")
BOOT = {"name": "boot", "path": "/boot", "size": "1 GiB"}

SERVERS: Mapping[str, Mapping[str, Any]] = {
    "one-disk": {
        "disks": ("/dev/sda",),
        "partitions": (
            {"name": "swap", "path": "swap", "size": "8 GiB"},
            {"name": "root", "path": "/"},
        ),
    },
    "mirror-with-lvm": {
        "disks": TWO,
        "raid": 1,
        "partitions": (BOOT, {"name": "vg0", "volume_group": "vg0"}),
        "volumes": (
            {"name": "swap", "volume_group": "vg0", "path": "swap", "size": "4 GiB"},
            {"name": "root", "volume_group": "vg0", "path": "/", "size": "50 GiB"},
            {"name": "images", "volume_group": "vg0", "path": "/srv/images", "type": "xfs"},
        ),
    },
    "mirror-with-encrypted-zfs": {
        "disks": TWO,
        "raid": 1,
        "partitions": (BOOT, {"name": "root", "path": "/", "size": "64 GiB"}),
        "data": (
            {"name": "log", "size": "16 GiB"},
            {"name": "z0", "encrypted": True, "passphrase": "secret://disks/z0"},
        ),
    },
    "uefi-striped-mirror": {
        "disks": ("/dev/sda", "/dev/sdb", "/dev/disk/by-id/ata-A_1", "/dev/disk/by-id/ata-B_2"),
        "raid": 10,
        "image": "/srv/images/ubuntu-2404.tar.xz",
        "partitions": (
            {"name": "efi", "path": "/boot/efi", "type": "esp", "size": "256 MiB"},
            BOOT,
            {"name": "root", "path": "/", "size": "100 GiB", "type": "btrfs"},
        ),
        "data": ({"name": "guests"},),
    },
}


def server(name: str) -> Install:
    """One of them."""
    return Install.model_validate({"image": IMAGE, **SERVERS[name]})
