"""The tags that people have made, as last fetched: what they point at, and what they are."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.gitops.git import Git
from reconciler.gitops.refs import check_object_id, check_ref
from reconciler.gitops.transport import ORIGIN_TAGS

_FORMAT = "--format=%(refname)%00%(objectname)%00%(objecttype)%00%(*objectname)%00%(tag)"


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag. `target` is what it points at; `object` the annotated tag itself, empty if it is none.

    `inner` is the name that the annotated tag has in itself, which its signature covers.
    """

    name: str
    target: str
    object: str = ""
    inner: str = ""


def tags_at(git: Git, commit: str) -> tuple[Tag, ...]:
    """The tags that point at a commit.

    Raises:
        SourceError: git failed.
    """
    return _tags(git, f"--points-at={check_object_id(commit)}", ORIGIN_TAGS)


def tags_below(git: Git, folder: str) -> tuple[Tag, ...]:
    """The tags whose names begin with a folder such as `approve/production/`.

    Raises:
        SourceError: git failed.
    """
    check_ref(f"{ORIGIN_TAGS}{folder}x")
    return _tags(git, ORIGIN_TAGS + folder)


def _tags(git: Git, *arguments: str) -> tuple[Tag, ...]:
    finished = git.call("reading tags", "for-each-ref", _FORMAT, *arguments)
    return tuple(map(_tag, finished.output.decode("utf-8", "replace").splitlines()))


def _tag(line: str) -> Tag:
    ref, object_id, kind, target, inner = line.split("\0")
    name = ref.removeprefix(ORIGIN_TAGS)
    if kind != "tag":
        return Tag(name, object_id)
    return Tag(name, target, object_id, inner)
