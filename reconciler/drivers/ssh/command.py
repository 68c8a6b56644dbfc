"""A command for a host: arguments quoted in one place, and a time after which it does not run.

A deadline that passes here does not stop what runs there, and what a frozen server has received it
does later. So each command carries the end of its time in the host's own uptime: after that it
does not begin any more, and what has begun is ended by `timeout`.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.plan.show.escape import visible

TIMED_OUT = 124  # what timeout(1) exits with, and what comes too late
BUSY = 193
KILL_AFTER_SECONDS = 5

_NO_INPUT = " </dev/null"
UPTIME_LINE = "cat /proc/uptime" + _NO_INPUT

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


def in_time(argv: Sequence[str], uptime_centiseconds: int) -> list[str]:
    """The command, not to be begun after that uptime of the host, and ended then."""
    return ["sh", "-c", _IN_TIME, "reconciler", str(uptime_centiseconds), *argv]


def alone(argv: Sequence[str], directory: str, wait_seconds: float) -> list[str]:
    """The command under the host's lock, so that no two writers interleave.

    The lock is held as long as anything that the command started lives.
    """
    return ["sh", "-c", _ALONE, "reconciler", directory, f"{wait_seconds:.2f}", *argv]
