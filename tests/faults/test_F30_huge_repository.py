"""F30: a huge repository. What is not needed is not read, and what is too large is refused."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.errors import ConfigError, SourceUnavailable
from reconciler.gitops.mirror import Mirror
from tests.remotes.origin import Origin
from tests.remotes.writers import mirror_of


def stored(directory: Path) -> dict[str, int]:
    """Every file of the object database and its size."""
    found = (path for path in (directory / "objects").rglob("*") if path.is_file())
    return {str(path): path.stat().st_size for path in found}


def test_a_poll_reads_no_object(tmp_path: Path) -> None:
    origin = Origin(tmp_path / "origin.git")
    origin.commit("production", {f"vms/{number}": b"x" for number in range(500)})
    with mirror_of(origin, tmp_path / "state") as mirror:
        before = stored(mirror.git().directory)
        heads = mirror.poll()
        head = origin.commit("production", {"farm.yaml": b"new"})
        assert mirror.poll() == {"production": head} != heads
        assert stored(mirror.git().directory) == before


def test_hundreds_of_branches_are_polled_at_once(tmp_path: Path) -> None:
    origin = Origin(tmp_path / "origin.git")
    head = origin.commit("production", {"farm.yaml": b"x"})
    updates = "".join(f"create refs/heads/feature/f{number} {head}\n" for number in range(500))
    origin.git("update-ref", "--stdin", given=updates.encode())
    with mirror_of(origin, tmp_path / "state") as mirror:
        assert len(mirror.poll()) == len(mirror.heads()) == 501


def test_a_tree_of_a_hundred_thousand_files_is_refused_before_it_is_read(tmp_path: Path) -> None:
    origin = Origin(tmp_path / "origin.git")
    files = {f"d{number // 1000}/f{number}": b"x" for number in range(100_000)}
    head = origin.commit("production", files)
    with (
        mirror_of(origin, tmp_path / "state") as mirror,
        pytest.raises(ConfigError, match="more than 5,000 files"),
    ):
        mirror.tree(head).entries()


def test_a_repository_beyond_the_limit_leaves_no_half_behind(tmp_path: Path) -> None:
    origin = Origin(tmp_path / "origin.git")
    origin.commit("production", {"farm.yaml": b"x"})
    noise = {f"n{number}": f"{number * 7919 % 10007}".encode() * 40 for number in range(2000)}
    limited = Mirror(
        origin.url, tmp_path / "state", deadline=timedelta(seconds=20), pack_limit_bytes=30_000
    )
    with limited as mirror:
        good = mirror.fetch()
        origin.commit("production", noise)
        with pytest.raises(SourceUnavailable, match="raise the limit"):
            mirror.fetch()
        assert mirror.heads() == good
        assert sum(stored(mirror.git().directory).values()) < 30_000
