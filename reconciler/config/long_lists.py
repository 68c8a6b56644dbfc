"""Long lists of mappings that have a line each, such as the records of a large zone.

A line like `  - {name: www, type: A, values: [192.0.2.1]}` says the same wherever it stands as an
item of a list. So runs of such lines are taken out of a text, with one word in the place of each:
where libyaml then finds that word as an item, there the run stood. That is ten times faster than
to have libyaml tell of each word in it, and the positions are found when somebody asks for them.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

LEAST_LINES = 64
_OFTEN = 7  # letters: types, times to live and the like
MOST_LINES = 250_000
Mark = tuple[int, int]

# What means the same to everybody: no tags, anchors, escapes, comments, colons or line breaks.
_PLAIN = r"[A-Za-z0-9_](?:[A-Za-z0-9_./+=~-]| (?=[A-Za-z0-9_./+=~-]))*+"
_SCALAR = rf"(?:{_PLAIN}|'[ -&(-~]*+'|\"[ !#-\[\]-~]*+\")"
_PAIR = rf"([a-z_]+): (?:({_SCALAR})|\[({_SCALAR}(?:, {_SCALAR})*+)\])"
_PAIR_ONLY = rf"[a-z_]+: (?:{_SCALAR}|\[{_SCALAR}(?:, {_SCALAR})*+\])"
_LINE = re.compile(rf"^( *)- \{{{_PAIR_ONLY}(?:, {_PAIR_ONLY})*+\}}\n", re.MULTILINE)
_PAIRS = re.compile(_PAIR)
_SCALARS = re.compile(_SCALAR)


@dataclass(frozen=True, slots=True)
class Run:
    """Lines that were taken out: their text, where each begins in it, and what they say.

    `line` is the number of the first in its file, and `indent` the spaces before each.
    """

    text: str
    starts: array[int]
    line: int
    indent: int
    values: list[dict[str, Any]]

    def mark(self, item: int, path: Sequence[str | int] = ()) -> Mark | None:
        """Line and column of an item, or of something in it."""
        begins = self.starts[item]
        column = self._column(begins, *path) if path else self.indent + 2
        return None if column is None else (self.line + item, column + 1)

    def _column(self, begins: int, key: str | int, *rest: str | int) -> int | None:
        ends = self.text.index("\n", begins)
        for pair in _PAIRS.finditer(self.text, begins + self.indent + 3, ends):
            if pair[1] != key:
                continue
            if not rest:
                return pair.start() - begins
            if pair[3] is None or len(rest) > 1:
                return None
            scalars = [each.start() for each in _SCALARS.finditer(self.text, *pair.span(3))]
            number = rest[0]
            is_there = isinstance(number, int) and 0 <= number < len(scalars)
            return scalars[int(number)] - begins if is_there else None
        return None


@dataclass(frozen=True, slots=True)
class Placed:
    """A run that is part of the list at `path`, from its item `first` on."""

    path: tuple[str | int, ...]
    first: int
    run: Run

    def mark(self, number: int, path: Sequence[str | int]) -> Mark | None:
        """Line and column of an item of the list, or of something in it; None if it is not here."""
        item = number - self.first
        return self.run.mark(item, path) if 0 <= item < len(self.run.values) else None


class Marks(Mapping[tuple[str | int, ...], Mark]):
    """The positions in a document with runs; those in runs are found when they are asked for."""

    def __init__(
        self, marks: Mapping[tuple[str | int, ...], Mark], placed: Sequence[Placed]
    ) -> None:
        self.others = marks
        self.placed = tuple(placed)

    def __getitem__(self, path: tuple[str | int, ...]) -> Mark:
        """Line and column of what is at a path.

        Raises:
            KeyError: nothing is.
        """
        if (mark := self.others.get(path)) is not None:
            return mark
        for each in self.placed:
            length = len(each.path)
            if len(path) > length and path[:length] == each.path:
                number, rest = path[length], path[length + 1 :]
                if isinstance(number, int) and (mark := each.mark(number, rest)):
                    return mark
        raise KeyError(path)

    def __iter__(self) -> Iterator[tuple[str | int, ...]]:
        """All paths."""
        yield from self.others
        for each in self.placed:
            for number, item in enumerate(each.run.values, each.first):
                yield from _paths((*each.path, number), item)

    def __len__(self) -> int:
        """How many there are."""
        return sum(1 for _ in self)


def _paths(path: tuple[str | int, ...], item: Mapping[str, Any]) -> Iterator[tuple[str | int, ...]]:
    yield path
    for key, value in item.items():
        yield (*path, key)
        if isinstance(value, list):
            yield from ((*path, key, number) for number in range(len(value)))


@dataclass(frozen=True, slots=True)
class Taken:
    """A text without its long lists, and what stands for each."""

    text: str
    runs: Mapping[str, Run] = field(default_factory=dict)


def take_out(text: str, resolved: Callable[[str], Any]) -> Taken:
    """A text without its runs of lines. `resolved` is what a plain word stands for.

    Raises:
        ValueError: from `resolved`, of a word that stands for nothing.
    """
    word = "taken-out-"
    while word in text:
        word += "x"
    parts: list[str] = []
    runs: dict[str, Run] = {}
    end, left = 0, MOST_LINES
    read = _Reader(resolved)
    line = 1
    for lines in _runs(text):
        count = len(lines)
        if count < LEAST_LINES or count > left:
            continue
        left -= count
        begins, ends = lines[0].start(), lines[-1].end()
        line += text.count("\n", end, begins)
        indent = len(lines[0][1])
        starts = array("L", (each.start() - begins for each in lines))
        values = [read.item(text, *each.span()) for each in lines]
        name = f"{word}{len(runs)}"
        runs[name] = Run(text[begins:ends], starts, line, indent, values)
        parts += (text[end:begins], f"{' ' * indent}- {name}", "\n" * count)
        line += count
        end = ends
    return Taken("".join([*parts, text[end:]]), runs) if runs else Taken(text)


def _runs(text: str) -> Iterator[list[re.Match[str]]]:
    """Neighbouring lines with the same indentation."""
    lines: list[re.Match[str]] = []
    for each in _LINE.finditer(text):
        if lines and (lines[-1].end() != each.start() or lines[-1][1] != each[1]):
            yield lines
            lines = []
        lines.append(each)
    if lines:
        yield lines


class _Reader:
    """Reads lines; words that come again and again are there once."""

    def __init__(self, resolved: Callable[[str], Any]) -> None:
        self._resolved = resolved
        self._words: dict[str, Any] = {}

    def item(self, text: str, begins: int, ends: int) -> dict[str, Any]:
        """What a line says.

        Raises:
            ValueError: it has a key twice, or a word that stands for nothing.
        """
        found: dict[str, Any] = {}
        for key, scalar, scalars in _PAIRS.findall(text, begins, ends):
            known = self._words.setdefault(key, key)
            if known in found:
                raise ValueError(key)
            value = self._scalar(scalar) if scalar else self._scalars(scalars)
            found[known] = value
        return found

    def _scalars(self, text: str) -> list[Any]:
        if "," not in text:
            return [self._scalar(text)]
        return [self._scalar(each) for each in _SCALARS.findall(text)]

    def _scalar(self, text: str) -> Any:
        if text[0] in "'\"":
            return text[1:-1]
        if len(text) <= _OFTEN:
            if text not in self._words:
                self._words[text] = self._resolved(text)
            return self._words[text]
        return self._resolved(text)
