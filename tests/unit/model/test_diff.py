from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from reconciler.model.change import FieldChange
from reconciler.model.diff import diff_fields


@dataclass(frozen=True)
class Item:
    key: str
    size: int | None = 1


@dataclass(frozen=True)
class Part:
    depth: int | None = 1


@dataclass(frozen=True)
class Thing:
    name: str | None = "a"
    tags: tuple[str, ...] | None = ("x",)
    items: tuple[Item, ...] | None = ()
    part: Part | None = None
    born: int = field(default=1, compare=False)


ITEM = {"key": "i"}  # its size is as usual, and left out
ONE = (Item("i"),)
CASES: list[tuple[str, Thing, Thing, list[tuple[str, Any, Any]]]] = [
    ("equal specs", Thing(), Thing(), []),
    ("another value", Thing("a"), Thing("b"), [("name", "b", "a")]),
    ("an unmanaged field", Thing(name=None), Thing("b"), []),
    ("a field of the creation only", Thing(born=1), Thing(born=2), []),
    ("a plain tuple as a whole", Thing(tags=("y",)), Thing(), [("tags", ["x"], ["y"])]),
    ("an emptied plain tuple", Thing(tags=()), Thing(), [("tags", ["x"], [])]),
    ("a field inside", Thing(part=Part(1)), Thing(part=Part(2)), [("part.depth", 2, 1)]),
    ("an unmanaged field inside", Thing(part=Part(None)), Thing(part=Part(2)), []),
    ("a part where none is", Thing(part=Part(3)), Thing(), [("part", None, {"depth": 3})]),
    ("a new item", Thing(items=ONE), Thing(), [("items.i", None, ITEM)]),
    ("a lost item", Thing(), Thing(items=ONE), [("items.i", ITEM, None)]),
    (
        "a changed item by its name",
        Thing(items=(Item("i", 2), Item("j"))),
        Thing(items=(Item("j"), Item("i", 1))),
        [("items.i.size", 1, 2)],
    ),
    ("unmanaged items", Thing(items=None), Thing(items=ONE), []),
    ("items where none are known", Thing(items=ONE), Thing(items=None), [("items", None, [ITEM])]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("desired", "observed", "changes"),
    [case[1:] for case in CASES],
    ids=[case[0] for case in CASES],
)
def test_difference(desired: Thing, observed: Thing, changes: list[tuple[str, Any, Any]]) -> None:
    assert diff_fields(desired, observed) == tuple(FieldChange(*each) for each in changes)


def test_changes_of_items_come_in_the_order_of_their_names() -> None:
    desired = Thing(items=(Item("b"), Item("a")))
    assert [each.path for each in diff_fields(desired, Thing())] == ["items.a", "items.b"]
