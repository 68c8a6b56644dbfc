"""Commits made without an index and without a work tree: one `git fast-import` for any number.

Trees that do not change are taken over as they are. No ref is touched: the stream drops the branch
it works on, so that a commit exists for nobody until the caller moves a ref to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from reconciler.gitops.git import Git
from reconciler.gitops.refs import NULL_ID, check_object_id

_BRANCH = "refs/drafts/stream"
_PATH = re.compile(r"\A(?:[A-Za-z0-9_][A-Za-z0-9._@+=-]*)(?:/[A-Za-z0-9_][A-Za-z0-9._@+=-]*)*\Z")
_PATH_LENGTH = 400
_UNFIT_FOR_NAME = re.compile(r"[\x00-\x1f\x7f<>]")


@dataclass(frozen=True, slots=True)
class Identity:
    """Who commits: a name and an e-mail address."""

    name: str
    email: str

    def signature(self, time: datetime) -> bytes:
        """Name, address and time as git writes them.

        Raises:
            ValueError: the time has no zone, or there is nothing left of the name.
        """
        if time.tzinfo is None:
            raise ValueError("the time of a commit must say in which zone it is")
        name, email = (_UNFIT_FOR_NAME.sub("", part).strip() for part in (self.name, self.email))
        if not name:
            raise ValueError("the name of who commits is empty")
        return f"{name} <{email}> {int(time.timestamp())} +0000".encode()


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of a commit's tree: the content, or the blob it has already, or its removal.

    `note` is the commit that a note is on, in place of a path.
    """

    path: str = ""
    note: str = ""
    content: bytes | None = None
    blob: str | None = None

    def lines(self) -> bytes:
        """The change as `fast-import` reads it."""
        where = f"N {{}} {check_object_id(self.note)}" if self.note else self._file()
        if self.content is None:
            if self.blob is None:
                return f"D {check_path(self.path)}\n".encode()
            return where.format(check_object_id(self.blob)).encode() + b"\n"
        return where.format("inline").encode() + b"\n" + _data(self.content)

    def _file(self) -> str:
        return f"M 100644 {{}} {check_path(self.path)}"


@dataclass(frozen=True, slots=True)
class Draft:
    """A commit that is not made yet. Author and committer are signatures as git writes them."""

    author: bytes
    committer: bytes
    message: bytes
    changes: tuple[Change, ...]


def check_path(path: str) -> str:
    """The path itself, if it is made of plain words, digits and dots.

    Raises:
        ValueError: it is not.
    """
    if not is_plain(path):
        raise ValueError(f"{path[:80]!r} is no path for a file of ours")
    return path


def is_plain(path: str) -> bool:
    """Whether a path is made of plain words, digits and dots."""
    return _PATH.match(path) is not None and len(path) <= _PATH_LENGTH


def write_commits(git: Git, base: str | None, drafts: Sequence[Draft]) -> str:
    """Make commits, each on top of the one before, the first on top of `base` (None: on nothing).

    Gives the id of the last one, which no ref points at yet.

    Raises:
        SourceUnavailable: there is no room, or git failed otherwise.
        SourceCorrupt: an object that is needed is missing or broken.
    """
    stream = b"".join(_stream(base, drafts))
    try:
        finished = git.call(
            "writing a record",
            "fast-import",
            "--quiet",
            "--done",
            "--date-format=raw",
            given=stream,
        )
    except BaseException:
        for report in git.directory.glob("fast_import_crash_*"):
            report.unlink(missing_ok=True)
        raise
    return check_object_id(finished.output.decode().strip())


def _stream(base: str | None, drafts: Sequence[Draft]) -> Iterator[bytes]:
    for number, draft in enumerate(drafts, 1):
        yield f"commit {_BRANCH}\nmark :{number}\n".encode()
        yield b"author " + draft.author + b"\ncommitter " + draft.committer + b"\n"
        yield _data(draft.message)
        if number == 1 and base is not None:
            yield f"from {check_object_id(base)}\n".encode()
        yield from (change.lines() for change in draft.changes)
        yield b"\n"
    yield f"get-mark :{len(drafts)}\nreset {_BRANCH}\nfrom {NULL_ID}\n\ndone\n".encode()


def _data(content: bytes) -> bytes:
    return b"data %d\n%s\n" % (len(content), content)
