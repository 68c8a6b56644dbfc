"""S25: a branch that was forced, reset, deleted or imitated holds its environment and says why."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reconciler.errors import HistoryRewritten
from reconciler.gitops.branches import environment_branches
from reconciler.gitops.history import check_descends
from reconciler.gitops.mirror import Mirror
from tests.remotes.origin import Origin
from tests.remotes.writers import mirror_of


@pytest.fixture
def origin(tmp_path: Path) -> Origin:
    origin = Origin(tmp_path / "origin.git")
    for number in range(4):
        origin.commit("production", {"farm.yaml": b"%d" % number})
    return origin


@pytest.fixture
def mirror(origin: Origin, tmp_path: Path) -> Iterator[Mirror]:
    with mirror_of(origin, tmp_path / "state") as mirror:
        yield mirror


def reset(origin: Origin) -> None:
    origin.git("update-ref", "refs/heads/production", "refs/heads/production~2")


def rebase(origin: Origin) -> None:
    base = origin.git("rev-parse", "production~2")
    origin.commit("production", {"farm.yaml": b"rebased"}, parents=(base,))


def amend(origin: Origin) -> None:
    base = origin.git("rev-parse", "production~1")
    origin.commit("production", {"farm.yaml": b"3"}, message="Amended", parents=(base,))


def orphan(origin: Origin) -> None:
    origin.commit("production", {"farm.yaml": b"new"}, parents=())


def delete(origin: Origin) -> None:
    origin.git("update-ref", "-d", "refs/heads/production")


REWRITES: dict[str, tuple[Callable[[Origin], None], str]] = {
    "reset --hard": (reset, "moved back by 2 commits"),
    "rebase": (rebase, "was rewritten"),
    "amend": (amend, "was rewritten"),
    "orphan": (orphan, "was rewritten"),
    "deleted": (delete, "its branch is gone"),
}


@pytest.mark.parametrize("how", REWRITES)
def test_a_rewritten_branch_is_refused_with_the_way_out(
    mirror: Mirror, origin: Origin, how: str
) -> None:
    rewrite, words = REWRITES[how]
    applied = mirror.heads()["production"]
    rewrite(origin)
    mirror.fetch()
    with pytest.raises(HistoryRewritten, match=words) as caught:
        check_descends(mirror, "production", applied, mirror.head("production"))
    assert applied[:7] in str(caught.value)
    assert "Restore the branch" in str(caught.value)


def test_a_merge_and_a_fast_forward_may_follow(mirror: Mirror, origin: Origin) -> None:
    applied = mirror.heads()["production"]
    side = origin.commit(
        "feature/x", {"vms/x": b"x"}, parents=(origin.git("rev-parse", applied + "~3"),)
    )
    merged = origin.commit("production", {"vms/x": b"x"}, parents=(applied, side))
    mirror.fetch()
    check_descends(mirror, "production", applied, merged)


def test_a_merge_whose_other_parent_was_applied_may_follow_too(
    mirror: Mirror, origin: Origin
) -> None:
    applied = mirror.heads()["production"]
    other = origin.commit("hotfix/v1", {"vms/x": b"x"}, parents=(applied + "~1",))
    merged = origin.commit("production", {}, parents=(other, applied))
    mirror.fetch()
    check_descends(mirror, "production", applied, merged)


def test_a_rewrite_after_the_mirror_was_lost_is_seen_too(origin: Origin, tmp_path: Path) -> None:
    """A new machine has never had the commit that was applied."""
    applied = origin.head("production") or ""
    orphan(origin)
    with (
        mirror_of(origin, tmp_path / "new") as mirror,
        pytest.raises(HistoryRewritten, match="no branch leads to it any more"),
    ):
        check_descends(mirror, "production", applied, mirror.head("production"))


@pytest.mark.parametrize(
    "ref", ["refs/tags/production", "refs/tags/heads/production", "refs/x/production"]
)
def test_no_other_ref_is_taken_for_the_branch(mirror: Mirror, origin: Origin, ref: str) -> None:
    head = mirror.heads()["production"]
    evil = origin.commit("evil", {"farm.yaml": b"evil"}, parents=())
    origin.git("update-ref", ref, evil)
    assert mirror.poll()["production"] == head
    assert mirror.fetch()["production"] == head
    delete(origin)
    assert "production" not in mirror.poll()
    assert "production" not in environment_branches(mirror.fetch())


def test_replaced_objects_do_not_replace_history(mirror: Mirror, origin: Origin) -> None:
    """`refs/replace` lets git show another commit under the same id."""
    applied = mirror.heads()["production"]
    evil = origin.commit("evil", {"farm.yaml": b"evil"}, parents=())
    mirror.fetch()
    mirror.git().set_ref(f"refs/replace/{applied}", evil, None)
    blob = mirror.tree(applied).entries()["farm.yaml"]
    assert mirror.tree(applied).read([blob]) == {blob: b"3"}
