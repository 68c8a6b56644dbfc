"""What a branch would make of the branch that it is to be merged into.

The forge makes that commit when somebody presses the button; here it is made beforehand, in the
mirror and for nobody else. The same two commits always give the same one, so that whoever plans
twice plans the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from reconciler.errors import ConfigError
from reconciler.gitops.commits import log
from reconciler.gitops.git import Git
from reconciler.gitops.merging import Maker, commit_tree, merge_trees
from reconciler.gitops.stream import Identity
from reconciler.model.position import Position, Problem

ROOT_DOCUMENT = "farm.yaml"  # what has to do with the whole tree is said there
_NOBODY = Identity("reconciler", "reconciler@localhost")


@dataclass(frozen=True, slots=True)
class Side:
    """A branch of a merge: its name as people know it, and its commit."""

    name: str
    commit: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """`branch` merged into `target`, which is the commit `revision`.

    That is the branch's own commit if it has all of the target, the target's if that has all of
    the branch, and else a commit that only this mirror knows.
    """

    branch: Side
    target: Side
    revision: str

    @property
    def is_merged(self) -> bool:
        """Whether the target has all of the branch already, so that nothing is proposed."""
        return self.revision == self.target.commit


def propose(git: Git, branch: Side, target: Side) -> Proposal:
    """Merge a branch into its target as the forges would. Both commits are in the mirror.

    Raises:
        ConfigError: they conflict, with every file; or they have no history in common.
        SourceError: git failed, or objects are missing.
    """
    if git.is_ancestor(branch.commit, target.commit):
        return Proposal(branch, target, target.commit)
    if git.is_ancestor(target.commit, branch.commit):
        return Proposal(branch, target, branch.commit)
    merged = merge_trees(git, target.commit, branch.commit)
    if merged.is_unrelated:
        raise ConfigError([_unrelated(branch, target)])
    if merged.conflicts:
        raise ConfigError(_conflict(path, branch, target) for path in merged.conflicts)
    maker = Maker(_NOBODY, _later(git, branch, target))
    message = f"What merging {branch.commit} into {target.commit} would give\n".encode()
    parents = (target.commit, branch.commit)
    return Proposal(branch, target, commit_tree(git, merged.tree, parents, message, maker))


def _later(git: Git, *sides: Side) -> datetime:
    return max(log(git, side.commit, 1)[0].time for side in sides)


def _conflict(path: str, branch: Side, target: Side) -> Problem:
    return Problem(
        Position(path),
        f"merge conflict: {branch.name} and {target.name} changed it differently",
        f"merge {target.name} into {branch.name}, choose what is to be there, and push",
    )


def _unrelated(branch: Side, target: Side) -> Problem:
    return Problem(
        Position(ROOT_DOCUMENT),
        f"{branch.name} and {target.name} have no history in common, so they cannot be merged",
        f"begin a branch at {target.name} and bring the changes there, by git cherry-pick "
        "or by hand; in a shallow clone, fetch the whole history first",
    )
