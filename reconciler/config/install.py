"""How a bare server is installed, as people write it: the image, the disks, and what is on them.

The words are those of installimage, the installer of Hetzner's rescue system, where it has them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, model_validator

from reconciler.config.fields import Label, WholeSize
from reconciler.config.install_fields import (
    Disk,
    InstallImage,
    MountPoint,
    SecretName,
    VolumeName,
)
from reconciler.config.part import Many, Part
from reconciler.model.quantity import format_size, parse_size

ROOT, BOOT, SWAP = "/", "/boot", "swap"
SMALLEST = {ROOT: parse_size("1500 MiB"), BOOT: parse_size("200 MiB")}
DISKS_FOR = {0: 2, 1: 2, 5: 3, 6: 4, 10: 2}  # as the installer demands
NEEDS_BOOT = (0, 5, 6, 10)
MOST_PARTITIONS = 32

FileSystem = Literal["ext4", "ext3", "ext2", "xfs", "btrfs", "esp"]


class InstallPartition(Part):
    """A partition of the system disks, and the same on each of them if they are a RAID."""

    name: Label = Field(description="What this document calls it.")
    path: MountPoint | None = Field(None, description="Where it is mounted, or `swap`.")
    volume_group: VolumeName | None = Field(
        None, description="The LVM volume group that it is all of, instead of a path."
    )
    type: FileSystem = Field("ext4", description="The file system on it.")
    size: WholeSize | None = Field(None, description="Its size; left out: all that is left.")


class InstallVolume(Part):
    """A logical volume of the new system."""

    name: VolumeName = Field(description="Its name in the volume group.")
    volume_group: VolumeName = Field(description="The volume group that it is in.")
    path: MountPoint = Field(description="Where it is mounted, or `swap`.")
    type: FileSystem = Field("ext4", description="The file system on it.")
    size: WholeSize | None = Field(None, description="Its size; left out: all that is left.")


class DataPartition(Part):
    """A partition on each of the disks behind those of the system, for a ZFS pool or for LVM.

    That on the n-th disk is /dev/disk/by-partlabel/NAME-n, or /dev/mapper/NAME-n if encrypted.
    """

    name: Label = Field(description="Its name, to which the number of the disk is added.")
    size: WholeSize | None = Field(None, description="Its size; left out: all that is left.")
    encrypted: bool = Field(default=False, description="Whether LUKS is between it and the disk.")
    passphrase: SecretName | None = Field(
        None, description="`secret://file/key` with its passphrase; else it is asked for."
    )


Partitions = Annotated[Many[InstallPartition], Field(min_length=1, max_length=MOST_PARTITIONS)]
Volumes = Annotated[Many[InstallVolume], Field(max_length=MOST_PARTITIONS)]
Data = Annotated[Many[DataPartition], Field(max_length=MOST_PARTITIONS)]


class Install(Part):
    """What `reconciler host bootstrap --rescue` makes of a bare server. All its disks are wiped."""

    image: InstallImage = Field(
        description="The image: the name of one that the rescue system has, or an absolute path."
    )
    disks: Annotated[Many[Disk], Field(min_length=1, max_length=16)] = Field(
        description="The disks; without RAID the system is on the first."
    )
    raid: Literal[0, 1, 5, 6, 10] | None = Field(
        None, description="The level of the software RAID that the system is on; else none."
    )
    partitions: Partitions = Field(description="The partitions of the system, in this order.")
    volumes: Volumes = Field((), description="The logical volumes of the system.")
    data: Data = Field((), description="More partitions, on each of the disks.")

    @model_validator(mode="after")
    def _can_be_installed(self) -> Install:
        if reasons := list(problems(self)):
            raise ValueError("; ".join(reasons))
        return self


def problems(wanted: Install) -> Iterator[str]:
    """What the installer would refuse, or what could not boot."""
    yield from _disk_problems(wanted)
    yield from _path_problems(wanted)
    yield from _size_problems(wanted)
    yield from _group_problems(wanted)
    yield from _data_problems(wanted)


def _disk_problems(wanted: Install) -> Iterator[str]:
    if len(set(wanted.disks)) < len(wanted.disks):
        yield "disks names a disk twice"
    if wanted.raid is None:
        return
    if len(wanted.disks) < DISKS_FOR[wanted.raid]:
        yield f"raid {wanted.raid} needs at least {DISKS_FOR[wanted.raid]} disks"
    if wanted.raid in NEEDS_BOOT and BOOT not in {each.path for each in wanted.partitions}:
        yield f"raid {wanted.raid} needs a partition with path {BOOT}, which is mirrored"


def _path_problems(wanted: Install) -> Iterator[str]:
    for each in wanted.partitions:
        if (each.path is None) == (each.volume_group is None):
            yield f"partition {each.name} needs a path or a volume_group, and not both"
    plain = [each.path for each in wanted.partitions if each.path]
    paths = plain + [each.path for each in wanted.volumes]
    for path, count in Counter(paths).items():
        if count > 1 and path != SWAP:
            yield f"{path} is mounted twice"
    if ROOT not in paths:
        yield f"nothing has the path {ROOT}"
    elif ROOT not in plain and BOOT not in plain:
        yield f"{BOOT} must be a partition of its own, because {ROOT} is a logical volume"


def _size_problems(wanted: Install) -> Iterator[str]:
    for each in wanted.partitions[:-1]:
        if each.size is None:
            yield f"partition {each.name} needs a size: only the last may take all that is left"
    sizes = [(each.path, each.size) for each in wanted.partitions]
    for path, size in sizes + [(each.path, each.size) for each in wanted.volumes]:
        least = SMALLEST.get(path or "", 0)
        if size is not None and size < least:
            yield f"{path} needs at least {format_size(least)}"


def _group_problems(wanted: Install) -> Iterator[str]:
    groups = [each.volume_group for each in wanted.partitions if each.volume_group]
    used = {each.volume_group for each in wanted.volumes}
    for name in sorted(used - set(groups)):
        yield f"no partition is volume group {name}"
    for name in sorted(set(groups) - used):
        yield f"volume group {name} has no volume; the installer makes none that is empty"
    for name, count in Counter(groups).items():
        members = [each for each in wanted.volumes if each.volume_group == name]
        if count > 1:
            yield f"two partitions are volume group {name}"
        if any(each.size is None for each in members[:-1]):
            yield f"only the last volume of {name} may take all that is left"
        if len({each.name for each in members}) < len(members):
            yield f"two volumes of {name} have one name"


def _data_problems(wanted: Install) -> Iterator[str]:
    if wanted.data and wanted.partitions[-1].size is None:
        yield "data has no room: the last partition takes all that is left; give it a size"
    if any(each.size is None for each in wanted.data[:-1]):
        yield "only the last of data may take all that is left"
    for each in wanted.data:
        if each.passphrase and not each.encrypted:
            yield f"data {each.name} has a passphrase and is not encrypted"
