"""Naming schemes: what a pattern takes, and which names it speaks of."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from reconciler.config.naming import Scheme, compiled, runs_together
from reconciler.config.zones import NamingField

SCHEME = Scheme.of(["{name}.host", "{name}.node", "{first}-{last}[-{spec}].pc", "lab{n}.vm.pc"])
PEOPLE = ("{first}-{last}[-{spec}].pc",)
WORDS = st.from_regex(r"\A[a-z0-9]{1,8}\Z")


@pytest.mark.parametrize(
    "name",
    [
        "virt1.host",
        "n07.node",
        "john-doe.pc",
        "john-doe-laptop.pc",
        "_ssh._tcp.john-doe.pc",
        "lab7.vm.pc",
        "www",
        "host",
        "pc",
        "@",
        "john.doe",
        "a.b.c",
        "_sip._tcp",
        "xpc",
    ],
)
def test_what_fits_or_is_not_spoken_of_is_right(name: str) -> None:
    assert SCHEME.broken_by(name) == ()


@pytest.mark.parametrize(
    ("name", "patterns"),
    [
        ("virt-1.host", ("{name}.host",)),
        ("a.b.node", ("{name}.node",)),
        ("john.pc", PEOPLE),
        ("john-doe-a-b.pc", PEOPLE),
        ("-john-doe.pc", PEOPLE),
        ("john--doe.pc", PEOPLE),
        ("*.pc", PEOPLE),
        ("_ssh._tcp.john.pc", PEOPLE),
        ("www.john-doe.pc", PEOPLE),
        ("7.vm.pc", ("lab{n}.vm.pc",)),
        ("john-doe.vm.pc", ("lab{n}.vm.pc",)),
    ],
)
def test_what_ends_as_a_pattern_must_look_like_it(name: str, patterns: tuple[str, ...]) -> None:
    assert SCHEME.broken_by(name) == patterns


def test_one_of_several_patterns_of_an_ending_is_enough() -> None:
    scheme = Scheme.of(["{name}.x", "{a}-{b}.x"])
    assert scheme.broken_by("a.x") == scheme.broken_by("a-b.x") == ()
    assert scheme.broken_by("a-b-c.x") == ("{name}.x", "{a}-{b}.x")


def test_without_patterns_every_name_is_right() -> None:
    assert Scheme.of(()).broken_by("_x.john.pc") == ()


@given(WORDS, WORDS, WORDS | st.none())
def test_names_made_by_a_pattern_fit_it(first: str, last: str, spec: str | None) -> None:
    name = f"{first}-{last}" + (f"-{spec}" if spec else "")
    assert SCHEME.broken_by(f"{name}.pc") == ()


def test_a_dot_in_a_pattern_is_a_dot() -> None:
    assert compiled("{a}.b.c").fullmatch("xxb.c") is None


@pytest.mark.parametrize("pattern", ["{a}{b}.x", "{a}x{b}.x", "{a}[{b}].x", "{a}[-{b}]{c}.x"])
def test_words_without_a_hyphen_between_them_run_together(pattern: str) -> None:
    assert runs_together(pattern)


@pytest.mark.parametrize("pattern", ["{a}.x", "pc{a}-x{b}.x", "{a}[-{b}][-{c}].x", "[pre-{a}]x.x"])
def test_words_with_one_do_not(pattern: str) -> None:
    assert not runs_together(pattern)


def test_a_long_name_is_judged_at_once() -> None:
    pattern = compiled("-".join("{a}[-{b}]" for _ in range(6)) + ".x")
    assert pattern.fullmatch("a-" * 31 + ".y") is None


def test_words_that_run_together_are_never_asked_for() -> None:
    assert Scheme.of(["{a}" * 20 + ".x"]).broken_by("a" * 60 + "_.x") == ()


def test_a_word_may_end_in_a_letter_of_the_pattern() -> None:
    assert Scheme.of(["{a}pc.x"]).broken_by("johnpc.x") == ()


@pytest.mark.parametrize(("parts", "is_right"), [(4, True), (5, False)])
def test_few_parts_may_be_left_out(parts: int, *, is_right: bool) -> None:
    pattern = "{a}" + "[-{b}]" * parts + ".x"
    if is_right:
        assert NamingField(patterns=(pattern,)).patterns == (pattern,)
        return
    with pytest.raises(ValidationError, match="at most 4 parts in"):
        NamingField(patterns=(pattern,))
