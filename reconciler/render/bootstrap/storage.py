"""The partitions for data: encrypted as declared, and opened again after each restart.

Pools and volume groups on them are made by sync, as any other that a host declares.
"""

from __future__ import annotations

from reconciler.config.install import DataPartition, Install
from reconciler.render.bootstrap.every import script
from reconciler.render.bootstrap.step import Command, Door, Step

MEBIBYTE = 2**20

_OPEN = """\
set -eu
label=$1
device=/dev/disk/by-partlabel/$label
IFS= read -r passphrase || [ -n "$passphrase" ]
if ! [ -b "$device" ]; then
    echo "there is no partition $label; was this machine installed by bootstrap --rescue?" >&2
    exit 1
fi
if ! cryptsetup isLuks "$device"; then
    if [ -n "$(wipefs --noheadings "$device")" ]; then
        echo "$device holds something that is not encrypted; it is left alone" >&2
        exit 1
    fi
    printf %s "$passphrase" |
        cryptsetup luksFormat --batch-mode --type luks2 --key-file - "$device" >&2
fi
if ! [ -e "/dev/mapper/$label" ]; then
    printf %s "$passphrase" | cryptsetup open --key-file - "$device" "$label" >&2
fi
line="$label PARTLABEL=$label none luks,noauto,nofail"
touch /etc/crypttab
if ! grep -qxF -e "$line" /etc/crypttab; then
    new=$(mktemp /etc/.reconciler-XXXXXXXXXX)
    { cat /etc/crypttab; printf '%s\\n' "$line"; } >"$new"
    chmod 644 "$new"
    sync "$new"
    mv -fT "$new" /etc/crypttab
fi
"""
_IS_OPEN = 'for label in "$@"; do [ -e "/dev/mapper/$label" ] || exit 1; done'
_AWAKE = """\
if command -v zpool >/dev/null; then zpool import -d /dev/mapper -a >&2 || true; fi
if command -v vgchange >/dev/null; then vgchange -ay >&2 || true; fi
"""


def labels(wanted: Install, data: DataPartition) -> tuple[str, ...]:
    """What the partition is called on each of the disks."""
    return tuple(f"{data.name}-{number}" for number in range(1, len(wanted.disks) + 1))


def partition_size(data: DataPartition) -> str:
    """Its end as sgdisk takes it."""
    return "0" if data.size is None else f"+{data.size // MEBIBYTE}M"


def storage_packages(wanted: Install) -> tuple[str, ...]:
    """What has to be installed for it."""
    return ("cryptsetup",) if any(each.encrypted for each in wanted.data) else ()


def storage_steps(wanted: Install) -> tuple[Step, ...]:
    """Encrypt what is not, open what is closed, and find the pools on it."""
    opened = tuple(_open_step(wanted, each) for each in wanted.data if each.encrypted)
    if not opened:
        return ()
    awake = Step(
        "wake",
        "find the pools and volume groups on what was opened",
        Door.OURS,
        (Command(script(_AWAKE)),),
    )
    return (*opened, awake)


def _open_step(wanted: Install, data: DataPartition) -> Step:
    found = labels(wanted, data)
    return Step(
        f"encrypt-{data.name}",
        f"encrypt {', '.join(found)} where that is not done, and open them",
        Door.OURS,
        tuple(Command(script(_OPEN, label), passphrase=data.name) for label in found),
        Command(script(_IS_OPEN, *found)),
        destructive=True,
    )
