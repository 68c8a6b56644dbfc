from __future__ import annotations

import pytest

from reconciler.errors import HistoryRewritten
from reconciler.gitops.history import check_descends

OLD, APPLIED, NEW, OTHER = "1" * 40, "2" * 40, "3" * 40, "4" * 40
GONE = "5" * 40


class Line:
    """A history of three commits in a row and one beside it."""

    def has_commit(self, sha: str) -> bool:
        return sha != GONE

    def is_ancestor(self, old: str, new: str) -> bool:
        return OTHER not in {old, new} and old <= new

    def count_between(self, old: str, new: str) -> int:
        return int(new[0]) - int(old[0])


@pytest.mark.parametrize("head", [APPLIED, NEW])
def test_a_head_that_contains_what_was_applied_may_follow(head: str) -> None:
    check_descends(Line(), "production", APPLIED, head)


@pytest.mark.parametrize(
    ("applied", "head", "words"),
    [
        (APPLIED, None, "its branch is gone"),
        (APPLIED, OLD, "moved back by 1 commit, to 1111111"),
        (NEW, OLD, "moved back by 2 commits"),
        (APPLIED, OTHER, "was rewritten"),
        (GONE, NEW, "no branch leads to it any more"),
    ],
)
def test_any_other_head_is_refused_with_the_ways_out(
    applied: str, head: str | None, words: str
) -> None:
    with pytest.raises(HistoryRewritten) as caught:
        check_descends(Line(), "production", applied, head)
    said = str(caught.value)
    assert said.startswith(f"production: {applied[:7]} is applied, but ")
    assert words in said
    assert "Restore the branch" in said
    assert "reconciler sync --environment production --accept-history" in said
