"""Hand-written values in the one form in which servers answer them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.config.records import absolute
from reconciler.config.records import canonical as presentation

ROWS = [
    ("A", "192.168.1.1", "192.168.1.1"),
    ("AAAA", "2001:DB8:0:0::1", "2001:db8::1"),
    ("CNAME", "WWW", "www.farm."),
    ("CNAME", "www.example.org.", "www.example.org."),
    ("CNAME", "@", "farm."),
    ("NS", "ns1", "ns1.farm."),
    ("PTR", "web-1.farm.", "web-1.farm."),
    ("MX", "010  mail", "10 mail.farm."),
    ("SRV", "1 2 5060 sip", "1 2 5060 sip.farm."),
    ("CAA", '0 issue "ca.example; a=b"', '0 issue "ca.example; a=b"'),
    ("TXT", "v=spf1 -all", '"v=spf1 -all"'),
    ("TXT", 'say "hi" \\ bye', '"say \\"hi\\" \\\\ bye"'),
    ("TXT", '"one"   "two"', '"one" "two"'),
    ("TXT", '"a\\;b\\065"', '"a;bA"'),
    ("TXT", '"\\233"', '"\\233"'),
    ("TXT", "grün", '"gr\\195\\188n"'),
    ("TXT", "", '""'),
    ("TXT", "x" * 256, '"' + "x" * 255 + '" "x"'),
    ("TXT", "x" + '"' * 255, '"x' + '\\"' * 254 + '" "\\""'),
]


@pytest.mark.parametrize(("kind", "value", "shown"), ROWS)
def test_presentation_form(kind: str, value: str, shown: str) -> None:
    assert presentation(kind, value, "farm") == shown


@pytest.mark.parametrize(("kind", "shown"), [(row[0], row[2]) for row in ROWS])
def test_what_is_in_this_form_stays_as_it_is(kind: str, shown: str) -> None:
    assert presentation(kind, shown, "farm") == shown


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126)).filter(lambda t: t[:1] != '"'))
def test_any_text_is_answered_as_it_was_written(text: str) -> None:
    shown = presentation("TXT", text, "farm")
    pieces = re.findall(r'"((?:[^"\\]|\\.)*)"', shown)
    read = [re.sub(r"\\(.)", r"\1", piece) for piece in pieces]
    assert "".join(read) == text
    assert all(len(piece) <= 255 for piece in read)
    assert presentation("TXT", shown, "farm") == shown


@pytest.mark.parametrize(
    ("name", "full"), [("@", "farm."), ("WWW", "www.farm."), ("www.example.", "www.example.")]
)
def test_a_name_without_a_final_dot_is_inside_the_zone(name: str, full: str) -> None:
    assert absolute(name, "farm") == full
