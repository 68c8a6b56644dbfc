"""The steps that every machine takes: known, let in, and given what a host is driven with."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from reconciler.render.bootstrap.step import Command, Door, Step

PIN, LET_IN, PACKAGES, STATE, CHECK = "pin", "let-in", "packages", "state", "check"
STATE_DIRECTORY = "/var/lib/reconciler"
INSTALL_DEADLINE = timedelta(minutes=30)
GUEST_PACKAGES = (
    "libvirt-daemon-system",
    "libvirt-daemon-driver-qemu",
    "libvirt-clients",
    "qemu-system-x86",
    "qemu-utils",
)

_ADD_KEY = """\
set -eu
umask 077
IFS= read -r key
directory=$HOME/.ssh
mkdir -p -- "$directory"
file=$directory/authorized_keys
[ -e "$file" ] || : >"$file"
if grep -qxF -e "$key" "$file"; then exit 0; fi
new=$(mktemp -- "$directory/.reconciler-XXXXXXXXXX")
trap 'rm -f -- "$new"' EXIT
{ cat -- "$file"; [ -z "$(tail -c 1 -- "$file")" ] || echo; printf '%s\\n' "$key"; } >"$new"
sync -- "$new"
mv -fT -- "$new" "$file"
sync -- "$directory"
"""
_INSTALL = """\
set -eu
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
exec >&2
dpkg --configure -a --force-confold
apt-get -o DPkg::Lock::Timeout=600 -q -y update
apt-get -o DPkg::Lock::Timeout=600 -o Dpkg::Options::=--force-confold -q -y \\
    --no-install-recommends install -- "$@"
"""
_INSTALLED = """\
for name in "$@"; do
    found=$(dpkg-query -W -f '${db:Status-Status}' -- "$name" 2>/dev/null) || exit 1
    [ "$found" = installed ] || exit 1
done
"""
_MAKE_STATE = """\
set -eu
mkdir -p -- "$1"
chown root:root -- "$1"
chmod 700 -- "$1"
"""
_STATE_IS_MADE = '[ "$(stat -c "%F %a %u" -- "$1" 2>/dev/null)" = "directory 700 0" ]'


def common_steps(
    more_packages: Sequence[str] = (), *, guests: bool = True
) -> tuple[Step, Step, Step]:
    """What every machine gets once it lets us in. `guests`: whether it is to run machines."""
    of_guests = GUEST_PACKAGES if guests else ()
    packages = ("python3", *of_guests, "inotify-tools", *more_packages)
    return (state_step(), packages_step(packages), check_step())


def pin_step() -> Step:
    """Learn by which key the machine is known."""
    return Step(PIN, "see the machine's host key, have a person compare it, and pin it", Door.HERE)


def let_in_step(public_key: str) -> Step:
    """Have the machine let our own key in. Whether it does is seen by trying."""
    command = Command(script(_ADD_KEY), public_key + "\n")
    what = "add our public key to the account's authorized_keys"
    return Step(LET_IN, what, Door.GIVEN, (command,))


def packages_step(packages: Sequence[str]) -> Step:
    """Install what a host is driven with."""
    return Step(
        PACKAGES,
        f"install {', '.join(packages)}",
        Door.OURS,
        (Command(script(_INSTALL, *packages)),),
        Command(script(_INSTALLED, *packages)),
        deadline=INSTALL_DEADLINE,
    )


def state_step() -> Step:
    """Make the directory where marks and locks are kept."""
    return Step(
        STATE,
        f"make {STATE_DIRECTORY}, for root only",
        Door.OURS,
        (Command(script(_MAKE_STATE, STATE_DIRECTORY)),),
        Command(script(_STATE_IS_MADE, STATE_DIRECTORY)),
    )


def check_step() -> Step:
    """Look at the result as `reconciler doctor` does."""
    return Step(CHECK, "look at the host as reconciler doctor does", Door.HERE)


def script(text: str, *arguments: str) -> tuple[str, ...]:
    """A fixed script for the machine's shell; what varies comes to it as arguments."""
    return ("sh", "-c", text, "reconciler", *arguments)
