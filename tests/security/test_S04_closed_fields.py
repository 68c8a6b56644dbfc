"""S04: no field takes what is not of its form, and no document takes a key that is not its own."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pytest

from reconciler.config.load import MODELS
from reconciler.model.position import Problem
from tests.documents.corpus import problems_of
from tests.documents.specimens import PLACES, SPECIMENS, Path, as_yaml, at, changed, every_text

MUTATIONS: Mapping[str, Callable[[str], object]] = {
    "a newline at the end": lambda text: text + "\n",
    "a newline in front": lambda text: "\n" + text,
    "a carriage return": lambda text: text + "\r",
    "a NUL": lambda text: text + "\x00",
    "an escape sequence": lambda text: "\x1b[31m" + text,
    "a turn of direction": lambda text: text + "\u202e",
    "a zero-width space": lambda text: text[:1] + "\u200b" + text[1:],
    "a line separator": lambda text: text + "\u2028",
    "much more": lambda text: text + "x" * 3000,
}
FORMS: Mapping[str, Callable[[str], object]] = {
    "another script": lambda text: text + "ä",
    "digits of another script": lambda text: "٣" + text,
    "a hyphen in front": lambda text: "-" + text,
    "the way up": lambda text: "../" + text,
    "only the way up": lambda _: "..",
    "a shell's separator": lambda text: text + "; touch /tmp/x",
    "a substitution": lambda text: text + "$(id)",
    "a quote": lambda text: text + "'",
    "XML": lambda text: text + "<disk/>",
    "a zone file's directive": lambda _: "$INCLUDE /etc/passwd",
    "nothing": lambda _: "",
}


TYPES: Mapping[str, Callable[[str], object]] = {
    "a number": len,
    "truth": bool,
    "a fraction": lambda text: len(text) / 2,
    "an empty list": lambda _: [],
    "an empty mapping": lambda _: {},
    "a list": lambda text: [text],
    "a mapping": lambda text: {text: text},
}


LINES = frozenset({"a newline at the end", "a newline in front", "much more"})
ARGUMENTS = frozenset({"check", "run"})  # no shell reads them


def is_free(kind: str, path: Path) -> bool:
    """Text for people and files may be any that can be printed; so may TXT records, in ASCII.

    So may the arguments of a command, but not the program.
    """
    record = SPECIMENS[kind]["records"][path[1]] if path[0] == "records" else {}
    is_argument = path[-1] != 0 and not ARGUMENTS.isdisjoint(map(str, path[:-1]))
    is_text = is_argument or path[-1] in {"description", "content", "reason"}
    return is_text or (record.get("type") == "TXT" and "values" in path)


def problems(kind: str, document: Mapping[str, Any]) -> tuple[Problem, ...]:
    return problems_of(PLACES[kind], as_yaml(document))


def taken(kind: str, path: Path, forms: Mapping[str, Callable[[str], object]]) -> list[str]:
    """The forms that a field takes although it should not."""
    text = at(SPECIMENS[kind], path)
    return [
        name for name, form in forms.items() if not problems(kind, changed(kind, path, form(text)))
    ]


@pytest.mark.parametrize(("kind", "path"), every_text(), ids=str)
def test_no_text_hides_or_ends_a_line(kind: str, path: Path) -> None:
    """Only the text of a file has lines."""
    lines = LINES if path[-1] == "content" else frozenset()
    assert set(taken(kind, path, MUTATIONS)) == lines


@pytest.mark.parametrize(
    ("kind", "path"), [each for each in every_text() if not is_free(*each)], ids=str
)
def test_no_name_or_value_takes_another_form(kind: str, path: Path) -> None:
    numbers = {"a hyphen in front"} if "sysctls" in path and path[-1] == "value" else set()
    assert set(taken(kind, path, FORMS)) == numbers, "but a number may be below zero"


@pytest.mark.parametrize(("kind", "path"), every_text(), ids=str)
def test_nothing_else_is_taken_for_text(kind: str, path: Path) -> None:
    assert taken(kind, path, TYPES) == []


def mappings(value: object, path: Path = ()) -> list[Path]:
    """The path of every mapping in a value."""
    items: Iterable[tuple[str | int, object]] = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    found = [path] if isinstance(value, dict) else []
    return found + [each for key, item in items for each in mappings(item, (*path, key))]


EVERY_MAPPING = [(kind, path) for kind, value in SPECIMENS.items() for path in mappings(value)]


@pytest.mark.parametrize(("kind", "path"), EVERY_MAPPING, ids=str)
def test_an_unknown_key_is_refused_at_every_depth(kind: str, path: Path) -> None:
    for key in ("x", "Name", "names", "__class__", "", "name\n", "*"):
        document = copy.deepcopy(SPECIMENS[kind])
        at(document, path)[key] = {"memory": "1 GiB", "cpus": 1}
        assert problems(kind, document), key


@pytest.mark.parametrize("kind", SPECIMENS)
def test_the_specimens_set_every_field(kind: str) -> None:
    assert MODELS[kind].model_fields.keys() == SPECIMENS[kind].keys()


@pytest.mark.parametrize("kind", SPECIMENS)
def test_the_specimens_are_good_as_they_are(kind: str) -> None:
    assert problems(kind, SPECIMENS[kind]) == ()
