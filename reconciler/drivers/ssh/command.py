"""A command for a host: arguments quoted in one place, and a time after which it does not run.

A deadline that passes here does not stop what runs there, and what a frozen server has received it
does later. So each command carries the end of its time in the host's own uptime: after that it
does not begin any more, and what has begun is ended by `timeout`.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.drivers.ssh.fence import Claim
from reconciler.plan.show.escape import visible

TIMED_OUT = 124  # what timeout(1) exits with, and what comes too late
BUSY = 193
FENCED = 197
KILL_AFTER_SECONDS = 5

_NO_INPUT = " </dev/null"
_GREETING = """\
cat /proc/uptime
cat -- "$1/fence" 2>/dev/null || :
"""

_IN_TIME = """\
read -r up rest </proc/uptime
left=$(($1 - ${up%.*}${up#*.}))
shift
if [ "$left" -le 0 ]; then
    echo 'this command came too late' >&2
    exit 124
fi
exec timeout -k 5 "$((left / 100)).$(printf %02d $((left % 100)))" "$@"
"""

_ALONE = """\
directory=$1 seconds=$2
shift 2
mkdir -p -m 700 -- "$directory" || exit 73
exec flock -E 193 -w "$seconds" "$directory/lock" "$@"
"""

_FENCED = """\
directory=$1 holder=$2 seen=$3 mine=$4
shift 4
now=$(cat -- "$directory/fence" 2>/dev/null) || now=
case $now in
*"\\"holder\\": \\"$holder\\""*) exec "$@" ;;
"$seen") ;;
*) echo 'another reconciler has changed this host since it was looked at' >&2; exit 197 ;;
esac
rm -f -- "$directory"/.fence-??????
new=$(mktemp -- "$directory/.fence-XXXXXX") || exit 73
printf '%s\\n' "$mine" >"$new" && sync -- "$new" || exit 73
mv -fT -- "$new" "$directory/fence" && sync -- "$directory" || exit 73
exec "$@"
"""

# What a stream runs ends with the connection: its standard input is open for as long.
_WHILE_HEARD = """\
exec 3<&0
"$@" </dev/null 3<&- &
child=$!
(cat <&3; kill "$child") >/dev/null 2>&1 &
guard=$!
exec 3<&-
wait "$child"
code=$?
kill "$guard" 2>/dev/null
exit "$code"
"""


@dataclass(frozen=True, slots=True)
class Result:
    """What a command left behind."""

    exit_code: int
    stdout: bytes
    stderr: bytes

    @property
    def complaint(self) -> str:
        """What it said on its standard error, on one short line that acts on no terminal."""
        return visible(" ".join(self.stderr.decode(errors="replace").split())[:500])


def line_of(argv: Sequence[str], *, is_fed: bool) -> str:
    """The words as one line for the host's shell, which reads them as exactly these words.

    A command that `is_fed` reads what we send; any other finds its input at an end.

    Raises:
        ValueError: a word holds what no argument can hold.
    """
    if any("\0" in word for word in argv):
        raise ValueError("an argument holds a NUL character")
    return shlex.join(argv) + ("" if is_fed else _NO_INPUT)


def greeting(directory: str) -> list[str]:
    """The command that tells the host's uptime on the first line, and its fence on the next."""
    return ["sh", "-c", _GREETING, "reconciler", directory]


def in_time(argv: Sequence[str], uptime_centiseconds: int) -> list[str]:
    """The command, not to be begun after that uptime of the host, and ended then."""
    return ["sh", "-c", _IN_TIME, "reconciler", str(uptime_centiseconds), *argv]


def alone(argv: Sequence[str], directory: str, wait_seconds: float) -> list[str]:
    """The command under the host's lock, so that no two writers interleave.

    The lock is held as long as anything that the command started lives.
    """
    return ["sh", "-c", _ALONE, "reconciler", directory, f"{wait_seconds:.2f}", *argv]


def fenced(argv: Sequence[str], directory: str, claim: Claim) -> list[str]:
    """The command, if since our look no other reconciler has changed the host; see `fence`."""
    words = (directory, claim.holder, claim.seen, claim.mine)
    return ["sh", "-c", _FENCED, "reconciler", *words, *argv]


def while_heard(argv: Sequence[str]) -> list[str]:
    """The command, ended when nobody is there any more to hear what it says."""
    return ["sh", "-c", _WHILE_HEARD, "reconciler", *argv]
