"""The steps for a bare server that runs a Hetzner rescue system.

The new system's host key is made in the rescue system, over a connection that a person has
compared, so that the installed system is known before it first boots. The private half never
leaves the machine.
"""

from __future__ import annotations

from datetime import timedelta

from reconciler.config.install import Install
from reconciler.render.bootstrap.every import (
    STATE_DIRECTORY,
    common_steps,
    pin_step,
    script,
)
from reconciler.render.bootstrap.installimage import configuration, ending, opening
from reconciler.render.bootstrap.step import Command, Door, Step
from reconciler.render.bootstrap.storage import (
    labels,
    partition_size,
    storage_packages,
    storage_steps,
)

INSTALLER = "/root/.oldroot/nfs/install/installimage"
WORKSHOP = "/root/reconciler"
NEW_HOST_KEY = f"{WORKSHOP}/host-key.pub"
REBOOT, WAIT, ADOPT_KEY = "reboot", "wait", "adopt-key"
INSTALL_DEADLINE = timedelta(minutes=45)

IS_RESCUE = ("test", "-e", INSTALLER)
IS_INSTALLED = ("test", "-s", f"{STATE_DIRECTORY}/installed")

_PREPARE = """\
set -eu
umask 077
mkdir -p -- "$1"
cd -- "$1"
rm -f host-key host-key.pub prepared done
ssh-keygen -q -t ed25519 -N '' -C "$2" -f host-key
"""
_WRITE = """\
set -eu
umask 077
cat >"$1.new"
mv -fT -- "$1.new" "$1"
"""
_JOIN = """\
set -eu
umask 077
cd -- "$1"
cat opening host-key ending >post-install.new
chmod 700 post-install.new
mv -fT -- post-install.new post-install
cp install.conf prepared
"""
_INSTALL = """\
set -eu
cd -- "$1"
rm -f done
if ! TERM=linux "$2" -a -c "$1/install.conf" -x "$1/post-install" >install.log 2>&1; then
    echo "the installer failed; its last words:" >&2
    tail -n 5 install.log | tr -cd '[:print:]\\n' >&2
    exit 1
fi
cp install.conf done
"""
_IS_PREPARED = 'cmp -s -- - "$1/prepared"'
_IS_DONE = 'cmp -s -- - "$1/done"'
_RESTART = """\
set -eu
sync
nohup sh -c 'sleep 2; systemctl reboot || reboot' >/dev/null 2>&1 </dev/null &
"""
_PARTITION = """\
set -eu
disk=$1 label=$2 size=$3
if sgdisk --print "$disk" | awk -v label="$label" '$NF == label { found = 1 } END { exit !found }'
then exit 0; fi
sgdisk --new="0:0:$size" --change-name="0:$label" --typecode=0:8300 "$disk" >&2
"""
_IS_PARTITIONED = """\
while [ $# -ge 2 ]; do
    sgdisk --print "$1" | awk -v label="$2" '$NF == label { found = 1 } END { exit !found }' ||
        exit 1
    shift 2
done
"""


def rescue_steps(
    name: str, hostname: str, wanted: Install, public_key: str, *, guests: bool = True
) -> tuple[Step, ...]:
    """All steps for a server in a rescue system. `public_key` is one line.

    `guests`: whether it is to run machines.
    """
    state, packages, check = common_steps(storage_packages(wanted), guests=guests)
    return (
        pin_step(),
        *_installing(name, configuration(wanted, hostname), wanted, public_key),
        *_partitioning(wanted),
        Step(ADOPT_KEY, "pin the host key that the installed system will show", Door.HERE),
        Step(
            REBOOT,
            "restart the machine into the installed system",
            Door.GIVEN,
            (Command(script(_RESTART)),),
        ),
        Step(WAIT, "wait for the installed system, known by that key", Door.HERE),
        state,
        packages,
        *storage_steps(wanted),
        check,
    )


def _installing(name: str, wish: str, wanted: Install, public_key: str) -> tuple[Step, Step]:
    disks = wanted.disks if wanted.raid is not None else wanted.disks[:1]
    prepare = Step(
        "prepare",
        "make the new system's host key, and write down what the installer is to do",
        Door.GIVEN,
        (
            Command(script(_PREPARE, WORKSHOP, f"root@{name}")),
            _writing("opening", opening(public_key, STATE_DIRECTORY)),
            _writing("ending", ending(name, STATE_DIRECTORY)),
            _writing("install.conf", wish),
            Command(script(_JOIN, WORKSHOP)),
        ),
        Command(script(_IS_PREPARED, WORKSHOP), wish),
    )
    install = Step(
        "install",
        f"wipe {', '.join(disks)} and install {wanted.image.rpartition('/')[2]}",
        Door.GIVEN,
        (Command(script(_INSTALL, WORKSHOP, INSTALLER)),),
        Command(script(_IS_DONE, WORKSHOP), wish),
        destructive=True,
        deadline=INSTALL_DEADLINE,
    )
    return prepare, install


def _writing(file: str, content: str) -> Command:
    return Command(script(_WRITE, f"{WORKSHOP}/{file}"), content)


def _partitioning(wanted: Install) -> tuple[Step, ...]:
    places = [
        (disk, label, partition_size(data))
        for data in wanted.data
        for disk, label in zip(wanted.disks, labels(wanted, data), strict=True)
    ]
    if not places:
        return ()
    return (
        Step(
            "partition",
            f"add the partitions {', '.join(label for _, label, _ in places)}",
            Door.GIVEN,
            tuple(Command(script(_PARTITION, *place)) for place in places),
            Command(script(_IS_PARTITIONED, *(word for place in places for word in place[:2]))),
            destructive=True,
        ),
    )
