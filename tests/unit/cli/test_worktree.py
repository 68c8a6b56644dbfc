"""Files of a person's work tree are written together, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.cli.worktree import write_files

FILES = {"old.yaml": "new\n", "more/new.yaml": "new\n"}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "old.yaml").write_bytes(b"old\r\n\xff")
    return tmp_path


def test_all_are_written(tree: Path) -> None:
    write_files(tree, FILES, lambda: None)
    assert {path: (tree / path).read_text("utf-8") for path in FILES} == FILES


def test_none_is_written_if_the_result_is_wrong(tree: Path) -> None:
    def refuse() -> None:
        assert (tree / "more/new.yaml").exists()
        raise ValueError("wrong")

    with pytest.raises(ValueError, match="wrong"):
        write_files(tree, FILES, refuse)
    assert (tree / "old.yaml").read_bytes() == b"old\r\n\xff"
    assert not (tree / "more/new.yaml").exists()


def test_none_is_written_if_one_cannot_be(tree: Path) -> None:
    with pytest.raises(OSError, match=r"old\.yaml"):
        write_files(tree, {**FILES, "old.yaml/below.yaml": "x"}, lambda: None)
    assert (tree / "old.yaml").read_bytes() == b"old\r\n\xff"
    assert not (tree / "more/new.yaml").exists()
