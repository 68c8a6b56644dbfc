"""What laying one document over another gives, and the laws that it obeys."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.config.merge import Located, item_name, locate, names_of, only, overlay
from reconciler.config.parse import parse
from reconciler.model.position import Position


def read(text: str, file: str = "f.yaml") -> Located:
    (document,) = parse(file, text.encode())
    return locate(document)


def merged(base: Any, upper: Any) -> Any:
    return overlay(Located(base, {}), Located(upper, {})).value


@pytest.mark.parametrize(
    ("base", "upper", "result"),
    [
        ({"a": 1}, {"b": 2}, {"a": 1, "b": 2}),
        ({"a": 1}, {"a": 2}, {"a": 2}),
        ({"a": {"b": 1, "c": 1}}, {"a": {"c": 2}}, {"a": {"b": 1, "c": 2}}),
        ({"a": 1, "b": 1}, {"a": None}, {"b": 1}),
        ({"a": {"b": 1, "c": 1}}, {"a": {"b": None}}, {"a": {"c": 1}}),
        ({}, {"a": None}, {}),
        ({}, {"a": {"b": None, "c": 1}}, {"a": {"c": 1}}),
        ({}, {"a": [{"name": "x", "b": None}]}, {"a": [{"name": "x"}]}),
        ({"a": [1, 2]}, {"a": [3]}, {"a": [3]}),
        ({"a": [{"name": "x"}]}, {"a": []}, {"a": []}),
        ({"a": {"b": 1}}, {"a": 1}, {"a": 1}),
        ({"a": 1}, {"a": {"b": 1}}, {"a": {"b": 1}}),
    ],
)
def test_mappings_merge_null_removes_and_all_else_is_replaced(
    base: Any, upper: Any, result: Any
) -> None:
    assert merged(base, upper) == result


def test_lists_of_named_items_merge_by_name_in_the_lower_order() -> None:
    base = {"disks": [{"name": "root", "size": 1}, {"name": "data", "size": 2}]}
    upper = {"disks": [{"name": "logs", "size": 4}, {"name": "data", "size": 3}]}
    assert merged(base, upper) == {
        "disks": [
            {"name": "root", "size": 1},
            {"name": "data", "size": 3},
            {"name": "logs", "size": 4},
        ]
    }


def test_networks_merge_by_network_and_records_by_name_and_type() -> None:
    base = {
        "networks": [{"network": "lan", "address": 1}],
        "records": [{"name": "a", "type": "A", "ttl": 1}, {"name": "a", "type": "TXT"}],
    }
    upper = {
        "networks": [{"network": "lan", "mac": 2}, {"network": "lab"}],
        "records": [{"name": "a", "type": "A", "values": 2}],
    }
    assert merged(base, upper) == {
        "networks": [{"network": "lan", "address": 1, "mac": 2}, {"network": "lab"}],
        "records": [
            {"name": "a", "type": "A", "ttl": 1, "values": 2},
            {"name": "a", "type": "TXT"},
        ],
    }


def test_an_absent_item_is_left_out() -> None:
    base = {"disks": [{"name": "root"}, {"name": "data"}]}
    assert merged(base, {"disks": [{"name": "data", "absent": True}]}) == {
        "disks": [{"name": "root"}]
    }


@pytest.mark.parametrize("word", [False, "yes", 1, {}])
def test_an_item_is_left_out_by_nothing_but_true(word: Any) -> None:
    upper = {"disks": [{"name": "data", "absent": word}]}
    assert merged({"disks": [{"name": "data"}]}, upper) == upper


def test_an_absent_item_that_is_not_there_stays_to_be_complained_about() -> None:
    upper = {"disks": [{"name": "data", "absent": True}]}
    assert merged({"disks": [{"name": "root"}]}, upper) == {
        "disks": [{"name": "root"}, {"name": "data", "absent": True}]
    }


@pytest.mark.parametrize(
    "upper",
    [[{"size": 1}], [{"name": "root"}, {"name": "root"}], [{"name": 5}], ["root"], [{}]],
)
def test_items_without_a_name_of_their_own_replace_the_list(upper: Any) -> None:
    assert merged({"disks": [{"name": "root", "size": 8}]}, {"disks": upper}) == {"disks": upper}


BASE = "name: a\ncpus: 1\ndisks:\n  - {name: root, size: 1}\n  - {name: data, size: 2}\n"
UPPER = "# patch\nname: a\ncpus: 2\ndisks:\n  - name: data\n    pool: fast\nhost: null\n"


@pytest.mark.parametrize(
    ("path", "position"),
    [
        ((), Position("base.yaml", 1, 1)),
        (("cpus",), Position("patch.yaml", 3, 1)),
        (("disks", "root", "size"), Position("base.yaml", 4, 18)),
        (("disks", "data", "size"), Position("base.yaml", 5, 18)),
        (("disks", "data", "pool"), Position("patch.yaml", 6, 5)),
        (("disks", "data", "format"), Position("patch.yaml", 5, 5)),
        (("host",), Position("patch.yaml", 7, 1)),
        (("memory",), Position("base.yaml", 1, 1)),
    ],
)
def test_each_value_keeps_the_position_of_what_decided_it(
    path: tuple[str, ...], position: Position
) -> None:
    both = overlay(read(BASE, "base.yaml"), read(UPPER, "patch.yaml"))
    assert both.position(path) == position


def test_a_replaced_list_has_no_positions_of_the_old_one() -> None:
    base, upper = read("a: [{b: {c: 1}}]", "base.yaml"), read("a: [x]", "patch.yaml")
    both = overlay(base, upper)
    assert both.position(("a", "0", "b", "c")) == Position("patch.yaml", 1, 5)


def test_only_some_keys_can_be_kept() -> None:
    kept = only(read("a: 1\nb: {c: 2}\nd: 3"), {"b"})
    assert kept.value == {"b": {"c": 2}}
    assert kept.position(("b", "c")) == Position("f.yaml", 2, 5)
    assert kept.position(("d",)) == Position("f.yaml", 1, 1)


def test_paths_go_by_names_where_items_have_them() -> None:
    value = {"disks": [{"name": "root"}, {"size": 1}], "records": [{"name": "a", "type": "A"}]}
    assert names_of(value, ("disks", 0, "size")) == ("disks", "root", "size")
    assert names_of(value, ("disks", 1)) == ("disks", "1")
    assert names_of(value, ("disks", 7, "size")) == ("disks", "7", "size")
    assert names_of(value, ("records", 0)) == ("records", "a/A")
    assert item_name("disks", {"name": 5}) is None


KEYS = st.sampled_from(["a", "b", "disks", "networks"])
SCALARS = st.none() | st.booleans() | st.integers(-3, 3) | st.text("xyz", max_size=2)
ITEMS = st.fixed_dictionaries({"name": st.sampled_from("xyz")}, optional={"a": SCALARS})
VALUES = st.recursive(
    SCALARS | st.lists(ITEMS, max_size=3) | st.lists(SCALARS, max_size=2),
    lambda inner: st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)
DOCUMENTS = st.dictionaries(KEYS, VALUES, max_size=4)


def has_null(value: Any) -> bool:
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return value is None or any(map(has_null, parts))


@given(DOCUMENTS)
def test_law_an_empty_patch_changes_nothing(base: Any) -> None:
    assert merged(base, {}) == base


@given(DOCUMENTS)
def test_law_what_is_laid_over_nothing_is_itself_without_nulls(upper: Any) -> None:
    result = merged({}, upper)
    assert result.keys() == {key for key, value in upper.items() if value is not None}
    assert has_null(upper) or result == upper


@given(DOCUMENTS, DOCUMENTS)
def test_law_the_same_patch_twice_is_the_same_as_once(base: Any, upper: Any) -> None:
    once = merged(base, upper)
    assert merged(once, upper) == once


@given(DOCUMENTS, DOCUMENTS)
def test_law_nothing_that_went_in_is_changed(base: Any, upper: Any) -> None:
    before = copy.deepcopy((base, upper))
    merged(base, upper)
    assert (base, upper) == before


@given(DOCUMENTS, DOCUMENTS)
def test_law_what_a_patch_does_not_speak_of_stays(base: Any, upper: Any) -> None:
    result = merged(base, upper)
    for key in base.keys() - upper.keys():
        assert result[key] == base[key]
    for key in upper.keys() - base.keys():
        assert (key in result) == (upper[key] is not None)


@given(DOCUMENTS, DOCUMENTS)
def test_law_every_value_has_a_position_in_the_file_that_gave_it(base: Any, upper: Any) -> None:
    below = Located(base, {(key,): Position("base.yaml") for key in base})
    above = Located(upper, {(key,): Position("patch.yaml") for key in upper})
    both = overlay(below, above)
    for key in both.value:
        file = "patch.yaml" if key in upper else "base.yaml"
        assert both.position((key,)).file == file
