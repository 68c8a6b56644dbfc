"""S02: whatever the text, the loader answers with documents or with problems, and soon."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.config.parse import MOST_BYTES, parse
from reconciler.errors import ConfigError
from reconciler.model.position import Problem
from tests.documents.corpus import problems_of

# Each of these made a YAML library raise something that is no YAML error.
REGRESSIONS = (
    "%YAML2",
    "%YAML 1.3\n---\na: 1",
    "%YAML 1.1.1\n---\na",
    "%YAML 99999999999999999999.1\n--- a",
    "%TAG ! tag:x\n--- !x a",
    "[a]: b",
    "{a: b}: c",
    "? [a, b]\n: c",
    "!!int",
    "!!int x",
    "!!float x",
    "!!bool x",
    "!!timestamp x",
    "!!binary x",
    "!!set {a}",
    "!!omap [a]",
    "!<> a",
    "! a",
    "!!",
    "&",
    "*",
    "*a",
    "&a",
    "1" * 100_000,
    "-" + "1" * 100_000,
    "1." + "1" * 100_000,
    "1e" + "9" * 1000,
    "0x" + "f" * 100_000,
    "0o" + "7" * 100_000,
    "1e999999",
    "[" * 20_000,
    "[" * 20_000 + "]" * 20_000,
    "{" * 20_000,
    "- " * 20_000,
    "a: " * 20_000,
    "? " * 20_000,
    "{a: " * 20_000,
    "\n".join(" " * level + "a:" for level in range(2_000)),
    "a: |\n" + " " * 100_000,
    "a: >9\n b",
    '"\\',
    '"\\x',
    '"\\ud800"',
    '"\\U00110000"',
    "'" + "a" * 100_000,
    "\ufeff\ufeff",
    "\x00",
    "a: \x85",
    "\u2028a: 1",
    "---\n" * 20_000,
    "... " * 1000,
    "a: b" * 50_000,
    "#" * 500_000,
    "key: &a " * 30,
    "- !!python/object/apply:os.system [id]",
    "=: =",
    "<<",
    "<<: *a",
    "~: ~",
)
BYTES = (
    b"\xff",
    b"\xfe\xff\x00a",
    b"\xff\xfea\x00",
    b"\x00\x00\xfe\xff",
    b"a: \xc0\x80",
    b"a: \xed\xa0\x80",
    b"\xf4\x90\x80\x80",
    b"\x80" * 1000,
    b"a: 1\r\nb: 2\r",
    bytes(range(256)),
)


def answer(content: bytes) -> None:
    """Documents or problems; anything else is an error of the test."""
    problems: tuple[Problem, ...] = ()
    try:
        parse("vms/a.yaml", content)
    except ConfigError as error:
        problems = error.problems
    for problem in problems:
        assert problem.position.file == "vms/a.yaml"
        assert problem.position.line >= 1
        assert str(problem).isprintable()
        assert len(str(problem)) < 400


@pytest.mark.parametrize("text", REGRESSIONS, ids=lambda text: repr(text[:20]))
def test_what_broke_others_is_answered_within_a_second(text: str) -> None:
    start = time.process_time()
    answer(text.encode())
    assert time.process_time() - start < 1
    assert problems_of("vms/a.yaml", text.encode()) is not None


@pytest.mark.parametrize("content", BYTES, ids=lambda content: repr(content[:12]))
def test_bytes_that_are_no_text_are_answered(content: bytes) -> None:
    answer(content)


class Treacherous(bytes):
    """Content that makes something unforeseen go wrong while it is read."""

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        raise KeyError(encoding, errors)


def test_what_nobody_foresaw_is_a_problem_of_the_file_too() -> None:
    with pytest.raises(ConfigError) as caught:
        parse("vms/a.yaml", Treacherous(b"a: 1"))
    assert str(caught.value) == (
        "vms/a.yaml:1:1: the file cannot be read as YAML (KeyError); check its syntax"
    )


def test_a_file_beyond_the_limit_is_refused_unread() -> None:
    start = time.process_time()
    (problem,) = problems_of("vms/a.yaml", b"a: " + b"x" * MOST_BYTES)
    assert "at most 1048576 are read" in problem.what
    assert time.process_time() - start < 1


@pytest.mark.parametrize(
    "filling", ["x", "[", "{", "- ", "a: ", "&a ", "!!", "'", '"\\', "? ", "\n"]
)
def test_a_mebibyte_of_anything_is_answered_in_time(filling: str) -> None:
    content = (filling * MOST_BYTES)[: MOST_BYTES - 1].encode()
    start = time.process_time()
    answer(content)
    assert time.process_time() - start < 5


YAML_ISH = st.lists(
    st.sampled_from(
        [
            *("a", "b", "1", "-1", ".5", "1e9", "~", "true", "<<", "=", "x: ", ": ", "- ", "? "),
            *("[", "]", "{", "}", ",", "&a ", "*a", "&b ", "*b", "!!int ", "!!str ", "!x ", "! "),
            *("|\n", ">\n", "|2-\n", '"', "'", "\\", "#", " ", "  ", "\n", "\n ", "\t", "\r\n"),
            *("---\n", "...\n", "%YAML 1.2\n", "%TAG ! !\n", "\ufeff", "\x00", "é", "\u2028"),
            *("kind: Host\n", "name: x\n", "name: ", "kind: ", "disks:\n", "  - {name: root}\n"),
        ]
    ),
    max_size=40,
).map("".join)


@given(YAML_ISH)
@example("a: &a [*a, !!int ]")
def test_text_like_yaml_is_answered(text: str) -> None:
    answer(text.encode())


@given(st.binary(max_size=200))
def test_any_bytes_are_answered(content: bytes) -> None:
    answer(content)


@given(YAML_ISH)
def test_a_farm_with_such_a_file_is_answered(text: str) -> None:
    for problem in problems_of("vms/a.yaml", text.encode()):
        assert str(problem).isprintable()
