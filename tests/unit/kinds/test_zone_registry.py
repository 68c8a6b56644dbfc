"""Who owns which records, written into the zone and read back."""

from __future__ import annotations

import string
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.kinds.zone_registry import Holding, is_mark, marks, read_marks, registry_grant
from reconciler.ports.nameserver import Grant, RecordSet
from tests.farms.specs import a_record

labels = st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=8)
names = st.lists(labels, min_size=1, max_size=3).map(".".join) | st.just("@")
keys = st.builds(lambda name, kind: f"{name}/{kind}", names, st.sampled_from(["A", "TXT", "MX"]))
holdings = st.builds(
    Holding,
    labels,
    st.text("0123456789abcdef", max_size=16),
    st.booleans(),
    st.frozensets(keys),
    st.booleans(),
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


def test_however_many_names_there_are_the_marks_are_few() -> None:
    keys = frozenset(f"a-rather-long-name-{number}/A" for number in range(20_000))
    holding = Holding("production", "00", authority=False, keys=keys)
    made = marks(holding)
    assert len(made) == 257
    assert made[-1].name == "production._reconciler"
    assert max(len(part) for mark in made for part in mark.values[0].split('" "')) <= 257
    assert read_marks(made) == {"production": holding}


def test_a_name_may_be_as_long_as_names_can_be() -> None:
    key = ".".join(["w" * 60] * 4) + "/NAPTR"
    holding = Holding("production", "", authority=True, keys=frozenset({key}))
    assert read_marks(marks(holding)) == {"production": holding}


def test_a_new_name_changes_two_marks_only() -> None:
    keys = frozenset(f"web-{number}/A" for number in range(1000))
    before = marks(Holding("production", "00", authority=True, keys=keys))
    after = marks(Holding("production", "11", authority=True, keys=keys | {"db/A"}))
    assert len({*after} - {*before}) == 2


def test_marks_of_an_environment_are_all_that_its_grant_covers() -> None:
    assert registry_grant("staging") == Grant(
        "staging", "staging._reconciler", below=True, types=("TXT",)
    )
    for mark in marks(Holding("staging", "", authority=False, keys=frozenset({"www/A"}))):
        assert f".{mark.name}".endswith(".staging._reconciler")
        assert mark.type == "TXT"


HEAD = '"digest=00 authority=1"'


@pytest.mark.parametrize(
    "record",
    [
        RecordSet("production._reconciler", "TXT", 60, ('"digest=ZZ authority=1"',)),
        RecordSet("production._reconciler", "TXT", 60, ('"digest=00 authority=1"x',)),
        RecordSet("production._reconciler", "TXT", 60, ()),
        RecordSet("production._reconciler", "TYPE16", 60, (HEAD,)),
        RecordSet("production.reconciler", "TXT", 60, (HEAD,)),
        RecordSet("0a.production._reconciler", "TXT", 60, (HEAD,)),
    ],
)
def test_what_is_no_mark_is_skipped(record: RecordSet) -> None:
    assert read_marks([record]) == {}


@pytest.mark.parametrize("text", ["own www", "own =A", "own www=a", "owns www=A", "types=A"])
def test_parts_of_marks_that_say_nothing_are_skipped(text: str) -> None:
    head = RecordSet("production._reconciler", "TXT", 60, (HEAD,))
    mark = RecordSet("0a.production._reconciler", "TXT", 60, (f'"{text}"',))
    assert read_marks([head, mark])["production"].keys == frozenset()


def test_records_without_the_environments_own_mark_are_nobodys() -> None:
    orphan = RecordSet("0a.production._reconciler", "TXT", 60, ('"own www=A"',))
    assert read_marks([orphan]) == {}
