"""The source tree as the meta tests see it: each Python file with its text and syntax tree."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Source:
    """One Python file; the path is relative to the checkout."""

    path: Path
    text: str
    tree: ast.Module


def read_sources(folder: str) -> Iterator[Source]:
    """Every Python file below a folder of the checkout, in order."""
    for file in sorted((ROOT / folder).rglob("*.py")):
        text = file.read_text(encoding="utf-8")
        yield Source(file.relative_to(ROOT), text, ast.parse(text, filename=str(file)))


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def product() -> tuple[Source, ...]:
    """The program."""
    return tuple(read_sources("reconciler"))


@pytest.fixture(scope="session")
def tests() -> tuple[Source, ...]:
    """Its tests."""
    return tuple(read_sources("tests"))
