"""Who owns which records, written into the zone and read back."""

from __future__ import annotations

import string
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.kinds.zone_registry import Holding, is_mark, mark_key, marks, read_marks
from reconciler.ports.nameserver import RecordSet
from tests.farms.specs import a_record

labels = st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=8)
names = st.lists(labels, min_size=1, max_size=3).map(".".join) | st.just("@")
keys = st.builds(lambda name, kind: f"{name}/{kind}", names, st.sampled_from(["A", "TXT", "MX"]))
holdings = st.builds(
    Holding, labels, st.text("0123456789abcdef", max_size=16), st.booleans(), st.frozensets(keys)
)


@given(st.lists(holdings, max_size=3, unique_by=lambda each: each.environment))
def test_holdings_read_back_from_a_zone_full_of_others(written: list[Holding]) -> None:
    records = [mark for holding in written for mark in marks(holding)]
    found = read_marks([a_record("www"), *records, RecordSet("t", "TXT", 60, ('"types=A"',))])
    assert found == {holding.environment: holding for holding in written}


@given(holdings)
def test_marks_are_known_as_marks_and_the_same_every_time(holding: Holding) -> None:
    made = marks(holding)
    assert all(is_mark(mark) for mark in made)
    assert made == marks(replace(holding, keys=frozenset(sorted(holding.keys))))
    assert len({mark.name for mark in made}) == len(made)


def test_a_record_is_no_mark_because_its_name_looks_like_one() -> None:
    assert not is_mark(a_record("my_reconciler"))
    assert is_mark(RecordSet("_reconciler", "TXT", 60, ('"x"',)))


def test_the_key_of_a_mark_can_be_told_without_the_mark() -> None:
    holding = Holding("production", "", authority=False, keys=frozenset({"www/A"}))
    assert marks(holding)[1].key == mark_key("www", "production")


HEAD = '"digest=00 authority=1"'


@pytest.mark.parametrize(
    "record",
    [
        RecordSet("production._reconciler", "TXT", 60, ('"digest=ZZ authority=1"',)),
        RecordSet("production._reconciler", "TXT", 60, ('"digest=00 authority=1"x',)),
        RecordSet("production._reconciler", "TXT", 60, ()),
        RecordSet("production._reconciler", "TYPE16", 60, (HEAD,)),
        RecordSet("production.reconciler", "TXT", 60, (HEAD,)),
        RecordSet("www.production._reconciler", "TXT", 60, (HEAD,)),
    ],
)
def test_what_is_no_mark_is_skipped(record: RecordSet) -> None:
    assert read_marks([record]) == {}


def test_a_list_of_types_under_no_name_is_skipped() -> None:
    head = RecordSet("production._reconciler", "TXT", 60, ('"types=A"',))
    assert read_marks([head]) == {}


def test_records_without_the_environments_own_mark_are_nobodys() -> None:
    orphan = RecordSet("www.production._reconciler", "TXT", 60, ('"types=A"',))
    assert read_marks([orphan]) == {}
