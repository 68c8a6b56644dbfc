"""S30: a host may answer a look with anything. It is an error of this host, and says so briefly."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from reconciler.drivers.ssh.answers import MOST_LINES, look_of
from reconciler.errors import Conflict
from reconciler.ports.facts import Question

ASKED = Question("package", "chrony")
HEADER = {"version": 1, "fence": "", "boot": "b", "time": 1.0, "host": "virt1"}
QUESTION = {"about": "package", "name": "chrony", "details": []}
FACT = {"version": "1", "is_held": False}
OTHER = {"about": "package", "name": "other", "details": []}
ANSWER = {"question": QUESTION, "fact": FACT}
REST: tuple[dict[str, Any], ...] = ({"undone": {}}, {"end": 1})


def told(*lines: Any) -> bytes:
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


HOSTILE = {
    "nothing": b"",
    "no json": b"Welcome to virt1!\n",
    "not an object": told(7, ["question"], "header"),
    "deep": b"[" * 100_000,
    "no header": told(ANSWER, *REST),
    "no end": told({"header": HEADER}, ANSWER),
    "a wrong count": told({"header": HEADER}, ANSWER, {"end": 2}),
    "more after the end": told({"header": HEADER}, ANSWER, {"end": 1}, {"undone": {}}),
    "an answer left out": told({"header": HEADER}, {"end": 0}),
    "what nobody asked": told(
        {"header": HEADER}, ANSWER, {"question": OTHER, "fact": FACT}, {"end": 2}
    ),
    "two answers": told({"header": HEADER}, ANSWER, ANSWER, {"end": 1}),
    "a fact of another kind": told({"header": HEADER}, {**ANSWER, "fact": {"gid": 0}}, *REST),
    "a number for a text": told(
        {"header": HEADER}, {**ANSWER, "fact": {**FACT, "version": 1}}, *REST
    ),
    "a text for a truth": told(
        {"header": HEADER}, {**ANSWER, "fact": {**FACT, "is_held": "no"}}, *REST
    ),
    "a list for a fact": told({"header": HEADER}, {**ANSWER, "fact": [FACT]}, *REST),
    "a kind that is none": told(
        {"header": HEADER}, {**ANSWER, "question": {**QUESTION, "about": "kernel"}}, *REST
    ),
    "a damaged header": told({"header": {**HEADER, "time": "noon"}}, ANSWER, *REST),
    "an address that is none": told({"header": HEADER}, ANSWER, {"undone": {"x": "d"}}, REST[1]),
    "a mark that is none": told({"header": HEADER}, {"mark": {"kind": "file"}}, ANSWER, *REST),
    "a line without end": told(
        {"header": HEADER}, {**ANSWER, "fact": {**FACT, "x": "y" * 2**20}}, *REST
    ),
    "no words": b"\xff\xfe\n",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_an_answer_that_makes_no_sense_is_an_error_of_this_host(text: bytes) -> None:
    with pytest.raises(Conflict, match=r"\Avirt1: look at its base: its answer makes no sense: "):
        look_of("virt1", [ASKED], text)


def test_the_same_answer_as_it_should_be_is_taken() -> None:
    assert look_of("virt1", [ASKED], told({"header": HEADER}, ANSWER, *REST)).facts.answers


def test_an_answer_without_end_is_not_read_to_the_end() -> None:
    begun = time.monotonic()
    with pytest.raises(Conflict, match="lines"):
        look_of("virt1", [ASKED], b"{}\n" * (MOST_LINES + 1))
    assert time.monotonic() - begun < 2


def test_why_it_could_not_tell_is_one_short_line() -> None:
    evil = "\x1b[2J\n::error::drift: none" + "x" * 100_000
    line = {"question": QUESTION, "failed": evil}
    facts = look_of("virt1", [ASKED], told({"header": HEADER}, line, *REST)).facts
    (why,) = facts.failed.values()
    assert why.isprintable()
    assert len(why) < 600


@pytest.mark.parametrize("place", ["about", "key"])
def test_what_it_says_acts_on_no_terminal_and_is_not_endless(place: str) -> None:
    evil = "\x1b[2J\n::error::drift: none" + "x" * 100_000
    line: dict[str, Any] = {"question": {**QUESTION, "about": evil}, "fact": None}
    if place == "key":
        line = {"question": QUESTION, "fact": {**FACT, "is_held": {evil: evil}}}
    with pytest.raises(Conflict) as caught:
        look_of("virt1", [ASKED], told({"header": HEADER}, line, *REST))
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 2000
