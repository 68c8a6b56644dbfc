"""S19: a directory that becomes a link while an image is opened leads nowhere."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from reconciler.drivers.images.local import copy_file
from reconciler.drivers.images.rules import ImageRules
from reconciler.errors import Denied


@pytest.fixture
def rules(tmp_path: Path) -> ImageRules:
    """Images are below `allowed`; beside it lies what nobody may have."""
    for place in ("allowed/sub", "secret"):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "disk").write_text(place)
    return ImageRules(directories=(tmp_path / "allowed",))


def test_a_link_that_takes_the_place_of_a_directory_is_noticed(
    tmp_path: Path, rules: ImageRules, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest, sub = os.open, tmp_path / "allowed" / "sub"

    def swapping(path: Any, *arguments: Any, **options: Any) -> int:
        if Path(path) == sub / "disk" and not sub.is_symlink():
            sub.rename(tmp_path / "away")
            sub.symlink_to(tmp_path / "secret")
        return honest(path, *arguments, **options)

    monkeypatch.setattr(os, "open", swapping)
    taken: list[bytes] = []
    with pytest.raises(Denied, match="another place"):
        copy_file(str(sub / "disk"), rules, "fetch image x", taken.append)
    assert taken == []


def test_what_nobody_touches_is_read(tmp_path: Path, rules: ImageRules) -> None:
    taken: list[bytes] = []
    copy_file(str(tmp_path / "allowed/sub/disk"), rules, "fetch image x", taken.append)
    assert taken == [b"allowed/sub"]
