"""S08: no value from outside reaches the command line of git, because nothing composes one.

`repo.git.fetch(value)` runs whatever an option in the value says. Commands are composed in one
place, which checks what it is given; this rule finds every other.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.meta.conftest import Source

ALLOWED = frozenset(
    {
        Path("reconciler/gitops/git.py"),
        Path("reconciler/gitops/directory.py"),  # lists the files of a person's checkout
    }
)


def raw_commands(tree: ast.AST) -> Iterator[int]:
    """The lines that reach past GitPython's checked interface, or compose a git command."""
    classes = set(_command_classes(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.expr) and _is_raw(node, classes):
            yield node.lineno


def _is_raw(node: ast.expr, classes: set[str]) -> bool:
    if isinstance(node, ast.Attribute):  # repo.git.fetch
        return _is_interface(node.value)
    if isinstance(node, ast.Call):  # getattr(repo.git, name), git.Git(path), Git(path)
        return any(map(_is_interface, node.args)) or _name(node.func) in classes
    return isinstance(node, ast.List | ast.Tuple) and _is_command(node)


def _command_classes(tree: ast.AST) -> Iterator[str]:
    yield from ("git.Git", "git.cmd.Git")
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module in {"git", "git.cmd"}:
            yield from (name.asname or name.name for name in node.names if name.name == "Git")


def _is_interface(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "git"


def _name(node: ast.expr) -> str:
    return ast.unparse(node) if isinstance(node, ast.Name | ast.Attribute) else ""


def _is_command(node: ast.List | ast.Tuple) -> bool:
    first = node.elts[0] if node.elts else None
    return isinstance(first, ast.Constant) and first.value in {"git", "/usr/bin/git"}


def test_git_commands_are_composed_in_one_place(product: tuple[Source, ...]) -> None:
    found = [
        f"{source.path}:{line}"
        for source in product
        if source.path not in ALLOWED
        for line in raw_commands(source.tree)
    ]
    assert found == []


def test_what_is_allowed_to_is_there(root: Path) -> None:
    assert [str(path) for path in ALLOWED if not (root / path).is_file()] == []


@pytest.mark.parametrize(
    "seeded",
    [
        "repo.git.fetch('origin', value)",
        "self._repo.git.log('--output=F')",
        "command = repo.git.checkout",
        "getattr(repo.git, name)(value)",
        "git.Git(path).clone(value)",
        "from git import Git as G; G(path).execute(options)",
        "subprocess.run(['git', 'fetch', value])",
        "subprocess.run(('git', 'fetch', value))",
    ],
)
def test_a_seeded_violation_is_found(seeded: str) -> None:
    assert list(raw_commands(ast.parse(seeded)))


@pytest.mark.parametrize(
    "innocent",
    ["git.Repo(path)", "repo.commit(sha)", "import git.exc", "name = 'git'", "Git(path)"],
)
def test_the_checked_interface_is_free(innocent: str) -> None:
    assert not list(raw_commands(ast.parse(innocent)))
