"""Every error of the tree can happen, and some test looks at it happening."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

from reconciler import errors
from tests.meta.conftest import Source

TREE = Path("reconciler/errors.py")
ASKING = {"isinstance", "issubclass", "suppress"}


def error_classes() -> dict[str, type[errors.ReconcilerError]]:
    return {
        name: member
        for name, member in vars(errors).items()
        if inspect.isclass(member)
        and issubclass(member, errors.ReconcilerError)
        and member.__module__ == errors.__name__
    }


def leaves() -> set[str]:
    """The classes that are raised; what has subclasses is there to be caught."""
    return {name for name, error in error_classes().items() if not error.__subclasses__()}


def last_name(node: ast.expr) -> str | None:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else None


def made_in(tree: ast.Module) -> Iterator[str]:
    """The names that are called, raised as they are, or chosen from a table."""
    for node in ast.walk(tree):
        candidates: list[ast.expr | None] = []
        if isinstance(node, ast.Call) and last_name(node.func) not in ASKING:
            candidates = [node.func, *node.args]
        elif isinstance(node, ast.Raise):
            candidates = [node.exc]
        elif isinstance(node, ast.Dict):
            candidates = [*node.values]
        yield from filter(None, (last_name(candidate) for candidate in candidates if candidate))


def test_every_error_is_raised_somewhere(product: tuple[Source, ...]) -> None:
    made = {name for source in product if source.path != TREE for name in made_in(source.tree)}
    idle = sorted(leaves() - made)
    assert not idle, f"never raised: {', '.join(idle)}"


def test_every_error_is_looked_at_by_a_test(tests: tuple[Source, ...]) -> None:
    text = "\n".join(source.text for source in tests if source.path.parts[1] != "meta")
    unseen = [name for name in sorted(leaves()) if not re.search(rf"\b{name}\b", text)]
    assert not unseen, f"in no test: {', '.join(unseen)}"


def test_the_picture_on_top_shows_the_whole_tree() -> None:
    picture = errors.__doc__ or ""
    assert [name for name in error_classes() if not re.search(rf"\b{name}\b", picture)] == []
