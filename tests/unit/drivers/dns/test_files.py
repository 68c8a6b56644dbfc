"""A zone as a file: its name is one file in one directory, its text nothing but its records."""

from __future__ import annotations

import dns.zone
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.drivers.dns.files import file_name, zone_of, zone_text
from reconciler.drivers.refusal import Refused
from reconciler.ports.nameserver import NewZone, RecordSet, Timers

TIMERS = Timers("ns.farm.internal.", "h.farm.internal.", 1, 2, 3, 4)
NS = RecordSet("@", "NS", 60, ("ns.farm.internal.",))


@given(st.text(min_size=1, max_size=40))
def test_a_file_name_leads_back_to_its_zone_and_nowhere_else(zone: str) -> None:
    name = file_name(zone)
    assert "/" not in name
    assert name not in {".", ".."}
    assert not name.startswith(("-", "."))
    assert name.isascii()
    assert name.isprintable()
    if zone.isascii():
        assert zone_of(name) == zone


def test_an_ordinary_name_stays_readable() -> None:
    assert file_name("farm.internal") == "farm.internal.db"
    assert file_name("0/25.2.0.192.in-addr.arpa") == "0=2F25.2.0.192.in-addr.arpa.db"


@pytest.mark.parametrize("file", ["x", "x.db.jnl", ".db", "X.db", "a=2f.db", "a b.db", "=41.db2"])
def test_what_is_no_file_of_ours_is_no_zone(file: str) -> None:
    assert zone_of(file) is None


def test_a_name_that_is_too_long_for_a_file_is_refused() -> None:
    with pytest.raises(Refused, match="odd letters"):
        file_name("/" * 100)


def test_a_zone_is_written_record_by_record() -> None:
    txt = RecordSet("t", "TXT", 60, ('"a; $INCLUDE /etc/passwd" "b"',))
    text = zone_text(NewZone("farm.internal", TIMERS, 7, (NS, txt), "production")).decode()
    assert text.splitlines() == [
        "farm.internal. 4 IN SOA ns.farm.internal. h.farm.internal. 7 1 2 3 4",
        "farm.internal. 60 IN NS ns.farm.internal.",
        't.farm.internal. 60 IN TXT "a; $INCLUDE /etc/passwd" "b"',
    ]
    assert len(dns.zone.from_text(text, origin="farm.internal.").nodes) == 2


@pytest.mark.parametrize("value", ["x y. z.", "(", "", "a. b.", '"'])
def test_a_value_that_is_more_than_one_is_refused(value: str) -> None:
    evil = RecordSet("evil", "CNAME", 60, (value,))
    with pytest.raises(Refused):
        zone_text(NewZone("farm.internal", TIMERS, 7, (NS, evil), "production"))


@pytest.mark.parametrize("value", ["a.\n$INCLUDE /etc/passwd", "a. ; b", "a.\nevil A 192.0.2.1"])
def test_nothing_behind_a_value_comes_into_the_file(value: str) -> None:
    alias = RecordSet("alias", "CNAME", 60, (value,))
    text = zone_text(NewZone("farm.internal", TIMERS, 7, (NS, alias), "production")).decode()
    assert text.splitlines()[2:] == ["alias.farm.internal. 60 IN CNAME a."]
