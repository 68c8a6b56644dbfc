"""What pydantic found is told in words for the person who wrote the document."""

from __future__ import annotations

import time
from typing import Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from reconciler.config.complaints import complaints
from reconciler.config.merge import Located, locate
from reconciler.config.parse import parse

LEFT_OUT = "write `absent: true` for an item that a stack or the shared document has"


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    name: str
    size: int = Field(0, ge=1, le=9)


class Whole(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    kind: Literal["a", "b"] = "a"
    count: int = 0
    exact: bool = True
    text: str = ""
    ratio: float = Field(0.0, gt=0)
    part: Part | None = None
    parts: list[Part] = Field([Part(name="x")], min_length=1)
    table: dict[str, Part] = {}


def told(text: str, *, is_whole: bool = True) -> list[str]:
    (document,) = parse("f", text.encode())
    located = locate(document)
    with pytest.raises(ValidationError) as caught:
        Whole.model_validate(located.value)
    found = complaints(located, Whole, caught.value, is_whole=is_whole)
    return [str(problem).removeprefix("f:1:") for problem in found]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{count: a}", "2: count must be a whole number"),
        ("{count: 1.5}", "2: count must be a whole number"),
        ("{count: true}", "2: count must be a whole number"),
        ("{exact: 1}", "2: exact must be true or false"),
        ("{text: 1}", "2: text must be text; put it in quotes if it looks like a number"),
        ("{parts: a}", "2: parts must be a list"),
        ("{parts: []}", "2: parts must not be empty"),
        ("{part: a}", "2: part must be a mapping"),
        ("{table: a}", "2: table must be a mapping"),
        ("{kind: c}", "2: kind must be 'a' or 'b'"),
        ("{part: {name: a, size: 0}}", "18: part.size must be at least 1"),
        ("{parts: [{name: a, size: 10}]}", "20: parts.a.size must be at most 9"),
        ("{parts: [{size: 1}]}", "10: parts.0.name is missing; add it"),
        ("{table: {t: {size: 1}}}", "10: table.t.name is missing; add it"),
        ("{cuont: 1}", "2: the document has no key 'cuont'; did you mean count?"),
        ("{part: {name: a, sise: 1}}", "18: part has no key 'sise'; did you mean size?"),
        ("{parts: [{name: a, sise: 1}]}", "20: parts.a has no key 'sise'; did you mean size?"),
        (
            "{table: {t: {name: a, zz: 1}}}",
            "23: table.t has no key 'zz'; known keys are name, size",
        ),
        (
            "{parts: [{name: a, absent: true}]}",
            f"20: parts.a.absent leaves nothing out; {LEFT_OUT}",
        ),
        ("{ratio: 0.0}", "2: ratio is wrong: Input should be greater than 0"),
    ],
)
def test_each_error_has_its_words_and_its_place(text: str, problem: str) -> None:
    assert told(text) == [problem]


def test_all_errors_are_told() -> None:
    assert len(told("{count: a, exact: 1, part: {size: 0, x: 1}, zz: 1}")) == 6


def test_a_kind_is_named_where_a_document_has_an_unknown_key() -> None:
    assert told("{kind: a, zz: 1}")[0].startswith("11: a has no key 'zz'; known keys are count")


def test_a_list_of_wrong_items_is_not_called_empty() -> None:
    assert told("{parts: [1]}") == ["10: parts.0 must be a mapping"]


def test_an_item_to_be_left_out_misses_nothing() -> None:
    located = Located({"parts": [{"absent": True}]}, {})
    with pytest.raises(ValidationError) as caught:
        Whole.model_validate(located.value)
    assert len(list(complaints(located, Whole, caught.value))) == 1


def test_nothing_is_missed_in_what_is_not_whole() -> None:
    assert told("{part: {size: 0}}", is_whole=False) == ["9: part.size must be at least 1"]


@pytest.mark.parametrize("key", ["x" * 5000, '"\\e[31m"', '"a\\nb"', '"\\u202e"'])
def test_keys_are_shown_printable_and_short(key: str) -> None:
    (problem,) = told(f"{{? {key} : 1}}")
    assert problem.isprintable()
    assert len(problem) < 250


def test_two_thousand_unknown_keys_are_told_in_time() -> None:
    keys = ", ".join(f"key{number}: 1" for number in range(2000))
    start = time.thread_time()
    assert len(told(f"{{{keys}}}")) == 2000
    assert time.thread_time() - start < 0.5
