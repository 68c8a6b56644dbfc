"""Which environment and which commit a command is about."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from reconciler.cli.command import Failure
from reconciler.cli.repository import Repository
from reconciler.config.settings import ENVIRONMENTS
from reconciler.gitops.branches import environment_branches
from reconciler.gitops.mirror import Mirror
from reconciler.gitops.refs import is_ref
from reconciler.gitops.transport import ORIGIN_TAGS
from reconciler.kinds import KIND_BY_NAME
from reconciler.model.address import Address

F = TypeVar("F", bound=Callable[..., Any])
_HEX = re.compile(r"\A[0-9a-f]{4,40}\Z")

environment_option = click.option(
    "-e",
    "--environment",
    type=click.Choice(ENVIRONMENTS),
    help="Which environment. May be left out where there is only one.",
)
only_environment_option = click.option(
    "-e", "--environment", type=click.Choice(ENVIRONMENTS), help="Only this environment."
)
branch_option = click.option(
    "--branch", metavar="BRANCH", help="The head of this branch instead of the environment's."
)
revision_option = click.option(
    "--revision", metavar="REV", help="This commit: its id or the first digits of it, or a tag."
)


def environment_of(repository: Repository, wanted: str | None, branch: str | None = None) -> str:
    """The environment that is meant: the one given, the branch's own, or the only one.

    Raises:
        Failure: it is not clear which.
    """
    if wanted is not None:
        return wanted
    patterns = repository.settings.branches.by_environment()
    if branch is not None:
        meant = [name for name, each in environment_branches((branch,), patterns).items() if each]
        if meant:
            return meant[0]
    with_branch = environment_branches(repository.mirror.heads(), patterns)
    candidates = [each for each in repository.settings.environments if each in with_branch]
    if len(candidates) == 1:
        return candidates[0]
    raise Failure(
        "which environment? Give one of "
        + ", ".join(f"--environment {name}" for name in candidates or ENVIRONMENTS)
    )


def revision_of(
    repository: Repository, environment: str, branch: str | None, revision: str | None
) -> str:
    """The full id of the commit that is meant.

    Raises:
        Failure: there is no such branch or commit.
        Stalled: the environment has no branch.
    """
    if branch is not None and revision is not None:
        raise Failure("give --branch or --revision, not both")
    if revision is not None:
        return commit_of(repository.mirror, revision)
    if branch is not None:
        return _head(repository.mirror, branch)
    return repository.source.head(environment, "")


def _head(mirror: Mirror, branch: str) -> str:
    heads = mirror.heads()
    if branch not in heads:
        raise Failure(f"{mirror.remote} has no branch {branch}; it has {_some(sorted(heads))}")
    return heads[branch]


def commit_of(mirror: Mirror, revision: str) -> str:
    """The commit of a tag, or of an id that may be shortened. Nothing else is handed to git."""
    tag = ORIGIN_TAGS + revision
    for name in ([tag] if is_ref(tag) else []) + ([revision] if _HEX.match(revision) else []):
        finished = mirror.git().attempt(
            "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"
        )
        if finished.returncode == 0:
            return finished.output.decode().strip()
    raise Failure(
        f"{mirror.remote} has no commit or tag {revision!r}; give the id of a commit that was "
        "pushed, at least its first 4 digits"
    )


def _some(names: Sequence[str], most: int = 8) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if names[most:] else "")


def resource_of(text: str) -> Address:
    """The resource that is meant, written as `drift` shows it.

    Raises:
        Failure: that is no address, or there is no such kind.
    """
    try:
        address = Address.parse(text)
    except ValueError as error:
        raise Failure(str(error)) from error
    if address.kind not in KIND_BY_NAME:
        raise Failure(f"there is no kind {address.kind}; kinds are {', '.join(KIND_BY_NAME)}")
    return address
