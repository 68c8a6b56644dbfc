"""Events of a host's files, as inotifywait prints them: a line per event, over one ssh stream."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

_KINDS = "close_write,attrib,move,create,delete,delete_self,move_self"
# What is not there cannot be watched; the sweep finds it when it comes.
_LISTEN = """\
for path; do
    shift
    if [ -d "$path" ]; then set -- "$@" "$path"; fi
done
exec inotifywait --monitor --quiet --event "$kinds" --format %w%f -- "$@"
"""


def listening(paths: Sequence[str]) -> list[str]:
    """The command that prints what changes directly in these directories. It never ends."""
    return ["env", f"kinds={_KINDS}", "sh", "-c", _LISTEN, "reconciler", *paths]


def paths_in(lines: Iterable[bytes]) -> Iterator[str]:
    """The paths that the lines name. They are hints: whatever they say only leads to a look."""
    return (line.decode(errors="replace").rstrip("\n") for line in lines)
