"""Whether a head may follow what was applied: only if it descends from it."""

from __future__ import annotations

from typing import Protocol

from reconciler.errors import HistoryRewritten
from reconciler.gitops.refs import short


class Histories(Protocol):
    """What is asked of a mirror."""

    def has_commit(self, sha: str) -> bool:
        """Whether the commit is in the mirror."""
        ...

    def is_ancestor(self, old: str, new: str) -> bool:
        """Whether `new` is `old` or descends from it."""
        ...

    def count_between(self, old: str, new: str) -> int:
        """How many commits lead to `new` and not to `old`."""
        ...


def check_descends(mirror: Histories, environment: str, applied: str, head: str | None) -> None:
    """See that the head of an environment's branch contains the commit that was applied last.

    Raises:
        HistoryRewritten: it does not: the branch was deleted, moved back, or rewritten.
    """
    if head == applied:
        return
    if head is None:
        found = "its branch is gone"
    elif not mirror.has_commit(applied):
        found = (
            f"the new head {short(head)} does not contain it, and no branch leads to it any more"
        )
    elif mirror.is_ancestor(applied, head):
        return
    elif mirror.is_ancestor(head, applied):
        count = mirror.count_between(head, applied)
        commits = "1 commit" if count == 1 else f"{count} commits"
        found = f"the branch was moved back by {commits}, to {short(head)}"
    else:
        found = f"the branch was rewritten: its head {short(head)} does not descend from it"
    raise HistoryRewritten(
        f"{environment}: {short(applied)} is applied, but {found}; the environment is held there. "
        "Restore the branch so that it contains that commit (undo unwanted changes by a new commit,"
        f" as `git revert` does), or accept the branch as it is: "
        f"reconciler sync --environment {environment} --accept-history"
    )
