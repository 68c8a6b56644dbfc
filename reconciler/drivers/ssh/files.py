"""Files of a host, each in one command: read whole, and replaced whole.

The content goes to a temporary name beside the file, is checked by its sum, synced and renamed, so
that readers see the old or the new, also when the connection breaks or the power goes. It goes
by a command and not by sftp, because a command can be kept from running late.
"""

from __future__ import annotations

from hashlib import sha256

ABSENT = "absent"
ANYTHING = "anything"
IS_MISSING, IS_OTHER, IS_CUT = 194, 195, 196

_READ = """\
if ! [ -e "$1" ]; then
    exit 194
fi
exec cat -- "$1"
"""

_LOOK = (
    """\
printf '%s\\n' "$(cat -- "$2" 2>/dev/null)"
"""
    + _READ
)

_WRITE = """\
set -eu
path=$1 mode=$2 sum=$3 before=$4
directory=$(dirname -- "$path")
sum_of() { sha256sum <"$1" | cut -c 1-64; }
if [ "$before" != anything ]; then
    now=absent
    if [ -e "$path" ]; then now=$(sum_of "$path"); fi
    if [ "$now" != "$before" ]; then exit 195; fi
fi
mkdir -p -- "$directory"
find "$directory" -maxdepth 1 -name '.reconciler-??????????' -mmin +60 -delete
new=$(mktemp -- "$directory/.reconciler-XXXXXXXXXX")
trap 'rm -f -- "$new"' EXIT
trap 'exit 143' HUP INT TERM
cat >"$new"
if [ "$(sum_of "$new")" != "$sum" ]; then exit 196; fi
chmod -- "$mode" "$new"
sync -- "$new"
mv -fT -- "$new" "$path"
sync -- "$directory"
"""


def reading(path: str) -> list[str]:
    """The command that prints a file."""
    return ["sh", "-c", _READ, "reconciler", path]


def looking(path: str, fence: str) -> list[str]:
    """The command that prints the line in the file `fence`, or an empty one, and then a file."""
    return ["sh", "-c", _LOOK, "reconciler", path, fence]


def writing(path: str, content: bytes, mode: int, replaces: str) -> list[str]:
    """The command that makes what it reads the content of a file.

    `replaces` is the sum of what must be there before, `ABSENT` or `ANYTHING`.
    """
    return ["sh", "-c", _WRITE, "reconciler", path, f"{mode:o}", sum_of(content), replaces]


def sum_of(content: bytes) -> str:
    """The sum by which a file is known."""
    return sha256(content).hexdigest()
