"""A long list is read from its lines as libyaml reads it, and the positions in it are the same."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from ruamel.yaml.error import YAMLError

from reconciler.config import parse as parsing
from reconciler.config.load import MOST_LARGE, ParseCache, load
from reconciler.config.long_lists import LEAST_LINES, Marks, take_out
from reconciler.config.merge import locate
from reconciler.config.parse import Written, parse
from reconciler.errors import ConfigError
from tests.farms.repository import FARM, Tree

HEAD = "kind: Zone\nname: farm\nrecords:\n"
LINE = "  - {{name: h{n}, type: A, ttl: {n}, values: [10.0.0.1, '2001:db8::{n}']}}\n"
LINES = "".join(LINE.format(n=n) for n in range(LEAST_LINES))
BAD = {
    "deeper after it": f"{HEAD}{LINES}    more\n",
    "in a block of text": f"text: |\n{LINES}",
    "in a folded text": f"text: >\n{LINES}",
    "in quotes": f'text: "\n{LINES}"\n',
    "in a flow": f"list: [\n{LINES}]\n",
    "after a plain word": f"text: word\n{LINES}",
    "with an anchor": f"records: &a\n{LINES}more: *a\n",
    "with an anchor elsewhere": f"x: &a [1]\nrecords:\n{LINES}more: *a\n",
    "as a key": f"? \n{LINES}: 1\n",
    "a key twice": HEAD + LINES.replace("type: A", "name: A"),
    "a number too long": HEAD + LINES.replace("10.0.0.1", "1" * 19),
    "less deep": f"{HEAD}    - {{name: x}}\n{LINES}",
    "no list": f"{LINES}a: b\n",
}


def plainly(text: str) -> tuple[Written, ...]:
    """As it was read before there were long lists."""
    problems: list[Any] = []
    documents = tuple(parsing._documents("f.yaml", text, problems))
    if problems:
        raise ConfigError(problems)
    return documents


def outcome(read: Any, *arguments: Any) -> Any:
    try:
        return [(each.value, dict(each.marks)) for each in read(*arguments)]
    except (ConfigError, YAMLError):
        return "refused"


def expect_same(text: str) -> None:
    first, second = outcome(parse, "f.yaml", text.encode()), outcome(plainly, text)
    if isinstance(second, list):
        assert first == second
    else:
        assert first == "refused"


def test_a_long_list_is_taken_out_and_read_alike() -> None:
    (written,) = parse("f.yaml", (HEAD + LINES).encode())
    assert isinstance(written.marks, Marks)
    expect_same(HEAD + LINES)


@pytest.mark.parametrize("text", BAD.values(), ids=BAD)
def test_lines_that_are_no_items_are_read_as_what_they_are(text: str) -> None:
    expect_same(text)


def test_a_list_may_go_on_otherwise_and_stand_beside_others() -> None:
    odd = "  - name: x\n    type: A\n    values: [10.0.0.1]\n  # more\n"
    for text in (odd + LINES, LINES + odd, LINES + odd + LINES):
        expect_same(HEAD + text + "ttl: 5m\n---\n" + HEAD + text)


ALPHABET = "ab-_.:'\"\\#&*!|>%@`,[]{}? 0+~"
WORDS = some.one_of(
    some.text(ALPHABET, max_size=6),
    some.sampled_from(["null", "true", "0x1f", "1e3", ".inf", "'a b'", '"a"', "a b", "~"]),
)


@settings(max_examples=300, deadline=None)
@given(
    some.lists(some.tuples(WORDS, WORDS), min_size=1, max_size=4),
    some.integers(0, 3),
    some.sampled_from(["", "x\n", "    x\n", "  - y\n", "# c\n", "  y: 1\n"]),
)
def test_whatever_words_stand_in_lines_they_are_read_alike(
    words: list[tuple[str, str]], indent: int, after: str
) -> None:
    lines = [f"{' ' * indent}- {{name: {one}, values: [{other}]}}\n" for one, other in words]
    expect_same("records:\n" + "".join(lines * LEAST_LINES) + after)


def test_positions_by_name_are_those_of_the_short_way() -> None:
    text = f"{HEAD}{LINES}{LINE.format(n=3)}  - name: h2\n    type: A\n"
    (slow,) = plainly(text)
    (fast,) = parse("f.yaml", text.encode())
    assert isinstance(fast.marks, Marks)
    first, second = locate(slow).marks, locate(fast).marks
    assert {path: second[path] for path in first} == dict(first)
    assert second.get(("records", "h9", "type")) is None
    assert locate(fast).position(("records", "h9/A", "nothing")).line == 13


def test_the_words_of_large_zones_are_there_once() -> None:
    taken = take_out(LINES, str)
    (run,) = taken.runs.values()
    assert run.values[0]["type"] is run.values[1]["type"]


def test_of_old_versions_of_a_large_file_only_the_newest_are_remembered() -> None:
    cache = ParseCache()
    for number in range(6):
        zone = f"{HEAD.replace('farm', f'farm{number}')}{LINES}".replace("kind: Zone", "kind: None")
        files = {**FARM, "zones/large.yaml": zone}
        with pytest.raises(ConfigError):
            load(Tree(files), "production", cache)
    large = [path for path, _ in cache.files if path == "zones/large.yaml"]
    assert len(large) == 1 + MOST_LARGE


@pytest.mark.parametrize(
    ("start", "part", "end"),
    [
        ("- {", "a: b, ", "x\n"),
        ("- {a: [", "b, ", "x\n"),
        ("- {a: ", "b ", "{\n"),
        ("- {a: '", "x", "\n"),
        ('- {a: "', "x", "\n"),
        ("", " ", "\n"),
        ("", "- {a: b}", "\n"),
        ("", "- {a: b\n", ""),
        ("", "taken-out-", "x"),
    ],
)
def test_a_mebibyte_of_almost_lines_is_done_with_at_once(start: str, part: str, end: str) -> None:
    text = start + part * ((1 << 20) // len(part)) + end
    began = time.process_time()
    assert not take_out(text, str).runs
    assert time.process_time() - began < 2
