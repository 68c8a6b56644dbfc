"""Tests put nothing in place of our own code: where that is wanted, a port is missing."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from tests.meta.conftest import Source

MOCKS = ("mock", "unittest.mock", "pytest_mock")


def patches(tree: ast.Module) -> Iterator[int]:
    """The lines that replace something of ours, or import what does."""
    ours = set(_names_of_ours(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            if any(name in MOCKS for name in _imported(node)):
                yield node.lineno
        elif isinstance(node, ast.Call) and _replaces(node, ours):
            yield node.lineno


def _imported(node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    for name in node.names:
        if isinstance(node, ast.ImportFrom):
            yield node.module or ""
            yield f"{node.module}.{name.name}"
        else:
            yield name.name


def _names_of_ours(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                if name.name.split(".")[0] == "reconciler":
                    yield name.asname or "reconciler"
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("reconciler"):
            yield from (name.asname or name.name for name in node.names)


def _replaces(call: ast.Call, ours: set[str]) -> bool:
    if not isinstance(call.func, ast.Attribute) or not call.args:
        return False
    if call.func.attr not in {"setattr", "delattr", "setitem", "patch"}:
        return False
    target = call.args[0]
    if isinstance(target, ast.Constant):
        return str(target.value).startswith("reconciler")
    return ast.unparse(target).split(".")[0] in ours


def test_no_test_replaces_our_own_code(tests: tuple[Source, ...]) -> None:
    found = [f"{source.path}:{line}" for source in tests for line in patches(source.tree)]
    assert found == []


@pytest.mark.parametrize(
    "seeded",
    [
        "from unittest import mock",
        "from unittest.mock import patch",
        "import unittest.mock",
        "monkeypatch.setattr('reconciler.engine.apply.run', fake)",
        "from reconciler.engine import apply\nmonkeypatch.setattr(apply, 'run', fake)",
        "import reconciler.engine\nmonkeypatch.setattr(reconciler.engine, 'apply', fake)",
        "from reconciler.model import Address\nmonkeypatch.delattr(Address, 'kind')",
    ],
)
def test_a_seeded_patch_is_found(seeded: str) -> None:
    assert list(patches(ast.parse(seeded)))


@pytest.mark.parametrize(
    "innocent",
    ["monkeypatch.setattr('os.fsync', fail)", "monkeypatch.setenv('HOME', path)"],
)
def test_a_fault_of_the_system_may_be_planted(innocent: str) -> None:
    assert not list(patches(ast.parse(innocent)))
