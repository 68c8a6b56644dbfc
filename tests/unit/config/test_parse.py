"""YAML text becomes plain values by the core schema, each with its position."""

from __future__ import annotations

from math import inf, isnan
from typing import Any

import pytest

from reconciler.config.parse import MOST_BYTES, MOST_DEPTH, MOST_NODES, Written, parse, shown
from reconciler.errors import ConfigError
from reconciler.model.position import Position


def one(text: str) -> Any:
    (document,) = parse("f.yaml", text.encode())
    return document.value


def refused(text: str | bytes) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse("f.yaml", text if isinstance(text, bytes) else text.encode())
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("~", None),
        ("null", None),
        ("NULL", None),
        ("true", True),
        ("False", False),
        ("yes", "yes"),
        ("NO", "NO"),
        ("on", "on"),
        ("0", 0),
        ("012", 12),
        ("-7", -7),
        ("0o17", 15),
        ("0x1F", 31),
        ("1_000", "1_000"),
        ("1:30", "1:30"),
        ("2026-01-01", "2026-01-01"),
        ("52:54:00:12:34:56", "52:54:00:12:34:56"),
        ("192.168.1.1", "192.168.1.1"),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        (".5", 0.5),
        (".inf", inf),
        ("-.INF", -inf),
        ("'12'", "12"),
        ('"true"', "true"),
        ("!!str 12", "12"),
        ("! 12", "12"),
        ("|\n  12\n", "12\n"),
        ("[1, a]", [1, "a"]),
        ("{a: 1}", {"a": 1}),
    ],
)
def test_scalars_are_read_by_the_core_schema(text: str, value: object) -> None:
    read = one(f"key: {text}")["key"]
    assert read == value
    assert type(read) is type(value)


def test_nan_is_a_number() -> None:
    assert isnan(one("key: .nan")["key"])


def test_keys_are_text() -> None:
    assert one("1: a\ntrue: b\nnull: c") == {"1": "a", "true": "b", "null": "c"}


def test_a_file_may_hold_several_documents_and_empty_ones_are_left_out() -> None:
    text = b"# first\n---\na: 1\n---\n---\n# nothing\n---\nb: 2\n...\n"
    assert [document.value for document in parse("f.yaml", text)] == [{"a": 1}, {"b": 2}]


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n", "---\n...\n"])
def test_a_file_may_hold_nothing(text: str) -> None:
    assert parse("f.yaml", text.encode()) == ()


def test_a_byte_order_mark_is_no_content() -> None:
    assert one("\ufeffa: 1") == {"a": 1}


def test_aliases_repeat_what_was_anchored() -> None:
    assert one("a: &x {b: &y 1}\nc: *x\nd: *y") == {"a": {"b": 1}, "c": {"b": 1}, "d": 1}


POSITIONS = """\
# a comment
kind: VirtualMachine
disks:
  - {name: root, size: 8 GiB}
  - name: dätä
    size: 1 GiB
---
kind: Stack
"""


def positions() -> tuple[Written, ...]:
    return parse("f.yaml", POSITIONS.encode())


@pytest.mark.parametrize(
    ("path", "line", "column"),
    [
        ((), 2, 1),
        (("kind",), 2, 1),
        (("disks",), 3, 1),
        (("disks", 0), 4, 5),
        (("disks", 0, "size"), 4, 18),
        (("disks", 1, "size"), 6, 5),
        (("disks", 1, "pool"), 5, 5),
        (("nowhere", "at", "all"), 2, 1),
    ],
)
def test_positions_are_of_keys_and_items_or_the_nearest_around(
    path: tuple[str | int, ...], line: int, column: int
) -> None:
    assert positions()[0].position(path) == Position("f.yaml", line, column)


def test_positions_of_a_later_document_are_lines_of_the_file() -> None:
    assert positions()[1].position(("kind",)) == Position("f.yaml", 8, 1)


def test_problems_that_can_be_read_over_are_all_told() -> None:
    text = "a: 1\na: 2\nb: !!int 3\n<<: {c: 1}\nd: *x\ne: &y 1\nf: &y 2\ng: 1234567890123456789\n"
    assert refused(text) == [
        "f.yaml:2:1: the key 'a' is there twice, first in line 1; remove one of them",
        "f.yaml:3:4: the tag tag:yaml.org,2002:int has no place here; remove it",
        "f.yaml:4:1: merge keys are not read; use a stack or a patch",
        "f.yaml:5:4: the alias x names nothing that is complete before it; write the value out",
        "f.yaml:7:4: the anchor y is set twice; rename it",
        "f.yaml:8:4: the number is too long; put it in quotes if it is text",
    ]


def test_problems_of_later_documents_are_told_with_those_of_earlier_ones() -> None:
    assert len(refused("a: 1\na: 2\n---\nb: 1\nb: 2\n---\nc: [\n")) == 3


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: b: c", "f.yaml:1:5: not valid YAML: mapping values are not allowed in this context"),
        ("{a: b", "f.yaml:2:1: not valid YAML: did not find expected ',' or '}'"),
        ("\ta: 1", "f.yaml:1:1: not valid YAML: found character that cannot start any token"),
        ("? [a]\n: b", "f.yaml:1:3: a key must be plain text"),
        ("&a x: *a\n*a : 1", "f.yaml:2:1: a key must be plain text"),
        ("a: \x01", "f.yaml:1:1: a character in this file has no place in YAML"),
        (b"a: 1\nb: \xff", "f.yaml:2:4: this is not UTF-8"),
        (b"\xff\xfea\x00", "f.yaml:1:1: this is not UTF-8"),
    ],
)
def test_what_is_not_yaml_is_refused_where_it_is(text: str | bytes, problem: str) -> None:
    assert any(told.startswith(problem) for told in refused(text)), refused(text)


def test_a_file_of_a_mebibyte_is_read_and_a_larger_one_is_not() -> None:
    text = b"a: " + b"x" * (MOST_BYTES - 3)
    assert parse("f.yaml", text)
    assert refused(text + b"x")[0].startswith("f.yaml:1:1: the file has 1048577 bytes")


def test_nesting_ends_at_its_limit() -> None:
    assert one("[" * MOST_DEPTH + "]" * MOST_DEPTH)
    (problem,) = refused("[" * (MOST_DEPTH + 2) + "]" * (MOST_DEPTH + 2))
    assert f"nested deeper than {MOST_DEPTH} levels" in problem


def test_values_are_counted_with_the_aliases_followed() -> None:
    row = "[" + ",".join(["1"] * 99) + "]"
    half = MOST_NODES // 200
    assert one(f"a: &a {row}\nb: [{','.join(['*a'] * half)}]")
    (problem,) = refused(f"a: &a {row}\nb: [{','.join(['*a'] * half * 2)}]")
    assert f"more than {MOST_NODES} values" in problem


def test_what_is_shown_is_printable_and_short() -> None:
    assert shown("web-1") == "web-1"
    assert shown("a\x1b[31m\u202eb\n") == "a\\x1b[31m\\u202eb\\n"
    assert shown("x" * 100) == "x" * 60 + "…"
    assert shown(None) == "None"
