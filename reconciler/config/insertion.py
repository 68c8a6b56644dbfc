"""Putting one value between what people wrote, so that no other letter of the file changes.

The YAML library tells where things stand. What comes of it is read again, and must be what was
meant.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, SequenceNode

from reconciler.config.parse import parse
from reconciler.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Insertion:
    """A value for an item of a list of a document; list and item are made if need be.

    `document` is its kind and name, `key` the list's, `item` a key and value that tell the item
    from the others, `new` the key and value to write.
    """

    document: tuple[str, str]
    key: str
    item: tuple[str, str]
    new: tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Cut:
    """What takes the place of the letters from `start` to `end`."""

    start: int
    end: int
    text: str


def inserted(text: str, insertions: Sequence[Insertion]) -> str:
    """The text of a file with the values in it.

    Raises:
        KeyError: the file has no document of that kind and name.
        ValueError: it is written in a way that a person must change by hand.
    """
    waiting = list(insertions)
    while waiting:  # one of each list at a time, since the first may make the list
        now = {(each.document, each.key): each for each in reversed(waiting)}
        waiting = [each for each in waiting if each is not now[each.document, each.key]]
        text = _checked(text, tuple(now.values()))
    return text


def documents_in(text: str) -> frozenset[tuple[str, str]]:
    """Kind and name of the documents of a file."""
    return frozenset((each["kind"], each["name"]) for each in _values(text))


def _checked(text: str, insertions: Sequence[Insertion]) -> str:
    roots = _documents(text)
    written = text
    cuts = [_cut(text, roots[each.document], each) for each in insertions]
    for cut in sorted(cuts, key=lambda cut: cut.start, reverse=True):
        written = written[: cut.start] + cut.text + written[cut.end :]
    try:
        is_meant = _values(written) == _expected(_values(text), insertions)
    except ConfigError:
        is_meant = False
    if not is_meant:
        each = insertions[0]
        said = f"`{each.new[0]}: {each.new[1]}`"
        raise ValueError(f"{each.document[0]} {each.document[1]}: {said} must be written by hand")
    return written


def _cut(text: str, root: MappingNode, insertion: Insertion) -> _Cut:
    items = _child(root, insertion.key)
    if items is None:
        return _new_list(text, root, insertion)
    if not isinstance(items, SequenceNode) or not items.value:
        return _instead(text, root, insertion.key, f"[{_flow(insertion)}]")
    for node in items.value:
        if _says(node, *insertion.item):
            return _in_item(text, node, insertion)
    start = items.start_mark.index  # the bracket, or the dash of the first item
    if items.flow_style:
        return _Cut(start + 1, start + 1, f"{_flow(insertion)}, ")
    line_end = _line_end(text) + " " * items.start_mark.column
    return _Cut(start, start, f"- {_flow(insertion)}{line_end}")


def _new_list(text: str, root: MappingNode, insertion: Insertion) -> _Cut:
    """A list after the name of the document, or after its stack, which says what it is one of."""
    before = _child(root, "stack") or _child(root, "name")
    if root.flow_style:
        start = before.end_mark.index
        return _Cut(start, start, f", {insertion.key}: [{_flow(insertion)}]")
    lines = (f"{insertion.key}:", f"  - {_flow(insertion)}")
    return _lines_after(
        text, before.end_mark.index, [" " * root.start_mark.column + x for x in lines]
    )


def _in_item(text: str, node: MappingNode, insertion: Insertion) -> _Cut:
    key, value = insertion.new
    if _child(node, key) is not None:  # such as null
        return _instead(text, node, key, value)
    before = _child(node, insertion.item[0]).end_mark.index
    if node.flow_style:
        return _Cut(before, before, f", {key}: {value}")
    return _lines_after(text, before, [" " * node.start_mark.column + f"{key}: {value}"])


def _instead(text: str, node: MappingNode, key: str, value: str) -> _Cut:
    """Another value for a key; where nothing stands, it goes after the colon."""
    keyed = next(each for each, _ in node.value if each.value == key)
    there = _child(node, key)
    if there.end_mark.index > there.start_mark.index:
        return _Cut(there.start_mark.index, there.end_mark.index, value)
    start = text.index(":", keyed.end_mark.index) + 1
    return _Cut(start, start, f" {value}")


def _lines_after(text: str, index: int, lines: Sequence[str]) -> _Cut:
    """Whole lines after the one that the index is in."""
    end = text.find("\n", index)
    said = _line_end(text).join(lines)
    if end < 0:
        return _Cut(len(text), len(text), _line_end(text) + said + _line_end(text))
    return _Cut(end + 1, end + 1, said + _line_end(text))


def _line_end(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _flow(insertion: Insertion) -> str:
    (key, value), (new_key, new_value) = insertion.item, insertion.new
    return f"{{{key}: {value}, {new_key}: {new_value}}}"


def _documents(text: str) -> dict[tuple[str, str], MappingNode]:
    """The nodes of the documents by kind and name."""
    nodes = (node for node in YAML(typ="rt").compose_all(text) if isinstance(node, MappingNode))
    return {(_child(node, "kind").value, _child(node, "name").value): node for node in nodes}


def _child(node: MappingNode, key: str) -> Any:
    return next((value for each, value in node.value if each.value == key), None)


def _says(node: Any, key: str, value: str) -> bool:
    child = _child(node, key) if isinstance(node, MappingNode) else None
    return child is not None and child.value == value


def _values(text: str) -> list[Any]:
    return [each.value for each in parse("", text.encode())]


def _expected(documents: Sequence[Any], insertions: Sequence[Insertion]) -> list[Any]:
    """The documents as they must read afterwards."""
    meant = [_apart(each) for each in documents]
    by_name = {(each["kind"], each["name"]): each for each in meant}
    for insertion in insertions:
        (key, value), (new_key, new_value) = insertion.item, insertion.new
        document = by_name[insertion.document]
        items = document.get(insertion.key) or []
        found = [item for item in items if item.get(key) == value]
        if found:
            found[0][new_key] = new_value
        else:
            document[insertion.key] = [{key: value, new_key: new_value}, *items]
    return meant


def _apart(value: Any) -> Any:
    """A copy in which no two parts are one, as aliases are."""
    if isinstance(value, dict):
        return {key: _apart(each) for key, each in value.items()}
    return [_apart(each) for each in value] if isinstance(value, list) else value
