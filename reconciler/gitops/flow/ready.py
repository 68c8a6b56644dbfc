"""Which commits were Ready in an environment, as its journal tells."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from reconciler.gitops.git import Git
from reconciler.gitops.objects import read_blobs
from reconciler.gitops.refs import check_object_id

RECORDS_AT_MOST = 2000
_AT_ONCE = 50
_LIMIT_BYTES = 64 * 2**20
_STATUS = "status.json"


def ready_commits(git: Git, journal: str | None) -> Iterator[str]:
    """The commits that were Ready, the latest first; `journal` is the journal's newest record.

    Only the latest records are read, and no more of them than are asked for.

    Raises:
        SourceError: the journal cannot be read.
    """
    records = _records(git, journal) if journal else ()
    seen: set[str] = set()
    for start in range(0, len(records), _AT_ONCE):
        for commit in _ready_in(git, records[start : start + _AT_ONCE]):
            if commit not in seen:
                seen.add(commit)
                yield commit


def _records(git: Git, journal: str) -> Sequence[str]:
    finished = git.call(
        "reading the journal",
        "rev-list",
        "--first-parent",
        f"--max-count={RECORDS_AT_MOST}",
        "--end-of-options",
        check_object_id(journal),
    )
    return finished.output.decode().split()


def _ready_in(git: Git, records: Sequence[str]) -> Iterator[str]:
    given = "".join(f"{record}:{_STATUS}\n" for record in records).encode()
    finished = git.call("reading the journal", "cat-file", "--batch-check", given=given)
    fields = (line.split() for line in finished.output.decode("utf-8", "replace").splitlines())
    blobs = [each[0] for each in fields if each[1:2] == ["blob"]]
    contents = read_blobs(git, dict.fromkeys(blobs), _LIMIT_BYTES)
    for blob in blobs:
        if commit := _ready_commit(contents[blob]):
            yield commit


def _ready_commit(content: bytes) -> str:
    """The commit that was Ready by then; empty if there was none, or nobody can tell."""
    try:
        return check_object_id(json.loads(content)["ready_revision"])
    except (ValueError, TypeError, KeyError):
        return ""
