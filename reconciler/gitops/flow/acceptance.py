"""A branch with changed files, made without a work tree and pushed for people to merge.

It never takes the place of another: a branch of that name that says something else stays, and the
new one gets a number.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from reconciler.gitops.merging import Maker, tree_of
from reconciler.gitops.mirror import Mirror
from reconciler.gitops.refs import BRANCHES
from reconciler.gitops.stream import Change, Draft, write_commits
from reconciler.gitops.transport import Refusal

MOST_OF_A_NAME = 20


@dataclass(frozen=True, slots=True)
class Offer:
    """A branch that is offered for merging. `refusal`: the remote did not take it, and why.

    `is_new`: it was not there before with just this content.
    """

    branch: str
    commit: str
    is_new: bool = True
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be offered: files on top of a commit; one without a text goes."""

    branch: str
    base: str
    files: Mapping[str, str | None]
    message: bytes


def offer(mirror: Mirror, work: Work, maker: Maker) -> Offer:
    """Commit the work and push it as a branch.

    Raises:
        SourceError: git failed, or the remote did not answer.
        ValueError: a path is not plain, or there are too many branches of that name already.
    """
    heads = mirror.heads()
    with mirror.writing() as git:
        signature = maker.identity.signature(maker.time)
        changes = tuple(_changes(work.files))
        commit = write_commits(
            git, work.base, (Draft(signature, signature, work.message, changes),)
        )
        for name in _names(work.branch):
            head = heads.get(name)
            if head is None:
                break
            if tree_of(git, head) == tree_of(git, commit):
                return Offer(name, head, is_new=False)
        else:
            too_many = f"there are {MOST_OF_A_NAME} branches {work.branch} already; delete some"
            raise ValueError(too_many)
    refused = mirror.publish({BRANCHES + name: commit})
    return Offer(name, commit, refusal=refused.get(BRANCHES + name))


def _changes(files: Mapping[str, str | None]) -> Iterator[Change]:
    for path, text in sorted(files.items()):
        yield Change(path, content=None if text is None else text.encode())


def _names(branch: str) -> Iterator[str]:
    yield branch
    yield from (f"{branch}-{number}" for number in range(2, MOST_OF_A_NAME + 1))
