"""A zone as text: what is written is read again as it was, and nothing else is written."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.config.records import canonical
from reconciler.drivers.zonefiles.reading import read_zone
from reconciler.drivers.zonefiles.text import rules_of, unwritable, zone_text
from reconciler.errors import ConfigError
from reconciler.ports.nameserver import Grant, RecordSet, Rules, Timers, ZoneState

ZONE = "farm.internal"
TIMERS = Timers("ns.farm.internal.", r"a\.b.farm.internal.", 10800, 1800, 1209600, 1800)
NS = RecordSet("@", "NS", 60, ("ns.elsewhere.example.",))
LABEL = st.from_regex(r"\A[a-z0-9_][a-z0-9-]{0,10}\Z")
NAME = st.lists(LABEL, min_size=1, max_size=3).map(".".join)
TARGET = NAME.map(lambda name: f"{name}.example.")
QUOTED = st.text(st.characters(min_codepoint=1, max_codepoint=255), max_size=40).map(
    lambda text: '"' + "".join(_escaped(letter) for letter in text) + '"'
)
VALUES: dict[str, st.SearchStrategy[str]] = {
    "A": st.ip_addresses(v=4).map(str),
    "AAAA": st.ip_addresses(v=6).map(str),
    "TXT": st.lists(QUOTED, min_size=1, max_size=3).map(" ".join),
    "MX": st.tuples(st.integers(0, 65535), TARGET).map(lambda pair: f"{pair[0]} {pair[1]}"),
    "PTR": TARGET,
    "NS": TARGET,
    "SRV": TARGET.map(lambda target: f"0 5 443 {target}"),
    "CAA": QUOTED.map(lambda value: f"0 issue {value}"),
    "TYPE65280": st.binary(min_size=1, max_size=8).map(lambda b: f"\\# {len(b)} {b.hex()}"),
}


def _escaped(letter: str) -> str:
    is_plain = letter.isascii() and letter.isprintable() and letter not in '"\\'
    return letter if is_plain else f"\\{ord(letter):03}"


@st.composite
def record_sets(draw: st.DrawFn) -> RecordSet:
    kind = draw(st.sampled_from(sorted(VALUES)))
    values = {canonical(kind, each, ZONE) for each in draw(st.lists(VALUES[kind], min_size=1))}
    ttl = draw(st.integers(0, 2**31 - 1))
    return RecordSet(draw(NAME), kind, ttl, tuple(sorted(values)))


SHARED = Rules((Grant("production"), Grant("staging", "stage", types=("A",))), "date")
ZONES = st.lists(record_sets(), max_size=12, unique_by=lambda each: each.key).map(
    lambda records: ZoneState(ZONE, 7, TIMERS, tuple(sorted([NS, *records])))
)


@settings(max_examples=150, deadline=None)
@given(ZONES, st.sampled_from([Rules(), Rules((), "date"), SHARED]))
def test_what_is_written_is_read_again(zone: ZoneState, rules: Rules) -> None:
    text = zone_text(replace(zone, rules=rules))
    assert text.isascii()
    assert read_zone(text, ZONE, "f").state == zone
    assert rules_of(text) == rules


@pytest.mark.parametrize("comment", ["", "; rules: {}x", '; rules: {"grants": 1}', "; rules: {"])
def test_rules_that_nobody_understands_let_nobody_in(comment: str) -> None:
    assert rules_of(f"{comment}\n") == Rules()


@pytest.mark.parametrize(
    "record",
    [
        RecordSet("x", "TXT", 1, ('"a\n@ A 1.2.3.4"',)),
        RecordSet("x", "TXT", 1, ("unquoted",)),
        RecordSet("x", "A", 1, ("192.168.1.1 ; more",)),
        RecordSet("x", "A", 1, ("192.168.001.1",)),
        RecordSet("x", "CNAME", 1, ("relative",)),
        RecordSet("x", "TYPE65280", 1, ("\\# 1 ff ; x",)),
        RecordSet("x", "HINFO", 1, ('"a" ( "b"',)),
        RecordSet("x", "TYPE 1", 1, ("x",)),
        RecordSet("x", "TXT", 1, ('"é"',)),
    ],
)
def test_what_would_be_read_as_something_else_is_not_written(record: RecordSet) -> None:
    assert list(unwritable(ZONE, (record,)))
    with pytest.raises(ValueError, match="cannot be"):
        zone_text(ZoneState(ZONE, 1, TIMERS, (NS, record)))


WORDS = st.sampled_from(
    [
        "@",
        "www",
        "60",
        "IN",
        "A",
        "TXT",
        "SOA",
        "NS",
        "$TTL",
        "$ORIGIN",
        "$GENERATE",
        "1-3",
        "${0,1",
        "192.168.1.1",
        '"a',
        '"',
        "(",
        ")",
        ";",
        "\\",
        "\n",
        "\n ",
        " ",
        "\t",
        "\x00",
        "é",
        "ns.",
        "SVCB",
        "alpn=h2",
        "LOC",
        "CERT",
        "APL",
        "1:10.0.0.0/8",
        "\\#",
        "4",
        "zz",
        "NSEC3",
        "RRSIG",
        "HIP",
    ]
)


@settings(max_examples=400, deadline=None)
@given(st.lists(WORDS, max_size=30), st.booleans())
def test_no_text_whatever_is_more_than_an_error(words: list[str], spaced: bool) -> None:
    head = "$TTL 60\n@ SOA ns h 1 2 3 4 5\n@ NS ns.example.\n"
    text = head + (" " if spaced else "").join(words)
    with suppress(ConfigError):
        assert read_zone(text, ZONE, "f").state.records
