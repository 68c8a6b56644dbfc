"""Trees and blobs, read from the object database in bulk. Nothing is ever checked out."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from reconciler.errors import SourceCorrupt
from reconciler.gitops.entries import Entry, Limits, too_many_files
from reconciler.gitops.git import Git
from reconciler.gitops.process import OUTPUT_LIMIT_BYTES, Cut
from reconciler.gitops.refs import check_object_id

_HEADER_BYTES = 64


def list_tree(git: Git, commit: str, limits: Limits) -> Iterator[Entry]:
    """Every entry of a commit's tree, whatever it is.

    Raises:
        ConfigError: there are more than the limits allow.
        SourceCorrupt: the commit or a tree of it is missing or broken.
        SourceUnavailable: git failed otherwise.
    """
    finished = git.attempt(
        "ls-tree",
        "-r",
        "-z",
        "-l",
        "--full-tree",
        "--end-of-options",
        check_object_id(commit),
        output_bytes=limits.listing_bytes,
    )
    if finished.cut is Cut.OUTPUT:
        raise too_many_files(limits)
    if finished.cut is not None or finished.returncode != 0:
        raise git.error(f"listing the files of {commit}", finished)
    return map(_entry, finished.output.split(b"\0")[:-1])


def read_blobs(git: Git, blobs: Iterable[str], limit_bytes: int) -> dict[str, bytes]:
    """The contents of blobs by id; each is checked against its id.

    Raises:
        SourceCorrupt: one is missing or broken.
        SourceUnavailable: they are larger than the limit, or git failed otherwise.
    """
    return _read(git, "blob", blobs, limit_bytes)


def read_commits(git: Git, commits: Iterable[str]) -> dict[str, bytes]:
    """Commits as they are stored, by id; each is checked against its id.

    Raises:
        SourceCorrupt: one is missing or broken.
        SourceUnavailable: git failed otherwise.
    """
    return _read(git, "commit", commits, OUTPUT_LIMIT_BYTES)


def read_tags(git: Git, tags: Iterable[str]) -> dict[str, bytes]:
    """Annotated tags as they are stored, by id; each is checked against its id.

    Raises:
        SourceCorrupt: one is missing, broken, or no annotated tag.
        SourceUnavailable: git failed otherwise.
    """
    return _read(git, "tag", tags, OUTPUT_LIMIT_BYTES)


def blob_id(content: bytes) -> str:
    """The id that git gives to the content of a file."""
    return _object_id("blob", content)


def _read(git: Git, kind: str, ids: Iterable[str], limit_bytes: int) -> dict[str, bytes]:
    wanted = list(dict.fromkeys(map(check_object_id, ids)))
    if not wanted:
        return {}
    finished = git.call(
        "reading objects",
        "cat-file",
        "--batch",
        "--buffer",
        given="".join(f"{each}\n" for each in wanted).encode(),
        output_bytes=limit_bytes + _HEADER_BYTES * len(wanted),
    )
    return dict(_contents(git, kind, finished.output))


def _object_id(kind: str, content: bytes) -> str:
    digest = hashlib.sha1(f"{kind} {len(content)}\0".encode(), usedforsecurity=False)
    digest.update(content)
    return digest.hexdigest()


def _entry(line: bytes) -> Entry:
    described, _, name = line.partition(b"\t")
    mode, _, blob, size = described.decode("ascii").split()
    return Entry(name, mode, blob, 0 if size == "-" else int(size))


def _contents(git: Git, kind: str, output: bytes) -> Iterator[tuple[str, bytes]]:
    at = 0
    while at < len(output):
        end = output.index(b"\n", at)
        header = output[at:end].decode("ascii", "replace").split()
        if len(header) != 3 or header[1] != kind:  # noqa: PLR2004 - id, type, size
            raise _broken(git, header[0] if header else "")
        size = int(header[2])
        content = output[end + 1 : end + 1 + size]
        if _object_id(kind, content) != header[0]:
            raise _broken(git, header[0])
        yield header[0], content
        at = end + size + 2


def _broken(git: Git, object_id: str) -> SourceCorrupt:
    return SourceCorrupt(
        f"{git.directory}: object {object_id} is missing or broken; the mirror is made anew"
    )
