"""YAML text to plain values that know where they were written.

libyaml's C parser gives events; the builder here makes values of them by the YAML 1.2 core schema
and refuses what a config repository never needs: other tags, merge keys, duplicate keys, cycles,
and anything that grows out of proportion.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ruamel.yaml.cyaml import CParser  # type: ignore[attr-defined]  # re-exported unmarked
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    ScalarEvent,
    SequenceStartEvent,
)

from reconciler.config.long_lists import Marks, Placed, Run, take_out
from reconciler.errors import ConfigError
from reconciler.model.position import Position, Problem

MOST_BYTES = 1 << 20  # besides long lists
MOST_BYTES_IN_ALL = 16 << 20
MOST_DEPTH = 32
MOST_NODES = 100_000
LONGEST_NUMBER = 18

Path = tuple[str | int, ...]
_WORDS = {"": None, "~": None} | dict.fromkeys(("null", "Null", "NULL"), None)
_WORDS |= dict.fromkeys(("true", "True", "TRUE"), True)
_WORDS |= dict.fromkeys(("false", "False", "FALSE"), False)
_INTEGER = re.compile(r"\A(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)\Z")
_FLOAT = re.compile(
    r"\A(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
    r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))\Z"
)
_BASES = {"0o": 8, "0x": 16}
_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Written:
    """One YAML document: its value, and the position of each key and list item by its path."""

    file: str
    value: Any
    marks: Mapping[Path, tuple[int, int]]

    def position(self, path: Path = ()) -> Position:
        """Where the value at `path` stands, or the nearest thing around it."""
        for length in range(len(path), -1, -1):
            if mark := self.marks.get(path[:length]):
                return Position(self.file, *mark)
        return Position(self.file)


def parse(file: str, content: bytes) -> tuple[Written, ...]:
    """The documents of a file, in order. Empty documents are left out.

    Raises:
        ConfigError: the text is not YAML, or is YAML that has no place here. Every problem of the
            file, as far as it can be read on after one.
    """
    _expect_short(file, len(content), MOST_BYTES_IN_ALL)
    if found := _with_long_lists(file, content):
        return found
    _expect_short(file, len(content), MOST_BYTES)
    problems: list[Problem] = []
    documents: tuple[Written, ...] = ()
    try:
        documents = tuple(_documents(file, _text(file, content), problems))
    except ConfigError as error:
        problems += error.problems
    except MarkedYAMLError as error:
        problems.append(_syntax_problem(file, error))
    except YAMLError:
        what = "a character in this file has no place in YAML"
        problems.append(Problem(Position(file), what, "remove control characters"))
    except Exception as error:  # the C parser lets many kinds escape, and none may pass here
        what = f"the file cannot be read as YAML ({type(error).__name__})"
        raise ConfigError([*problems, Problem(Position(file), what, "check its syntax")]) from error
    if problems:
        raise ConfigError(problems)
    return documents


def _expect_short(file: str, length: int, most: int) -> None:
    if length > most:
        what = f"the file has {length} bytes, at most {most} are read"
        remedy = "split it, or write long lists with a line like `- {name: x}` for each item"
        raise ConfigError([Problem(Position(file), what, remedy)])


def _with_long_lists(file: str, content: bytes) -> tuple[Written, ...]:
    """The documents of a file with long lists; nothing if it has none, or anything is wrong."""
    problems: list[Problem] = []
    try:
        taken = take_out(content.decode(), _word)
        rest = len(content) - sum(len(run.text) for run in taken.runs.values())
        if not taken.runs or rest > MOST_BYTES:
            return ()
        left = dict(taken.runs)
        documents = tuple(_documents(file, taken.text, problems, left))
    except Exception:  # noqa: BLE001 (whatever it is: the other way tells of it)
        return ()
    return () if problems or left else documents


def shown(value: object) -> str:
    """Something from a document as it may stand in a message: printable, in one line, not long."""
    text = str(value)
    text = text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _text(file: str, content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        line, column = before.count(b"\n") + 1, len(before) - before.rfind(b"\n")
        problem = Problem(Position(file, line, column), "this is not UTF-8", "save it as UTF-8")
        raise ConfigError([problem]) from error


def _syntax_problem(file: str, error: MarkedYAMLError) -> Problem:
    mark = error.problem_mark or error.context_mark
    position = Position(file, mark.line + 1, mark.column + 1) if mark else Position(file)
    detail = " ".join(str(error.problem or "syntax error").split())
    return Problem(position, f"not valid YAML: {detail}", "check indentation, colons and quotes")


def _documents(
    file: str, text: str, problems: list[Problem], runs: dict[str, Run] | None = None
) -> Iterator[Written]:
    parser = CParser(text)
    try:
        while parser.check_event():
            event = parser.get_event()
            if isinstance(event, DocumentStartEvent):
                built = _Builder(file, parser, problems, {} if runs is None else runs).document()
                if built.value is not None:
                    yield built
    finally:
        parser.dispose()


class _Builder:
    """Builds one document from the parser's events. What does not stop it goes to `problems`.

    `runs` stand for what was taken out of the text; those that were found are taken from it.
    """

    def __init__(
        self, file: str, parser: Any, problems: list[Problem], runs: dict[str, Run]
    ) -> None:
        self.file = file
        self.parser = parser
        self.problems = problems
        self.marks: dict[Path, tuple[int, int]] = {}
        self.anchors: dict[str, tuple[Any, int]] = {}
        self.nodes = 0
        self.runs = runs
        self.placed: list[Placed] = []

    def document(self) -> Written:
        event = self.parser.get_event()
        self.marks[()] = _mark(event)
        value = self._node(event, ())
        return Written(
            self.file, value, Marks(self.marks, self.placed) if self.placed else self.marks
        )

    def _node(self, event: Any, path: Path) -> Any:
        self._count(event, 1)
        if len(path) > MOST_DEPTH:
            raise self._refusal(event, f"nested deeper than {MOST_DEPTH} levels", "flatten it")
        if isinstance(event, AliasEvent):
            return self._alias(event)
        self._check_tag(event)
        before = self.nodes
        value = self._value(event, path)
        if event.anchor:
            if self.placed:
                raise ValueError("anchors")
            if event.anchor in self.anchors:
                what = f"the anchor {shown(event.anchor)} is set twice"
                self._refuse(event, what, "rename it")
            self.anchors[event.anchor] = (value, self.nodes - before + 1)
        return value

    def _value(self, event: Any, path: Path) -> Any:
        if isinstance(event, ScalarEvent):
            return self._scalar(event)
        if isinstance(event, SequenceStartEvent):
            return list(self._items(path))
        return self._mapping(path)

    def _items(self, path: Path) -> Iterator[Any]:
        index = 0
        while (event := self.parser.get_event()) and not _ends(event):
            if self.runs and (run := self._run(event)) is not None:
                self.placed.append(Placed(path, index, run))
                yield from run.values
                index += len(run.values)
                continue
            here = (*path, index)
            self.marks[here] = _mark(event)
            yield self._node(event, here)
            index += 1

    def _run(self, event: Any) -> Run | None:
        """The run that an item stands for.

        Raises:
            ValueError: there are anchors: nobody counts what grows out of a run.
        """
        if self.anchors:
            raise ValueError("anchors")
        is_plain = isinstance(event, ScalarEvent) and event.implicit[0] and not event.anchor
        return self.runs.pop(event.value, None) if is_plain else None

    def _mapping(self, path: Path) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        while (event := self.parser.get_event()) and not _ends(event):
            key = self._key(event)
            here = (*path, key)
            if key in mapping:
                what = f"the key '{shown(key)}' is there twice, first in line {self.marks[here][0]}"
                self._refuse(event, what, "remove one of them")
            else:
                self.marks[here] = _mark(event)
            mapping[key] = self._node(self.parser.get_event(), here)
        return mapping

    def _key(self, event: Any) -> str:
        self._count(event, 1)
        if not isinstance(event, ScalarEvent):
            raise self._refusal(event, "a key must be plain text", "write a word")
        if event.value == "<<" and event.implicit[0]:
            self._refuse(event, "merge keys are not read", "use a stack or a patch")
        self._check_tag(event)
        return str(event.value)

    def _check_tag(self, event: Any) -> None:
        if event.tag not in {None, "!"} and not _is_core(event):
            what = f"the tag {shown(event.tag)} has no place here"
            self._refuse(event, what, "remove it")

    def _scalar(self, event: Any) -> Any:
        text = event.value
        if not event.implicit[0] or event.tag == "!" or event.style in {'"', "'", "|", ">"}:
            return text
        try:
            return _word(text)
        except ValueError:
            self._refuse(event, "the number is too long", "put it in quotes if it is text")
            return text

    def _alias(self, event: Any) -> Any:
        if event.anchor not in self.anchors:
            what = f"the alias {shown(event.anchor)} names nothing that is complete before it"
            self._refuse(event, what, "write the value out")
            return None
        value, size = self.anchors[event.anchor]
        self._count(event, size)
        return value

    def _count(self, event: Any, nodes: int) -> None:
        self.nodes += nodes
        if self.nodes > MOST_NODES:
            what = f"the document has more than {MOST_NODES} values when aliases are followed"
            raise self._refusal(event, what, "write less, or split it")

    def _refuse(self, event: Any, what: str, remedy: str) -> None:
        """Note what is wrong, and read on."""
        self.problems.append(Problem(Position(self.file, *_mark(event)), what, remedy))

    def _refusal(self, event: Any, what: str, remedy: str) -> ConfigError:
        return ConfigError([Problem(Position(self.file, *_mark(event)), what, remedy)])


def _word(text: str) -> Any:
    """What a plain word stands for by the core schema.

    Raises:
        ValueError: it is a number, and too long.
    """
    if text in _WORDS:
        return _WORDS[text]
    is_integer = _INTEGER.match(text) is not None
    if not is_integer and _FLOAT.match(text) is None:
        return text
    if len(text) > LONGEST_NUMBER:
        raise ValueError(text)
    return int(text, _BASES.get(text[:2], 10)) if is_integer else _float(text)


def _float(text: str) -> float:
    """Python's `inf` and `nan` have no dot."""
    return float(text.replace(".", "") if text[-1] in "fFnN" else text)


def _mark(event: Any) -> tuple[int, int]:
    return (event.start_mark.line + 1, event.start_mark.column + 1)


def _ends(event: Any) -> bool:
    return type(event).__name__ in {"SequenceEndEvent", "MappingEndEvent"}


def _is_core(event: Any) -> bool:
    return isinstance(event, ScalarEvent) and event.tag == "tag:yaml.org,2002:str"
