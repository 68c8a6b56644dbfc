"""What a plan is about: a commit as it is, or what merging a branch would give."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.cli.choices import revision_of
from reconciler.cli.command import Failure
from reconciler.cli.repository import Repository
from reconciler.gitops.flow.proposal import Proposal, Side, propose
from reconciler.plan.show.background import Merge


@dataclass(frozen=True, slots=True)
class Subject:
    """What is planned for an environment. `merge` None: the commit as it is."""

    environment: str
    revision: str
    merge: Merge | None = None


def subject_of(
    repository: Repository,
    environment: str,
    branch: str | None,
    revision: str | None,
    *,
    merge: bool = True,
) -> Subject:
    """The commit that is meant; of a branch, what merging it into the environment's gives.

    Raises:
        Failure: there is no such branch or commit, or nothing to merge it into.
        ConfigError: the branches conflict, or have no history in common.
    """
    commit = revision_of(repository, environment, branch, revision)
    target = repository.source.branches().get(environment)
    if branch is None or not merge or branch == target:
        return Subject(environment, commit)
    if target is None:
        raise Failure(
            f"{repository.mirror.remote} has no branch of {environment} that {branch} could be "
            "merged into; push one, name the repository that has it (--repo; of a clone only its "
            "own branches count, not origin's), or plan the branch as it is with --no-merge"
        )
    return proposed(repository, environment, Side(branch, commit), target)


def proposed(repository: Repository, environment: str, branch: Side, target: str) -> Subject:
    """What merging a branch into the head of another gives, as last fetched.

    Raises:
        ConfigError: the branches conflict, or have no history in common.
        KeyError: there is no such target.
    """
    base = Side(target, repository.mirror.heads()[target])
    made = propose(repository.mirror.git(), branch, base)
    return Subject(environment, made.revision, _merge(made))


def unmerged(repository: Repository, branch: Side, target: str) -> Merge:
    """What there is to merge, whether or not it can be."""
    return Merge(branch.name, branch.commit, target, repository.mirror.heads()[target])


def _merge(made: Proposal) -> Merge:
    branch, target = made.branch, made.target
    return Merge(branch.name, branch.commit, target.name, target.commit, made.is_merged)
