"""How a lower level of precedence is overlaid by a higher one, values and positions together.

Mappings merge; lists whose items have a name merge by it; null removes, and `absent: true` removes
the item that has it; all else is replaced. Items of `networks` go by their network, `records` by
name and type, `files` and `mounts` by path.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.config.long_lists import Marks, Placed
from reconciler.config.parse import Written
from reconciler.model.position import Position

NamePath = tuple[str, ...]
ABSENT = "absent"
ITEM_KEYS: Mapping[str, tuple[str, ...]] = {
    "networks": ("network",),
    "records": ("name", "type"),
    "files": ("path",),
    "mounts": ("path",),
}


@dataclass(frozen=True, slots=True)
class Located:
    """A value with the positions of its parts; items of lists go by name if they have any."""

    value: dict[str, Any]
    marks: Mapping[NamePath, Position]

    def position(self, path: NamePath = ()) -> Position:
        """Where the value at `path` was written, or the nearest thing around it."""
        for length in range(len(path), -1, -1):
            if position := self.marks.get(path[:length]):
                return position
        return Position("farm.yaml")


def locate(written: Written) -> Located:
    """The same document with its items by name; one whose name is there already by its number."""
    marks: dict[NamePath, Position] = {}
    if isinstance(written.marks, Marks):
        return Located(written.value, NamedMarks(written, written.marks))
    for path in written.marks:
        position = written.position(path)
        if marks.setdefault(names_of(written.value, path), position) != position:
            marks[tuple(map(str, path))] = position
    return Located(written.value, marks)


class NamedMarks(Mapping[NamePath, Position]):
    """The positions in a document with long lists, by name; those in the lists when asked for."""

    def __init__(self, written: Written, marks: Marks) -> None:
        self._written = written
        self._placed = tuple((names_of(written.value, each.path), each) for each in marks.placed)
        self._numbers: dict[NamePath, dict[str, int]] = {}
        self._others: dict[NamePath, Position] = {}
        for path, mark in marks.others.items():
            names, position = names_of(written.value, path), Position(written.file, *mark)
            is_first = names not in self._others and not self._is_later(path, names)
            self._others[names if is_first else tuple(map(str, path))] = position

    def __getitem__(self, path: NamePath) -> Position:
        """Where what is at a path was written.

        Raises:
            KeyError: nothing was.
        """
        if (position := self._others.get(path)) is not None:
            return position
        for names, placed in self._placed:
            if len(path) > len(names) and path[: len(names)] == names:
                name, rest = path[len(names)], path[len(names) + 1 :]
                number = self._number(names, placed, name)
                steps: list[str | int] = [int(step) if step.isdigit() else step for step in rest]
                if number is not None and (mark := placed.mark(number, steps)):
                    return Position(self._written.file, *mark)
        raise KeyError(path)

    def __iter__(self) -> Iterator[NamePath]:
        """All paths."""
        yield from self._others
        told: set[NamePath] = set()
        for path in self._written.marks:
            names = names_of(self._written.value, path)
            if names not in self._others and names not in told:
                told.add(names)
                yield names

    def __len__(self) -> int:
        """How many there are."""
        return sum(1 for _ in self)

    def _number(self, names: NamePath, placed: Placed, name: str) -> int | None:
        if names not in self._numbers:
            items: Any = self._written.value
            for each in placed.path:
                items = items[each]
            found: dict[str, int] = {}
            for number, item in enumerate(items):
                found.setdefault(item_name(names[-1] if names else "", item) or str(number), number)
            self._numbers[names] = found
        known = self._numbers[names].get(name)
        return int(name) if known is None and name.isdecimal() else known

    def _is_later(self, path: tuple[str | int, ...], names: NamePath) -> bool:
        """Whether it is in an item that is called like one in a long list before it."""
        for listed, placed in self._placed:
            length = len(placed.path)
            if len(path) > length and path[:length] == placed.path:
                step = path[length]
                return isinstance(step, int) and step != self._number(listed, placed, names[length])
        return False


def has_long_lists(located: Located) -> bool:
    """Whether a document has long lists, as large zones have."""
    return isinstance(located.marks, NamedMarks)


def overlay(base: Located, upper: Located) -> Located:
    """`upper` over `base`."""
    marks = dict(base.marks)
    value = _merge(base.value, upper.value, (), marks)
    marks.update({p: m for p, m in upper.marks.items() if p != () or not base.marks})
    return Located(value, marks)


def only(located: Located, keys: Collection[str]) -> Located:
    """The same with these of its top-level keys only."""
    value = {key: item for key, item in located.value.items() if key in keys}
    marks = {path: mark for path, mark in located.marks.items() if not path or path[0] in keys}
    return Located(value, marks)


def item_name(key: str, item: Any) -> str | None:
    """The name of a list item, None if it has none. `key` is the list's key in its document."""
    fields = ITEM_KEYS.get(key, ("name",))
    if not isinstance(item, dict) or not all(isinstance(item.get(f), str) for f in fields):
        return None
    return "/".join(item[field] for field in fields)


def _merge(
    base: Mapping[str, Any],
    upper: Mapping[str, Any],
    path: NamePath,
    marks: dict[NamePath, Position],
) -> dict[str, Any]:
    merged = dict(base)
    for key, value in upper.items():
        here = (*path, key)
        if value is None:
            merged.pop(key, None)
            _forget(marks, here)
        elif isinstance(value, dict) and isinstance(base.get(key), dict):
            merged[key] = _merge(base[key], value, here, marks)
        elif _named(key, value) and _named(key, base.get(key)):
            merged[key] = _merge_items(key, base[key], value, here, marks)
        else:
            merged[key] = _without_nulls(value)
            _forget(marks, here)
    return merged


def _without_nulls(value: Any) -> Any:
    """What there is to remove in what was not there before."""
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value


def _merge_items(
    key: str, base: list[Any], upper: list[Any], path: NamePath, marks: dict[NamePath, Position]
) -> list[Any]:
    items = {item_name(key, item): item for item in base}
    for item in upper:
        name = item_name(key, item)
        if name in items and item.get(ABSENT) is True:
            del items[name]
        elif name in items:
            items[name] = _merge(items[name], item, (*path, str(name)), marks)
        else:
            items[name] = _without_nulls(item)
    return list(items.values())


def _named(key: str, value: Any) -> bool:
    """Whether it is a list whose items all have names, each its own."""
    if not isinstance(value, list) or not value:
        return False
    names = [item_name(key, item) for item in value]
    return None not in names and len(set(names)) == len(names)


def _forget(marks: dict[NamePath, Position], path: NamePath) -> None:
    for known in [known for known in marks if known[: len(path)] == path]:
        del marks[known]


def names_of(value: Any, path: tuple[str | int, ...]) -> NamePath:
    """A path with the names of list items instead of their numbers."""
    names: list[str] = []
    here, key = value, ""
    for step in path:
        if isinstance(step, int):
            item = here[step] if isinstance(here, list) and step < len(here) else None
            names.append(item_name(key, item) or str(step))
            here = item
        else:
            key = step
            names.append(step)
            here = here.get(step) if isinstance(here, dict) else None
    return tuple(names)
