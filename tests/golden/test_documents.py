"""What is said of bad documents and of whole bad trees, word for word.

Each folder of `documents` has a `tree` and what must be said of it for each of its environments,
or, if it loads, where each value of its machines was decided.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.config.load import environments_of, load
from reconciler.config.repository import Documents
from reconciler.errors import ConfigError
from tests.conftest import Golden
from tests.documents.corpus import FileTree, corpus, files_below, name_of, place_of, with_marks

BAD = corpus("bad")
CASES = sorted(path for path in (Path(__file__).parent / "documents").iterdir() if path.is_dir())


def test_there_are_cases() -> None:
    assert len(BAD) >= 120
    assert len(CASES) >= 6


@pytest.mark.parametrize("path", BAD, ids=name_of)
def test_a_bad_document_gives_its_problems_and_no_others(path: Path, golden: Golden) -> None:
    text = with_marks(place_of(path), path.read_text(encoding="utf-8"))
    assert text.startswith("#!"), "it loads, and should not"
    golden(path, text)


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)
def test_what_is_said_of_a_tree(case: Path, golden: Golden) -> None:
    tree = FileTree(files_below(case / "tree"))
    for environment in environments_of(tree) or ("production",):
        try:
            told = decisions(load(tree, environment))
        except ConfigError as error:
            told = f"{error}\n"
        golden(case / f"{environment}.txt", told)


def decisions(documents: Documents) -> str:
    """Every value of every machine, and where it was decided."""
    lines = []
    for name, machine in sorted(documents.machines.items()):
        for path, value in sorted(leaves(machine.model_dump(mode="json"))):
            position = documents.position("VirtualMachine", name, *path)
            lines.append(f"{name} {'.'.join(path)}: {value} ({position})\n")
    return "".join(lines)


def leaves(value: object, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], object]]:
    if isinstance(value, dict):
        return [leaf for key, item in value.items() for leaf in leaves(item, (*path, key))]
    if isinstance(value, list):
        named = {item.get("name") or item.get("network"): item for item in value}
        return [leaf for key, item in named.items() for leaf in leaves(item, (*path, key))]
    return [(path, value)]
