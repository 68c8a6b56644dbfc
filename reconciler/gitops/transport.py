"""What goes over the wire: the heads of the remote, fetching everything, pushing our own refs.

What the remote has is kept below `refs/origin/`, apart from the refs that only we write:
`refs/heads/reconciler/*` and `refs/notes/reconciler/*`. Branches and tags of people are pushed by
`publish` alone. Nothing is ever forced.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from reconciler.errors import SourceError
from reconciler.gitops.failures import readable
from reconciler.gitops.git import Git
from reconciler.gitops.refs import BRANCHES, branch_ref, check_object_id, check_ref, is_ref

ORIGIN = "refs/origin/"
ORIGIN_HEADS = ORIGIN + "heads/"
ORIGIN_TAGS = ORIGIN + "tags/"
PUBLIC_REFS = ("refs/heads/", "refs/tags/")
OWN_REFS = ("refs/heads/reconciler/", "refs/notes/reconciler/")
_EVERYTHING = (
    "+refs/heads/*:refs/origin/heads/*",
    "+refs/tags/*:refs/origin/tags/*",
    "+refs/notes/reconciler/*:refs/origin/notes/reconciler/*",
)
_OPTIONS = (
    "--quiet",
    "--no-tags",
    "--no-recurse-submodules",
    "--no-write-fetch-head",
    "--no-auto-gc",
    "--no-show-forced-updates",
)
_FETCH_ALL = ("fetch", "--prune", *_OPTIONS, "origin")
_FETCH_SOME = ("fetch", "--no-prune", *_OPTIONS, "origin")
_HEADS_LIMIT_BYTES = 16 * 2**20
_REFUSED = re.compile(r"^!\t[0-9a-f]{40}:(?P<ref>[^\t]+)\t(?P<reason>.*)$", re.MULTILINE)
_RACE = re.compile(
    r"fetch first|non-fast-forward|stale info|cannot lock ref|failed to update ref"
    r"|incorrect old value|already exists"
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the remote did not take a ref. `raced`: somebody else was quicker, try again."""

    reason: str
    raced: bool


def remote_heads(git: Git) -> dict[str, str]:
    """The branches of the remote by short name, asked without fetching anything."""
    finished = git.call(
        "asking for its branches",
        "ls-remote",
        "--quiet",
        "--heads",
        "origin",
        output_bytes=_HEADS_LIMIT_BYTES,
    )
    lines = finished.output.decode("utf-8", "replace").splitlines()
    pairs = (line.partition("\t") for line in lines)
    return {
        name.removeprefix(BRANCHES): check_object_id(object_id)
        for object_id, _, name in pairs
        if name.startswith(BRANCHES) and is_ref(name)
    }


def fetch_everything(git: Git) -> None:
    """Bring branches, tags and our notes below `refs/origin/`, as the remote has them now."""
    git.call("fetching", *_FETCH_ALL, *_EVERYTHING)


def fetch_each(git: Git) -> dict[str, SourceError]:
    """Bring each branch by itself, so that a broken one stops no other; gives those that failed."""
    known = git.refs(ORIGIN_HEADS)
    failed: dict[str, SourceError] = {}
    for branch, head in remote_heads(git).items():
        here = ORIGIN_HEADS + branch
        if known.get(here) != head:
            try:
                git.call("fetching", *_FETCH_SOME, f"+{branch_ref(branch)}:{here}")
            except SourceError as error:
                failed[branch] = error
    return failed


def fetch_from(git: Git, refs: Iterable[str]) -> None:
    """Bring refs from another repository under the names they have there."""
    specs = [f"+{check_ref(ref)}:{ref}" for ref in refs]
    git.call("fetching", *_FETCH_SOME, *specs)


def fetch_one(git: Git, ref: str) -> None:
    """Bring one of our own refs, which the remote has, up to date below `refs/origin/`."""
    git.call("fetching", *_FETCH_SOME, f"+{check_own(ref)}:{tracking(ref)}")


def push(git: Git, updates: Mapping[str, str], *, dry_run: bool = False) -> dict[str, Refusal]:
    """Push commits to our own refs, by full ref name; gives the refs that were refused.

    A `dry_run` talks to the remote as far as is possible without changing anything there.

    Raises:
        SourceUnavailable: the remote did not answer or takes no push from us at all.
        ValueError: a ref is not one of ours.
    """
    specs = [f"{check_object_id(new)}:{check_own(ref)}" for ref, new in updates.items()]
    return _push(git, specs, dry_run=dry_run)


def publish(git: Git, updates: Mapping[str, str], *, dry_run: bool = False) -> dict[str, Refusal]:
    """Push to branches and tags of people, by full ref name; gives those that were refused.

    A branch only ever moves to a descendant, a tag never moves: else the remote refuses, and so it
    does if somebody was quicker.

    Raises:
        SourceUnavailable: the remote did not answer or takes no push from us at all.
        ValueError: a ref is neither a branch nor a tag, or one of our own records.
    """
    specs = [f"{check_object_id(new)}:{check_public(ref)}" for ref, new in updates.items()]
    return _push(git, specs, dry_run=dry_run)


def _push(git: Git, specs: Iterable[str], *, dry_run: bool) -> dict[str, Refusal]:
    finished = git.call(
        "pushing",
        "push",
        "--porcelain",
        "--no-verify",
        "--no-follow-tags",
        "--no-recurse-submodules",
        "--no-signed",
        *(["--dry-run"] if dry_run else []),
        "origin",
        *specs,
        good=(0, 1),
    )
    refused = {
        match["ref"]: _refusal(match["reason"], finished.remarks)
        for match in _REFUSED.finditer(finished.output.decode("utf-8", "replace"))
    }
    if finished.returncode != 0 and not refused:
        raise git.error("pushing", finished)
    return refused


def _refusal(reason: str, remarks: str) -> Refusal:
    told = readable("\n".join(line for line in remarks.splitlines() if line.startswith("remote:")))
    said = readable(reason)
    return Refusal(f"{said}: {told}" if told else said, _RACE.search(reason) is not None)


def tracking(ref: str) -> str:
    """Where the remote's value of a ref is kept here."""
    return ORIGIN + check_ref(ref).removeprefix("refs/")


def check_own(ref: str) -> str:
    """The ref itself, if it is one that only this program writes.

    Raises:
        ValueError: it is somebody else's; pushing there is a mistake of the program.
    """
    if not check_ref(ref).startswith(OWN_REFS):
        raise ValueError(f"{ref} is not a ref of the journal or its notes; it is never pushed")
    return ref


def check_public(ref: str) -> str:
    """The ref itself, if it is a branch or tag that people have too.

    Raises:
        ValueError: it is none, or one that only this program writes.
    """
    if not check_ref(ref).startswith(PUBLIC_REFS) or ref.startswith(OWN_REFS):
        raise ValueError(f"{ref} is not a branch or tag of people")
    return ref
