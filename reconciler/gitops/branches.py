"""Which branch feeds which environment: the plain names and those of git-flow. Pure.

An environment has a list of patterns; the first that some branch matches decides, so that a branch
with the environment's own name wins over the git-flow name. Of several releases the newest by
semantic version counts, and only those that are open: not yet merged into production. A star in a
pattern stands for a version.
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from reconciler.gitops.refs import BRANCHES, is_ref
from reconciler.gitops.version import Version, parse_version

DEFAULT_PATTERNS: Mapping[str, Sequence[str]] = {
    "development": ("development", "develop"),
    "staging": ("staging", "release/v*", "hotfix/v*"),
    "production": ("production", "master", "main"),
}
JOURNAL = "reconciler/"
ROLLBACK = "rollback/"
PROMOTE = "promote/"
BACK_MERGE = "back-merge/"
ACCEPT = "accept/"
PLAN_ONLY = "feature/"
UNUSED = "support/"


class Role(enum.Enum):
    """What a branch is to the reconciler."""

    ENVIRONMENT = "environment"
    PLAN_ONLY = "plan only"
    UNUSED = "unused"
    OURS = "ours"


def environment_branches(
    heads: Iterable[str],
    patterns: Mapping[str, Sequence[str]] = DEFAULT_PATTERNS,
    *,
    merged: Collection[str] = (),
) -> dict[str, str]:
    """The branch that feeds each environment; an environment without a branch is left out.

    `heads` are the short names of all branches, `merged` those whose work is in production
    already: a release or hotfix among them is closed.
    """
    candidates = sorted(name for name in heads if not _is_ours(name))
    found = {
        environment: _first(candidates, choices, merged)
        for environment, choices in patterns.items()
    }
    return {environment: branch for environment, branch in found.items() if branch is not None}


def role_of(branch: str, patterns: Mapping[str, Sequence[str]] = DEFAULT_PATTERNS) -> Role:
    """What a branch is: an environment's, one to plan only, one of our own, or nothing to us."""
    if _is_ours(branch):
        return Role.OURS
    if any(_matches(branch, pattern) for choices in patterns.values() for pattern in choices):
        return Role.ENVIRONMENT
    return Role.PLAN_ONLY if branch.startswith(PLAN_ONLY) else Role.UNUSED


def pattern_problems(patterns: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """What is wrong with the operator's patterns, each with what to do about it."""
    return tuple(_problems(patterns))


def _problems(patterns: Mapping[str, Sequence[str]]) -> Iterator[str]:
    users: dict[str, str] = {}
    for environment, choices in patterns.items():
        if not choices:
            yield f"{environment} has no branch pattern; give at least one"
        for pattern in choices:
            if not is_ref(BRANCHES + pattern.replace("*", "0", 1)):
                yield f"{pattern!r} is no branch name; one star may stand for a version in it"
            if _is_ours(pattern):
                yield f"{pattern!r} names the branches that this program writes; name another"
            other = users.setdefault(pattern, environment)
            if other != environment:
                yield f"{pattern!r} is used by {other} and {environment}; a branch feeds one only"


def _first(
    candidates: Sequence[str], choices: Sequence[str], merged: Collection[str]
) -> str | None:
    for pattern in choices:
        if "*" not in pattern:
            if pattern in candidates:
                return pattern
            continue
        versions = {
            name: version
            for name in candidates
            if name not in merged and (version := _version(name, pattern)) is not None
        }
        if versions:
            return max(versions, key=lambda name: (versions[name], name))
    return None


def version_of(branch: str, patterns: Sequence[str]) -> Version | None:
    """The version in the name of a branch, by the first pattern that it matches; None if none."""
    found = (_version(branch, pattern) for pattern in patterns)
    return next((version for version in found if version is not None), None)


def _matches(branch: str, pattern: str) -> bool:
    return branch == pattern or _version(branch, pattern) is not None


def _version(branch: str, pattern: str) -> Version | None:
    """The version that stands where the pattern has its star; None if the branch does not match."""
    before, star, after = pattern.partition("*")
    if not (star and branch.startswith(before) and branch.endswith(after)):
        return None
    return parse_version(branch[len(before) : len(branch) - len(after)])


def _is_ours(branch: str) -> bool:
    return branch.startswith((JOURNAL, ROLLBACK, PROMOTE, BACK_MERGE, ACCEPT))
