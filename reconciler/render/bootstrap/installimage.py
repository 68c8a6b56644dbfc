"""The configuration that Hetzner's installimage reads, and the script that it runs at the end."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.config.install import Install, InstallPartition, InstallVolume

IMAGES = "/root/.oldroot/nfs/install/../images/"
MEBIBYTE = 2**20

_END = """\
#!/bin/bash
# Runs inside the new system, before its first boot.
set -eu
umask 077
mkdir -p /root/.ssh {state}
chmod 700 {state}
cat >/root/.ssh/authorized_keys <<'RECONCILER'
{key}
RECONCILER
rm -f /etc/ssh/ssh_host_*
cat >/etc/ssh/ssh_host_ed25519_key <<'RECONCILER'
"""
_REST = """\
RECONCILER
ssh-keygen -y -f /etc/ssh/ssh_host_ed25519_key >/etc/ssh/ssh_host_ed25519_key.pub
chmod 644 /etc/ssh/ssh_host_ed25519_key.pub
cat >{state}/installed <<'RECONCILER'
{name}
RECONCILER
rm -f /post-install
"""


def configuration(wanted: Install, hostname: str) -> str:
    """The installer's configuration file. It wipes the disks that it names."""
    return "".join(f"{line}\n" for line in _lines(wanted, hostname))


def opening(public_key: str, state_directory: str) -> str:
    """The part of the last script that comes before the machine's new private host key."""
    return _END.format(key=public_key, state=state_directory)


def ending(name: str, state_directory: str) -> str:
    """The part that comes after it."""
    return _REST.format(name=name, state=state_directory)


def image_path(image: str) -> str:
    """Where an image is in the rescue system."""
    return image if image.startswith("/") else IMAGES + image


def _lines(wanted: Install, hostname: str) -> Iterator[str]:
    # Without RAID the installer touches the first disk only; the others are for data.
    for number, disk in enumerate(wanted.disks, start=1):
        yield f"DRIVE{number} {disk}"
    yield f"SWRAID {0 if wanted.raid is None else 1}"
    if wanted.raid is not None:
        yield f"SWRAIDLEVEL {wanted.raid}"
    yield "BOOTLOADER grub"
    yield f"HOSTNAME {hostname}"
    yield "FORCE_GPT 1"  # partitions have names only there
    for partition in wanted.partitions:
        yield _partition(partition)
    for volume in wanted.volumes:
        yield _volume(volume)
    yield f"IMAGE {image_path(wanted.image)}"


def _partition(wanted: InstallPartition) -> str:
    if wanted.volume_group is not None:
        return f"PART lvm {wanted.volume_group} {_size(wanted.size)}"
    kind = "swap" if wanted.path == "swap" else wanted.type
    return f"PART {wanted.path} {kind} {_size(wanted.size)}"


def _volume(wanted: InstallVolume) -> str:
    kind = "swap" if wanted.path == "swap" else wanted.type
    size = _size(wanted.size)
    return f"LV {wanted.volume_group} {wanted.name} {wanted.path} {kind} {size}"


def _size(size_bytes: int | None) -> str:
    return "all" if size_bytes is None else f"{size_bytes // MEBIBYTE}M"
