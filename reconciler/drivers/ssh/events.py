"""Events of a host's files and of its network: a line per event, over one ssh stream."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from importlib.resources import files

from reconciler.drivers.ssh.program import PACKAGE

LONGEST_LINE_BYTES = 100_000  # a word of a command has 128 KiB at most, and the line is one
_QUOTES = 3  # the blank between two paths and what quotes one
_RUN = "\nsys.exit(main(sys.argv[1:]))\n"


def listening(paths: Sequence[str]) -> list[str]:
    """The command that prints what changes directly in these directories, and in the network.

    It never ends. Of very many paths the shortest are listened to: a longer line no shell of a host
    is given. What is not there cannot be watched; the sweep finds it when it comes.
    """
    kept, room = set[str](), LONGEST_LINE_BYTES
    for path in sorted(paths, key=lambda each: (len(each), each)):
        room -= len(path.encode()) + _QUOTES
        if room < 0:
            break
        kept.add(path)
    chosen = [path for path in paths if path in kept]
    return ["python3", "-I", "-S", "-c", _program(), *chosen]


@cache
def _program() -> str:
    return files(PACKAGE).joinpath("hear.py").read_text(encoding="utf-8") + _RUN


def paths_in(lines: Iterable[bytes]) -> Iterator[str]:
    """What the lines name: paths, or what of the network. They are hints, and lead to a look."""
    return (line.decode(errors="replace").rstrip("\n") for line in lines)
