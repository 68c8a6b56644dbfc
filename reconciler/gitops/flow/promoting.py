"""A promotion put together from git and the journals, and brought about by a push.

The decision is made in `promotion`; here it is asked of the mirror what it depends on,
and the one commit or branch is made that follows from it. Nothing is ever forced.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from reconciler.errors import GuardRefused
from reconciler.gitops.branches import version_of
from reconciler.gitops.flow.lost_work import lost_work, violations
from reconciler.gitops.flow.promotion import (
    PROMOTES,
    Facts,
    Place,
    Way,
    message_of,
    promote_branch,
)
from reconciler.gitops.flow.undone import GitHistories, Undone
from reconciler.gitops.git import Git
from reconciler.gitops.lineage import follows, has_arrived, merge_base, missing, steps
from reconciler.gitops.merging import Maker, Merged, commit_tree, merge_trees, tree_of
from reconciler.gitops.refs import branch_ref, short
from reconciler.gitops.source import TOP, ConfigSource
from reconciler.gitops.transport import ORIGIN_TAGS, Refusal
from reconciler.gitops.version import Version, next_minor, parse_version, tag_name
from reconciler.plan.guards import Violation
from reconciler.plan.show.status import Status

Soaking = Callable[[Place, str, str], tuple[Violation, ...]]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody wants promoted; `commit` is what was Ready last unless one is named.

    `branch` is one that feeds no environment: its head goes on as it is, tried nowhere.
    """

    lower: str
    upper: str
    commit: str | None = None
    release: str | None = None
    branch: str | None = None


@dataclass(frozen=True, slots=True)
class Push:
    """What is to be pushed: a branch and its new head. `is_there`: the remote has it already."""

    branch: str
    commit: str
    is_there: bool = False


@dataclass(frozen=True)
class Grounds:
    """What a promotion is decided on; `now` knows its zone.

    `unsoaked` says what the soak gate has against a commit and its tree in the lower place.
    """

    source: ConfigSource
    recall: Callable[[str], Status]
    unsoaked: Soaking
    now: Callable[[], datetime]


def gather(grounds: Grounds, wanted: Wanted) -> Facts:
    """The facts of a promotion, as the mirror and the journals have them.

    Raises:
        SourceError: a commit is missing or broken.
        ValueError: the release is no version.
    """
    source, git = grounds.source, grounds.source.mirror.git()
    heads = source.mirror.heads()
    lower, upper = (_place(grounds, name, heads) for name in (wanted.lower, wanted.upper))
    if wanted.branch is not None:
        name, past = wanted.branch, Status(wanted.lower)
        lower = Place(name, name, heads.get(name), past, is_followed=False)
    now = grounds.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    commit = wanted.commit or lower.past.ready_revision or ""
    commit = (lower.head or "") if wanted.branch is not None else commit
    if not commit:
        return Facts(lower, upper, now, "")
    release, newest, upper = _release(git, source, wanted, upper, heads)
    tree = tree_of(git, commit)
    known = upper.head or source.head_of(TOP)
    merged = _merge(git, upper.head, commit)
    return Facts(
        lower=lower,
        upper=upper,
        now=now,
        commit=commit,
        tree=tree,
        comes=missing(git, known, commit) if known else steps(git, commit),
        apart=steps(git, upper.head, (commit,)) if upper.head else (),
        merged=merged,
        is_there=known is not None and has_arrived(git, commit, known),
        is_same_line=_is_same_line(git, merged, tree, upper.head, commit),
        unsoaked=grounds.unsoaked(lower, commit, tree),
        lost=_lost(git, upper, commit, merged),
        release=release,
        newest=tag_name(newest) if newest else "",
        is_older_release=_is_older(release, newest, upper),
    )


def way_of(facts: Facts, *, direct: bool) -> Way:
    """How the promotion is brought about."""
    if facts.release is not None:
        return Way.RELEASE
    return Way.DIRECT if direct else Way.BRANCH


def prepare(git: Git, facts: Facts, way: Way, heads: Mapping[str, str], maker: Maker) -> Push:
    """Make what is to be pushed; it exists for nobody until that is done.

    Raises:
        GuardRefused: the branch to push to has work of other people.
        SourceError: git failed, or there is no room.
    """
    if way is Way.BRANCH:
        return _branch(git, facts, heads, maker)
    if way is Way.RELEASE:
        return _onto_release(git, facts, maker)
    head, branch = facts.upper.head, facts.upper.branch
    if head is None or branch is None:
        raise ValueError("without a branch nothing can be merged")
    merge = commit_tree(git, facts.tree, (head, facts.commit), message_of(facts), maker)
    return Push(branch, merge)


def push(source: ConfigSource, made: Push) -> Refusal | None:
    """Push it; gives why the remote refused, if it did.

    Raises:
        SourceUnavailable: the remote did not answer.
    """
    if made.is_there:
        return None
    ref = branch_ref(made.branch)
    return source.mirror.publish({ref: made.commit}).get(ref)


def versions(git: Git, heads: Iterable[str]) -> set[Version]:
    """All versions that are tagged, or that a release or hotfix branch is named after."""
    tags = (name.removeprefix(ORIGIN_TAGS) for name in git.refs(ORIGIN_TAGS))
    named = (name.partition("/")[2] for name in heads if name.startswith(("release/", "hotfix/")))
    return {version for name in (*tags, *named) if (version := parse_version(name)) is not None}


def _place(grounds: Grounds, environment: str, heads: Mapping[str, str]) -> Place:
    branch = grounds.source.branches().get(environment)
    head = heads.get(branch) if branch else None
    return Place(environment, branch, head, grounds.recall(environment))


def _release(
    git: Git, source: ConfigSource, wanted: Wanted, upper: Place, heads: Mapping[str, str]
) -> tuple[str | None, Version | None, Place]:
    """The release branch that the promotion makes or brings up, if the upper one has such."""
    pattern = source.release_pattern(wanted.upper, heads)
    newest = max(versions(git, heads), default=None)
    if pattern is None:
        if wanted.release is not None:
            raise ValueError(
                f"{wanted.upper} is fed by the branch {upper.branch or wanted.upper}, "
                "not by release branches; leave --release out"
            )
        return None, newest, upper
    is_open = upper.branch is not None and version_of(upper.branch, (pattern,)) is not None
    if wanted.release is None and is_open:
        return upper.branch, newest, upper
    name = pattern.replace("*", _version_text(wanted.release, newest))
    return name, newest, Place(upper.environment, name, heads.get(name), upper.past)


def _version_text(given: str | None, newest: Version | None) -> str:
    version = next_minor(newest) if given is None else parse_version(given)
    if version is None:
        raise ValueError(f"{given!r} is no version; write it as v1.4.0")
    return tag_name(version).removeprefix("v")


def _is_older(release: str | None, newest: Version | None, upper: Place) -> bool:
    version = parse_version(release.rpartition("/")[2]) if release else None
    if version is None or newest is None or upper.head is not None:
        return False
    return version <= newest


def _merge(git: Git, head: str | None, commit: str) -> Merged | None:
    if head is None or git.is_ancestor(head, commit):
        return None
    return merge_trees(git, head, commit)


def _is_same_line(
    git: Git, merged: Merged | None, tree: str, head: str | None, commit: str
) -> bool:
    """Whether the upper branch has only what the lower had, under other ids: after squashing."""
    if merged is None or head is None or (merged.is_clean and merged.tree == tree):
        return False
    base = merge_base(git, head, commit)
    if base is None or GitHistories(git).undone_between(head, (commit,)):
        return False
    theirs = (step.tree for step in steps(git, head, (commit,), first_parent=True))
    ours = (tree_of(git, base), *(step.tree for step in steps(git, commit, (base,))))
    return follows(theirs, ours)


def _lost(git: Git, upper: Place, commit: str, merged: Merged | None) -> tuple[Violation, ...]:
    if upper.head is None:
        return ()
    histories = GitHistories(git)
    known = []
    for each in upper.past.quarantined:
        if git.has_commit(each.commit) and git.has_commit(each.good):
            found = histories.restorer(each.commit, each.good, upper.head)
            known += [Undone(found, each.commit, each.good)] if found else []
    result = merged.tree if merged and merged.is_clean else None
    lost = lost_work(histories, commit, upper.head, result, known)
    return violations(lost, upper.branch or upper.environment)


def _branch(git: Git, facts: Facts, heads: Mapping[str, str], maker: Maker) -> Push:
    lower, upper = facts.lower, facts.upper
    if _is_made_to_merge(lower, facts):
        return Push(lower.branch or "", facts.commit, is_there=True)
    branch = promote_branch(lower.environment, upper.environment)
    commit = facts.commit
    if facts.is_same_line and upper.head:
        commit = commit_tree(git, facts.tree, (commit, upper.head), message_of(facts), maker)
    old = heads.get(branch)
    if old is None or git.is_ancestor(old, commit):
        return Push(branch, commit, is_there=old == commit)
    if tree_of(git, old) == facts.tree and git.is_ancestor(facts.commit, old):
        return Push(branch, old, is_there=True)
    if not _is_ours(git, old, (facts.commit, *([upper.head] if upper.head else []))):
        raise GuardRefused([_not_ours(branch, facts)])
    return Push(branch, commit_tree(git, facts.tree, (commit, old), message_of(facts), maker))


def _is_made_to_merge(lower: Place, facts: Facts) -> bool:
    """Whether the lower branch itself is what a pull request is opened from."""
    named = (lower.branch or "").startswith(("release/", "hotfix/"))
    return named and lower.head == facts.commit and not facts.is_same_line


def _is_ours(git: Git, head: str, known: tuple[str, ...]) -> bool:
    """Whether only promotions have put commits on a branch that are nowhere else."""
    info = GitHistories(git).info
    return all(info(step.commit).one(PROMOTES) for step in steps(git, head, known))


def _not_ours(branch: str, facts: Facts) -> Violation:
    lower = facts.lower.branch or facts.lower.environment
    return Violation(
        "promote-branch",
        f"{branch} cannot be moved on to {short(facts.commit)}: somebody committed to it, or "
        f"{lower} was rewritten since",
        f"see what is on it (git log origin/{lower}..origin/{branch}), then take it away and "
        f"promote again: git push origin --delete {branch}",
    )


def _onto_release(git: Git, facts: Facts, maker: Maker) -> Push:
    if facts.release is None:
        raise ValueError("there is no release to bring up")
    head = facts.upper.head
    if head is None or git.is_ancestor(head, facts.commit):
        return Push(facts.release, facts.commit, is_there=head == facts.commit)
    parents = (head, facts.commit)
    return Push(facts.release, commit_tree(git, facts.tree, parents, message_of(facts), maker))
