"""Which releases have reached production, and what is still to be done about them.

Derived from git each time, nothing is remembered: a release or hotfix branch whose work production
has is tagged there, and production is merged back into the branches below it. Only the names of
git-flow are looked at, and only versions above the newest tag that production has.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from reconciler.gitops.branches import BACK_MERGE, version_of
from reconciler.gitops.flow.undone import GitHistories
from reconciler.gitops.git import Git
from reconciler.gitops.lineage import Step, arrival_by_tree, steps
from reconciler.gitops.merging import Maker, commit_tree, merge_trees
from reconciler.gitops.message import compose, one_line
from reconciler.gitops.refs import check_object_id, check_ref, short
from reconciler.gitops.transport import ORIGIN_TAGS
from reconciler.gitops.version import Version, parse_version, tag_name

RELEASE_TRAILER = "Reconciler-Release"
LISTED = 100
LINE = 200
SUBJECT = 200
_NAMED = re.compile(
    r"(?:\bbranch '|\APromote |\bfrom '?(?:[A-Za-z0-9_.-]+/(?=release/|hotfix/))?)"
    r"(?P<name>(?:release|hotfix)/[A-Za-z0-9._+-]+)"
)
_REVERTED = re.compile(r"^This reverts commit [0-9a-f]{7,40}", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Release:
    """A release that production has: its branch, and the commit that brought it there."""

    version: Version
    branch: str
    commit: str

    @property
    def tag(self) -> str:
        """What it is tagged as."""
        return tag_name(self.version)


@dataclass(frozen=True, slots=True)
class Tagged:
    """The newest version that is tagged in a commit's history, and the commit that has the tag."""

    version: Version
    tag: str
    commit: str


@dataclass(frozen=True, slots=True)
class BackMerge:
    """Production merged back into a branch below: as `commit`, onto `branch` or beside it.

    `is_beside`: a person has to merge it, for this reason.
    """

    onto: str
    branch: str
    commit: str
    is_beside: bool
    reason: str = ""


def newest_tag(git: Git, commit: str) -> Tagged | None:
    """The newest version that is tagged in the history of a commit.

    Raises:
        SourceError: the commit is missing or broken.
    """
    finished = git.call(
        "reading tags",
        "for-each-ref",
        "--format=%(objectname) %(*objectname) %(refname)",
        f"--merged={check_object_id(commit)}",
        ORIGIN_TAGS,
    )
    found = []
    for line in finished.output.decode("utf-8", "replace").splitlines():
        own, peeled, ref = line.split(" ", 2)
        name = ref.removeprefix(ORIGIN_TAGS)
        if (version := parse_version(name)) is not None:
            found.append(Tagged(version, name, check_object_id(peeled or own)))
    return max(found, key=lambda each: each.version, default=None)


def unreleased(
    git: Git,
    production: str,
    heads: Mapping[str, str],
    patterns: Sequence[str],
    staged: tuple[str, str] = ("", ""),
) -> tuple[Release, ...]:
    """The releases that production has brought and nobody has tagged, the oldest first.

    `patterns` are staging's, `staged` is its branch with the commit that was Ready there: a release
    that production took by a fast-forward is told from a new, empty branch by that alone.

    Raises:
        SourceError: a commit is missing or broken.
    """
    newest = newest_tag(git, production)
    line = steps(git, production, (newest.commit,) if newest else (), first_parent=True, limit=LINE)
    found = dict(_named_in(line, patterns))
    for branch in heads.keys() & found.keys():
        del found[branch]  # the branch itself says where its work is
    for branch, head in heads.items():
        if version_of(branch, patterns) is not None:
            arrival = _arrival(git, head, line, is_staged=(branch, head) == staged)
            found |= {branch: arrival} if arrival else {}
    known = _tagged_versions(git)
    releases = (
        Release(version, branch, commit)
        for branch, commit in found.items()
        if (version := version_of(branch, patterns)) is not None
        and version not in known
        and (newest is None or version > newest.version)
    )
    return tuple(sorted(releases, key=lambda each: each.version))


def tag_object(git: Git, release: Release, maker: Maker) -> tuple[str, str]:
    """Make the annotated tag of a release; gives its id and what its message lists.

    Raises:
        SourceError: there is no room, or git failed otherwise.
    """
    before = newest_tag(git, release.commit)
    brought = steps(git, release.commit, (before.commit,) if before else (), limit=LISTED)
    changes = (step for step in reversed(brought) if not step.is_merge)
    listed = "\n".join(f"- {one_line(step.subject, SUBJECT)}" for step in changes)
    head = (
        f"object {release.commit}\ntype commit\ntag {release.tag}\ntagger ".encode()
        + maker.identity.signature(maker.time)
        + b"\n\n"
    )
    content = head + f"{release.tag}\n\n{listed}".rstrip().encode() + b"\n"
    if maker.key is not None:
        content += maker.key.sign(content) + b"\n"
    finished = git.call("making a tag", "hash-object", "-t", "tag", "-w", "--stdin", given=content)
    return check_object_id(finished.output.decode().strip()), listed


def back_merge(git: Git, onto: str, head: str, tagged: Tagged, maker: Maker) -> BackMerge | None:
    """The merge of a tagged commit of production into the branch `onto`; None if it has it.

    A rollback among what is merged is merged back by itself, keeping the files, before this.

    Raises:
        SourceError: a commit is missing or broken, or there is no room.
    """
    if git.is_ancestor(tagged.commit, head):
        return None
    histories = GitHistories(git)
    if histories.undone_between(tagged.commit, (head,)):
        return None
    beside = f"{BACK_MERGE}{onto}/{short(tagged.commit)}"
    merged = merge_trees(git, head, tagged.commit)
    if not merged.is_clean:
        reason = f"it conflicts in {', '.join(merged.conflicts[:5]) or 'everything'}"
        return BackMerge(onto, beside, tagged.commit, is_beside=True, reason=reason)
    message = compose(
        f"Merge {tagged.tag} back into {onto}",
        "",
        ((RELEASE_TRAILER, tagged.tag),),
        skip_ci=False,
    )
    commit = commit_tree(git, merged.tree, (head, tagged.commit), message, maker)
    if _reverts_something(git, tagged.commit, head):
        reason = "somebody reverted work in production, which would go from here too"
        return BackMerge(onto, beside, commit, is_beside=True, reason=reason)
    return BackMerge(onto, onto, commit, is_beside=False)


def beside(merge: BackMerge, tagged: Tagged, reason: str) -> BackMerge:
    """The same merge on a branch of its own, because the branch did not take it."""
    branch = f"{BACK_MERGE}{merge.onto}/{short(tagged.commit)}"
    return BackMerge(merge.onto, branch, merge.commit, is_beside=True, reason=reason)


def tag_ref(tag: str) -> str:
    """The full name of a tag."""
    return check_ref(f"refs/tags/{tag}")


def _named_in(line: Iterable[Step], patterns: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The releases that the subjects of merges name: their branches may be gone."""
    for step in line:
        match = _NAMED.search(step.subject)
        tells = step.is_merge or step.subject.startswith("Promote ")
        if match and tells and version_of(match["name"], patterns) is not None:
            yield match["name"], step.commit


def _arrival(git: Git, head: str, line: Sequence[Step], *, is_staged: bool) -> str | None:
    """The first commit of production's line that has the work of a branch."""
    commits = [step.commit for step in line]
    if not commits:
        return None
    if head in commits:
        return head if is_staged else None
    if not git.is_ancestor(head, commits[-1]):
        by_tree = arrival_by_tree(git, head, commits[-1])
        return by_tree if by_tree in commits else None
    before = line[0].parents[:1]
    if before and git.is_ancestor(head, before[0]):
        return None  # the line before it has it already: the branch brought nothing
    path = git.call(
        "listing commits",
        "rev-list",
        "--ancestry-path",
        "--end-of-options",
        commits[-1],
        "^" + check_object_id(head),
    )
    containing = set(path.output.decode().split())
    return next((commit for commit in commits if commit in containing), None)


def _tagged_versions(git: Git) -> frozenset[Version]:
    names = (name.removeprefix(ORIGIN_TAGS) for name in git.refs(ORIGIN_TAGS))
    return frozenset(version for name in names if (version := parse_version(name)) is not None)


def _reverts_something(git: Git, new: str, known: str) -> bool:
    info = GitHistories(git).info
    newer = steps(git, new, (known,), limit=LINE)
    return any(_REVERTED.search(info(step.commit).body) for step in newer)
