"""S15: connections to hosts are made in one place, which pins host keys and holds deadlines.

Fabric by itself accepts every host key and waits for ever on a frozen host.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.meta.conftest import Source

ALLOWED = Path("reconciler/drivers/ssh")


def connections(tree: ast.Module) -> Iterator[int]:
    """The lines that import fabric or paramiko, without which nobody has a connection of theirs."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules = [name.name for name in node.names]
        elif isinstance(node, ast.ImportFrom):
            modules = [node.module or ""]
        else:
            continue
        if any(module.split(".")[0] in {"fabric", "paramiko"} for module in modules):
            yield node.lineno


def test_connections_are_made_in_one_place(product: tuple[Source, ...]) -> None:
    found = [
        f"{source.path}:{line}"
        for source in product
        if not source.path.is_relative_to(ALLOWED)
        for line in connections(source.tree)
    ]
    assert found == []


@pytest.mark.parametrize(
    "seeded",
    [
        "import fabric",
        "from fabric.connection import Connection",
        "import paramiko.client",
    ],
)
def test_a_seeded_connection_is_found(seeded: str) -> None:
    assert list(connections(ast.parse(seeded)))
