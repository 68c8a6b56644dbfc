"""The types of what an installation is described with: closed forms, as in `fields`."""

from __future__ import annotations

from reconciler.config.fields import text_field

_FOLDERS = r"(?:/(?:[A-Za-z0-9_][A-Za-z0-9_.+-]{0,100}/){0,8})?"
_ARCHIVE = r"\.(?:tar|tgz|tbz|txz|tar\.gz|tar\.bz2|tar\.xz)"
Disk = text_field(
    r"^/dev/(?:disk/by-[a-z]{2,12}/)?[A-Za-z0-9][A-Za-z0-9:._+-]{0,150}$",
    "a disk such as /dev/sda or /dev/disk/by-id/nvme-x",
    200,
)
MountPoint = text_field(
    r"^(?:swap|/|(?:/[A-Za-z0-9_][A-Za-z0-9_.-]{0,60}){1,6})$",
    "an absolute path without . and .. in it, or swap",
    200,
)
InstallImage = text_field(
    rf"^{_FOLDERS}[A-Za-z0-9][A-Za-z0-9_.+-]{{0,100}}{_ARCHIVE}$",
    "the name or the absolute path of an archive, such as NAME.tar.gz",
    300,
)
SecretName = text_field(
    r"^secret://[a-z0-9][a-z0-9-]{0,62}/[A-Za-z0-9_.-]{1,64}$",
    "a reference: secret://file/key",
    140,
    may_refer=True,
)
VolumeName = text_field(
    r"^[A-Za-z0-9_][A-Za-z0-9_.+]{0,60}$", "a name of letters, digits, _, . and +", 61
)
