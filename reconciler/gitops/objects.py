"""Trees and blobs, read from the object database in bulk. Nothing is ever checked out."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from reconciler.errors import SourceCorrupt
from reconciler.gitops.entries import Entry, Limits, too_many_files
from reconciler.gitops.failures import source_error
from reconciler.gitops.git import Git
from reconciler.gitops.process import Cut
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
        raise source_error(f"listing the files of {commit}", str(git.directory), finished)
    return map(_entry, finished.output.split(b"\0")[:-1])


def read_blobs(git: Git, blobs: Iterable[str], limit_bytes: int) -> dict[str, bytes]:
    """The contents of blobs by id; each is checked against its id.

    Raises:
        SourceCorrupt: one is missing or broken.
        SourceUnavailable: they are larger than the limit, or git failed otherwise.
    """
    wanted = list(dict.fromkeys(map(check_object_id, blobs)))
    if not wanted:
        return {}
    finished = git.call(
        "reading files",
        "cat-file",
        "--batch",
        "--buffer",
        given="".join(f"{blob}\n" for blob in wanted).encode(),
        output_bytes=limit_bytes + _HEADER_BYTES * len(wanted),
    )
    return dict(_contents(git, finished.output))


def blob_id(content: bytes) -> str:
    """The id that git gives to a content."""
    digest = hashlib.sha1(b"blob %d\0" % len(content), usedforsecurity=False)
    digest.update(content)
    return digest.hexdigest()


def _entry(line: bytes) -> Entry:
    described, _, name = line.partition(b"\t")
    mode, _, blob, size = described.decode("ascii").split()
    return Entry(name, mode, blob, 0 if size == "-" else int(size))


def _contents(git: Git, output: bytes) -> Iterator[tuple[str, bytes]]:
    at = 0
    while at < len(output):
        end = output.index(b"\n", at)
        header = output[at:end].decode("ascii", "replace").split()
        if len(header) != 3 or header[1] != "blob":  # noqa: PLR2004 - id, type, size
            raise _broken(git, header[0] if header else "")
        size = int(header[2])
        content = output[end + 1 : end + 1 + size]
        if blob_id(content) != header[0]:
            raise _broken(git, header[0])
        yield header[0], content
        at = end + size + 2


def _broken(git: Git, object_id: str) -> SourceCorrupt:
    return SourceCorrupt(
        f"{git.directory}: object {object_id} is missing or broken; the mirror is made anew"
    )
