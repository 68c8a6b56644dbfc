"""Events of a host's files, as inotifywait prints them: a line per event, over one ssh stream."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

_KINDS = "close_write,attrib,move,create,delete,delete_self,move_self"
LONGEST_LINE_BYTES = 100_000  # a word of a command has 128 KiB at most, and the line is one
_QUOTES = 3  # the blank between two paths and what quotes one
# What is not there cannot be watched; the sweep finds it when it comes.
_LISTEN = """\
for path; do
    shift
    if [ -d "$path" ]; then set -- "$@" "$path"; fi
done
exec inotifywait --monitor --quiet --event "$kinds" --format %w%f -- "$@"
"""


def listening(paths: Sequence[str]) -> list[str]:
    """The command that prints what changes directly in these directories. It never ends.

    Of very many the shortest are listened to: a longer line no shell of a host is given.
    """
    kept, room = set[str](), LONGEST_LINE_BYTES
    for path in sorted(paths, key=lambda each: (len(each), each)):
        room -= len(path.encode()) + _QUOTES
        if room < 0:
            break
        kept.add(path)
    chosen = [path for path in paths if path in kept]
    return ["env", f"kinds={_KINDS}", "sh", "-c", _LISTEN, "reconciler", *chosen]


def paths_in(lines: Iterable[bytes]) -> Iterator[str]:
    """The paths that the lines name. They are hints: whatever they say only leads to a look."""
    return (line.decode(errors="replace").rstrip("\n") for line in lines)
