"""S26: a remote that is set back, or an old mirror of it, is never followed back."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.errors import HistoryRewritten
from reconciler.gitops.history import check_descends
from tests.remotes.origin import Origin, git
from tests.remotes.writers import mirror_of


@pytest.mark.parametrize("steps", [1, 5])
def test_an_older_head_is_refused_and_the_newer_one_taken_again(tmp_path: Path, steps: int) -> None:
    origin = Origin(tmp_path / "origin.git")
    shas = [origin.commit("production", {"farm.yaml": b"%d" % number}) for number in range(7)]
    applied = shas[-1]
    with mirror_of(origin, tmp_path / "state") as mirror:
        mirror.keep("production", applied)
        origin.git("update-ref", "refs/heads/production", shas[-1 - steps])
        mirror.fetch()
        with pytest.raises(HistoryRewritten, match=f"moved back by {steps} commit"):
            check_descends(mirror, "production", applied, mirror.head("production"))
        origin.git("update-ref", "refs/heads/production", applied)
        mirror.fetch()
        check_descends(mirror, "production", applied, mirror.head("production"))


def test_an_old_copy_of_the_repository_is_refused(tmp_path: Path) -> None:
    origin = Origin(tmp_path / "origin.git")
    origin.commit("production", {"farm.yaml": b"old"})
    git(tmp_path, "clone", "--quiet", "--mirror", origin.url, "old.git")
    applied = origin.commit("production", {"farm.yaml": b"new"})
    with mirror_of(origin, tmp_path / "state"):
        pass
    with (
        mirror_of(str(tmp_path / "old.git"), tmp_path / "state") as mirror,
        pytest.raises(HistoryRewritten, match="moved back by 1 commit"),
    ):
        check_descends(mirror, "production", applied, mirror.head("production"))
