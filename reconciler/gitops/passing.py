"""An environment that passes from one release branch to the next: no rewritten history.

With the names of git-flow an environment has one branch after another. The next need not descend
from the one that was applied, and between two releases there is none. Both are well if the work
that was applied has reached production: then nothing is lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.gitops.branches import version_of
from reconciler.gitops.git import Git
from reconciler.gitops.lineage import has_arrived, merge_base


@dataclass(frozen=True, slots=True)
class Passage:
    """What was applied from which branch, and what there is to follow now.

    `was` is empty if it is not known; without an open branch `branch` and `head` are None.
    `production` is the head of production's branch.
    """

    applied: str
    was: str
    branch: str | None
    head: str | None
    production: str | None
    patterns: Sequence[str]


def passes_on(git: Git, passage: Passage) -> bool:
    """Whether another branch may be followed although it does not descend from what was applied.

    Raises:
        SourceError: a commit is missing or broken.
    """
    return (
        passage.production is not None
        and _is_next(passage)
        and git.has_commit(passage.applied)
        and has_arrived(git, passage.applied, passage.production)
        and (passage.head is None or merge_base(git, passage.applied, passage.head) is not None)
    )


def _is_next(passage: Passage) -> bool:
    """Whether the branch is one of several, and not the one that was applied or an older one."""
    before = version_of(passage.was, passage.patterns)
    if passage.branch is None:
        return before is not None or (not passage.was and _has_versions(passage.patterns))
    now = version_of(passage.branch, passage.patterns)
    if now is None or passage.branch == passage.was:
        return False
    return before is None or now > before


def _has_versions(patterns: Sequence[str]) -> bool:
    return any("*" in pattern for pattern in patterns)
