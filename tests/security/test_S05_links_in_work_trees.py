"""S05: what is written into a work tree stays in it, whatever links lie there, ignored by git."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.cli.acceptance import Acceptance, write_into


@pytest.mark.parametrize("text", ["new: 1\n", None], ids=["written", "removed"])
@pytest.mark.parametrize("path", ["vms/web-1.yaml", "vms/new.yaml", "linked.yaml"])
def test_nothing_is_written_or_removed_through_a_link(
    tmp_path: Path, path: str, text: str | None
) -> None:
    root, outside = tmp_path / "tree", tmp_path / "outside"
    for each in (root, outside):
        each.mkdir()
    (outside / "web-1.yaml").write_text("old: 1\n")
    (root / "vms").symlink_to(outside)
    (root / "linked.yaml").symlink_to(outside / "web-1.yaml")
    with pytest.raises(OSError, match="symbolic link"):
        write_into(root, Acceptance("production", "domain/web-1", "web-1", {path: text}))
    assert [each.read_text() for each in outside.iterdir()] == ["old: 1\n"]
    assert (root / "linked.yaml").is_symlink()
