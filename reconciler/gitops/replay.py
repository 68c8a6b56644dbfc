"""Records made again on top of what somebody else wrote meanwhile: same words, same changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.gitops.git import Git
from reconciler.gitops.objects import read_commits
from reconciler.gitops.refs import check_object_id
from reconciler.gitops.stream import Change, Draft


def drafts_of(git: Git, commits: Sequence[str], *, notes: bool) -> list[Draft]:
    """Commits of ours as drafts, in the given order. With `notes` their trees are those of notes.

    Raises:
        SourceError: one cannot be read.
    """
    changes = _changes(git, commits, notes=notes)
    stored = read_commits(git, commits)
    return [_draft(stored[commit], changes.get(commit, ())) for commit in commits]


def _draft(stored: bytes, changes: tuple[Change, ...]) -> Draft:
    head, _, message = stored.partition(b"\n\n")
    fields = dict(line.partition(b" ")[::2] for line in head.split(b"\n"))
    return Draft(fields[b"author"], fields[b"committer"], message, changes)


def _changes(git: Git, commits: Sequence[str], *, notes: bool) -> dict[str, tuple[Change, ...]]:
    """What each commit changed against the one before it."""
    finished = git.call(
        "comparing records",
        "diff-tree",
        "--stdin",
        "-r",
        "-z",
        "--root",
        "--no-renames",
        given="".join(f"{check_object_id(commit)}\n" for commit in commits).encode(),
    )
    found: dict[str, tuple[Change, ...]] = {}
    commit = ""
    parts = iter(finished.output.decode("utf-8", "replace").split("\0")[:-1])
    for part in parts:
        if part.startswith(":"):
            found[commit] += tuple(_change(part, next(parts), notes=notes))
        else:
            commit = part
            found[commit] = ()
    return found


def _change(described: str, path: str, *, notes: bool) -> Iterator[Change]:
    _, _, _, blob, status = described.split(" ")
    if notes:
        # A note is never taken away: a removal is one that only moved to a finer folder.
        if status != "D":
            yield Change(note=path.replace("/", ""), blob=blob)
    else:
        yield Change(path=path, blob=None if status == "D" else blob)
