"""Merges and commits made in the mirror: no index, no work tree, no ref.

What is made here exists for nobody until somebody pushes it. The merge is git's own (`ort`), which
is what the forges do when somebody presses the button.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from reconciler.gitops.git import Git
from reconciler.gitops.refs import check_object_id
from reconciler.gitops.signing import SigningKey, signed_commit
from reconciler.gitops.stream import Identity

_CONFLICTS = 1  # what `git merge-tree` exits with
_UNRELATED = 128


@dataclass(frozen=True, slots=True)
class Merged:
    """What a merge of two commits gives: a tree, or the paths that both changed differently."""

    tree: str
    conflicts: tuple[str, ...] = ()
    is_unrelated: bool = False

    @property
    def is_clean(self) -> bool:
        """Whether git needs nobody's help."""
        return not self.conflicts and not self.is_unrelated


@dataclass(frozen=True, slots=True)
class Maker:
    """Who commits, and when. `time` knows its zone. With a `key` the commit is signed."""

    identity: Identity
    time: datetime
    key: SigningKey | None = None


def merge_trees(git: Git, ours: str, theirs: str) -> Merged:
    """What merging `theirs` into `ours` gives. Both are commits that are here.

    Raises:
        SourceError: git failed, or objects are missing.
    """
    finished = git.attempt(
        "merge-tree",
        "--write-tree",
        "--name-only",
        "--no-messages",
        "-z",
        check_object_id(ours),
        check_object_id(theirs),
    )
    tree, *paths = finished.output.decode("utf-8", "backslashreplace").split("\0")
    if finished.cut is None and finished.returncode == 0:
        return Merged(check_object_id(tree))
    if finished.cut is None and finished.returncode == _CONFLICTS:
        return Merged(check_object_id(tree), tuple(sorted({path for path in paths if path})))
    if finished.returncode == _UNRELATED and "unrelated histories" in finished.remarks:
        return Merged("", is_unrelated=True)
    raise git.error("merging", finished)


def tree_of(git: Git, commit: str) -> str:
    """The id of a commit's tree.

    Raises:
        SourceError: the commit is not here.
    """
    finished = git.call(
        "reading a commit",
        "rev-parse",
        "--verify",
        "--quiet",
        "--end-of-options",
        f"{check_object_id(commit)}^{{tree}}",
    )
    return check_object_id(finished.output.decode().strip())


def commit_tree(git: Git, tree: str, parents: Sequence[str], message: bytes, maker: Maker) -> str:
    """Make a commit of a tree; gives its id.

    Raises:
        SourceError: there is no room, the key cannot be used, or git failed otherwise.
    """
    signature = maker.identity.signature(maker.time)
    lines = [b"tree " + check_object_id(tree).encode()]
    lines += [b"parent " + check_object_id(each).encode() for each in parents]
    lines += [b"author " + signature, b"committer " + signature]
    headers, message = b"\n".join(lines), message.rstrip(b"\n") + b"\n"
    content = headers + b"\n\n" + message
    if maker.key is not None:
        content = signed_commit(headers, message, maker.key)
    finished = git.call(
        "making a commit", "hash-object", "-t", "commit", "-w", "--stdin", given=content
    )
    return check_object_id(finished.output.decode().strip())
