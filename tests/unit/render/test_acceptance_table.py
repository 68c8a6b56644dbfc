"""The table of what can be accepted has every field of every kind."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any, get_args, get_type_hints

import pytest

from reconciler.kinds import KINDS
from reconciler.render.acceptance.rule import Items, Refused
from reconciler.render.acceptance.table import FIELDS


def compared(spec: Any) -> set[str]:
    return {each.name for each in fields(spec) if each.compare}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_each_field_is_said_somewhere_or_has_its_reason(kind: Any) -> None:
    assert FIELDS[kind.name].keys() == compared(kind.spec)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_so_has_each_field_of_items_that_are_compared_one_by_one(kind: Any) -> None:
    for name, rule in FIELDS[kind.name].items():
        if isinstance(rule, Items):
            item = get_args(get_type_hints(kind.spec)[name])[0]
            assert is_dataclass(item)
            assert rule.fields.keys() == compared(item)


def test_no_kind_is_here_that_is_none() -> None:
    assert FIELDS.keys() == {kind.name for kind in KINDS}


def test_each_reason_is_a_sentence() -> None:
    rules = [rule for table in FIELDS.values() for rule in table.values()]
    reasons = {rule.reason for rule in rules if isinstance(rule, Refused)}
    assert all(len(reason.split()) > 3 and not reason.endswith(".") for reason in reasons)
