"""The text of an encrypted file, changed in place: comments, order and layout stay as they are.

Values and comments are found with the places in the text where they begin and end, so that only
these are exchanged.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from reconciler.config.parse import parse
from reconciler.config.secrets import METADATA
from reconciler.errors import ConfigError
from reconciler.model.position import Position, Problem

INDENT = 4
Keys = tuple[str, ...]
_COMMENT = re.compile(r"(?m)(?:^|(?<=[ \t]))#[^\n]*")
_ENCRYPTED_ITEM = re.compile(r"\AENC\[AES256_GCM,[^\]\s]*,type:comment\]\Z")
_BARE_KEY = re.compile(r"\A[A-Za-z_][A-Za-z0-9_.-]*\Z")
_BARE_TEXT = re.compile(r"\A[A-Za-z_/][A-Za-z0-9_./@+=-]*\Z")
_WORDS = frozenset(["y", "n", "yes", "no", "on", "off", "true", "false", "null"])
_LAYOUT = "it is not laid out as sops writes it; run `sops rotate --in-place` on it once"


@dataclass(frozen=True, slots=True)
class Leaf:
    """A value: the keys above it, and where it is in the text. Items of lists share their keys."""

    keys: Keys
    value: Any
    start: int
    end: int
    is_in_flow: bool = False

    @property
    def is_comment(self) -> bool:
        """Whether it is what sops makes of a comment in a list."""
        return isinstance(self.value, str) and _ENCRYPTED_ITEM.match(self.value) is not None


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment without its `#`, the keys above it, and where it is in the text with its `#`."""

    keys: Keys
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A key of a mapping or an item of a list: of which keys, and in which column."""

    keys: Keys
    start: int
    column: int


@dataclass(frozen=True, slots=True)
class Scanned:
    """What is in a text. `ends` is where each mapping ends, `columns` where its keys stand."""

    text: str
    leaves: tuple[Leaf, ...]
    comments: tuple[Comment, ...]
    entries: tuple[Entry, ...]
    ends: Mapping[Keys, int]
    columns: Mapping[Keys, int]

    def replaced(self, changes: Iterable[tuple[int, int, str]]) -> str:
        """The text with something else from each start to each end."""
        text = self.text
        for start, end, new in sorted(changes, reverse=True):
            old = text[start:end]
            kept = old[len(old.rstrip("\n")) :] if "\n" in old else ""  # the line of a block ends
            text = text[:start] + new + kept + text[end:]
        return text


def split(file: str, text: str) -> tuple[str, str]:
    """The text of the values, and that of what sops says about the file.

    Raises:
        ConfigError: the file is not laid out as sops does it.
    """
    found = re.search(rf"(?m)^{METADATA}:[ \t]*\n", text)
    if found is None or re.search(r"(?m)^[^ \n#]", text[found.end() :]):
        raise ConfigError([Problem(Position(file), "it cannot be changed here", _LAYOUT)])
    return text[: found.start()], text[found.start() :]


def scan(file: str, text: str) -> Scanned:
    """What is in the text of the values.

    Raises:
        ConfigError: it is not YAML, or holds what cannot be encrypted; no value is told.
    """
    documents = parse(file, text.encode())
    if len(documents) > 1 or (documents and not isinstance(documents[0].value, dict)):
        raise ConfigError([Problem(Position(file), "a file of secrets is one mapping")])
    values = list(_values(documents[0].value)) if documents else []
    walk = _Walk(file, text)
    try:
        walk.through(iter(values))
    except YAMLError:
        raise ConfigError([Problem(Position(file), "a value has no plain form")]) from None
    comments = tuple(_comments(text, walk))
    return Scanned(text, tuple(walk.leaves), comments, tuple(walk.entries), walk.ends, walk.columns)


def with_value(scanned: Scanned, keys: Keys, ciphertext: str) -> str:
    """The text with a value at these keys: in the place of the one there, or as a new one.

    Raises:
        ValueError: something else is at these keys, or above; the message says what.
    """
    there = [leaf for leaf in scanned.leaves if leaf.keys == keys]
    if len(there) > 1 or keys in scanned.ends:
        raise ValueError(f"{'.'.join(keys)} is a list or a mapping; change it with `secret edit`")
    if there:
        new = quoted(ciphertext) if there[0].is_in_flow else ciphertext
        return scanned.replaced([(there[0].start, there[0].end, new)])
    above = keys[:-1]
    while above and above not in scanned.ends:
        if any(leaf.keys == above for leaf in scanned.leaves):
            raise ValueError(f"{'.'.join(above)} is a value, so that nothing can be below it")
        above = above[:-1]
    return _added(scanned, above, keys[len(above) :], ciphertext)


def _added(scanned: Scanned, above: Keys, keys: Keys, ciphertext: str) -> str:
    """The text with a value below a mapping that is there, after all that it has."""
    column = scanned.columns.get(above, 0)
    if column < 0:
        raise ValueError(f"{'.'.join(above)} is in braces; change it with `secret edit`")
    lines = [f"{' ' * (column + INDENT * depth)}{key_text(key)}:" for depth, key in enumerate(keys)]
    added = "\n".join(lines) + f" {ciphertext}\n"
    at = scanned.ends[above] if above else len(scanned.text)
    at = scanned.text.find("\n", at) + 1 if at > 0 and scanned.text[at - 1] != "\n" else at
    at = at or len(scanned.text)
    before = scanned.text[:at]
    return before + ("\n" if before and before[-1] != "\n" else "") + added + scanned.text[at:]


def key_text(key: str) -> str:
    """A key as it is text to every reader of YAML."""
    return key if _BARE_KEY.match(key) and key.lower() not in _WORDS else json.dumps(key)


def value_text(value: str, indent: int) -> str:
    """A text as a person likes to edit it: its lines as lines, if nothing is lost by that."""
    lines = value.split("\n")
    is_block = len(lines) > 1 and not value.startswith((" ", "\n", "\t")) and value.strip("\n")
    if is_block and all(each.isprintable() for each in lines) and not value.endswith("\n\n"):
        body = "\n".join(" " * indent + each if each else "" for each in lines).rstrip("\n ")
        return ("|" if value.endswith("\n") else "|-") + "\n" + body
    if _BARE_TEXT.match(value) and value.lower() not in _WORDS:
        return value
    return quoted(value)


def quoted(value: str) -> str:
    """A text in double quotes, with escapes for all that is not printable."""
    text = json.dumps(value, ensure_ascii=False)
    return "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in text)


def _values(value: Any) -> Iterator[Any]:
    if isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _values(each)
    else:
        yield value


class _Walk:
    """Goes through a text once, and notes where things are."""

    def __init__(self, file: str, text: str) -> None:
        self._file, self._text = file, text
        self.leaves: list[Leaf] = []
        self.entries: list[Entry] = []
        self.spans: list[tuple[int, int]] = []
        self.ends: dict[Keys, int] = {}
        self.columns: dict[Keys, int] = {}

    def through(self, values: Iterator[Any]) -> None:
        """Note everything; `values` are those of the leaves, in order."""
        self._events = iter(YAML(typ="safe", pure=True).parse(self._text))
        self._values = values
        for event in self._events:
            if isinstance(event, MappingStartEvent):
                self._mapping(event, ())

    def _node(self, event: Any, keys: Keys, *, is_in_flow: bool) -> None:
        if isinstance(event, AliasEvent) or event.anchor or getattr(event, "tag", None):
            mark = event.start_mark
            where = Position(self._file, mark.line + 1, mark.column + 1)
            raise ConfigError([Problem(where, "no anchors, aliases and tags among secrets")])
        if isinstance(event, MappingStartEvent):
            self._mapping(event, keys)
        elif isinstance(event, SequenceStartEvent):
            self._list(event, keys)
        else:
            start, end = event.start_mark.index, event.end_mark.index
            self.spans.append((start, end))
            self.leaves.append(Leaf(keys, next(self._values), start, end, is_in_flow))

    def _mapping(self, start: Any, keys: Keys) -> None:
        self.columns[keys] = -1 if start.flow_style else start.start_mark.column
        last = start.end_mark.index
        while isinstance(key := next(self._events), ScalarEvent):
            self.entries.append(Entry(keys, key.start_mark.index, key.start_mark.column))
            self.spans.append((key.start_mark.index, key.end_mark.index))
            self._node(next(self._events), (*keys, key.value), is_in_flow=bool(start.flow_style))
            last = max([key.end_mark.index, *(end for _, end in self.spans[-1:])])
        if not isinstance(key, MappingEndEvent):
            raise ConfigError([Problem(Position(self._file), "a key is text, and nothing else")])
        self.ends[keys] = last

    def _list(self, start: Any, keys: Keys) -> None:
        while not isinstance(event := next(self._events), SequenceEndEvent):
            at = event.start_mark.index
            line = self._text.rfind("\n", 0, at) + 1
            dash = self._text.rfind("-", line, at)
            self.entries.append(Entry(keys, at, dash - line if dash >= 0 else at - line))
            self._node(event, keys, is_in_flow=bool(start.flow_style))


def _comments(text: str, walk: _Walk) -> Iterator[Comment]:
    """The comments: `#` at the begin of a line or after a blank, and not within a value."""
    at = 0
    for start, end in (*sorted(walk.spans), (len(text), len(text))):
        for match in _COMMENT.finditer(text, at, start):
            line = text.rfind("\n", 0, match.start()) + 1
            is_alone = not text[line : match.start()].strip()
            column = match.start() - line if is_alone else -1
            keys = _around(walk.entries, match.start(), column)
            yield Comment(keys, match[0][1:], match.start(), match.end())
        at = end


def _around(entries: list[Entry], start: int, column: int) -> Keys:
    """The keys that sops holds a comment to be below: those of what it stands before or after."""
    before = [each for each in entries if each.start < start]
    after = [each for each in entries if each.start > start]
    if column < 0:
        return before[-1].keys if before else ()
    if after and after[0].column == column:
        return after[0].keys
    for each in reversed(before):
        if each.column <= column:
            return each.keys
    return after[0].keys if after else ()
