"""Commits as people read them: who, when, what, and the trailers at the end of the message."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from reconciler.gitops.git import Git
from reconciler.gitops.refs import check_object_id

_FIELDS = ("%H", "%an", "%ae", "%ct", "%s", "%b", "%(trailers:only=true,unfold=true)")
_FORMAT = "--format=" + "%x00".join(_FIELDS) + "%x00"


@dataclass(frozen=True, slots=True)
class CommitInfo:
    """One commit. `time` is when it was committed; `trailers` are in their order."""

    sha: str
    author: str
    email: str
    time: datetime
    subject: str
    body: str
    trailers: tuple[tuple[str, str], ...]

    def all(self, key: str) -> tuple[str, ...]:
        """The values of a trailer, whose key may be in any case."""
        wanted = key.casefold()
        return tuple(value for name, value in self.trailers if name.casefold() == wanted)

    def one(self, key: str) -> str | None:
        """The last value of a trailer, or None."""
        return next(reversed(self.all(key)), None)


def log(git: Git, commit: str, limit: int, known: Collection[str] = ()) -> tuple[CommitInfo, ...]:
    """The commit and those before it, newest first, at most `limit` and none that `known` have.

    Raises:
        SourceCorrupt: the commit or one before it is missing or broken.
        SourceUnavailable: git failed otherwise.
    """
    finished = git.call(
        "reading the history",
        "log",
        "--no-show-signature",
        "--no-color",
        "--no-notes",
        "--no-mailmap",
        "--encoding=UTF-8",
        f"--max-count={int(limit)}",
        _FORMAT,
        "--end-of-options",
        check_object_id(commit),
        *("^" + check_object_id(each) for each in known),
        "--",
    )
    return tuple(_commits(finished.output.decode("utf-8", "replace").split("\0")[:-1]))


def _commits(parts: list[str]) -> Iterator[CommitInfo]:
    width = len(_FIELDS)
    for at in range(0, len(parts), width):
        sha, author, email, seconds, subject, body, trailers = parts[at : at + width]
        yield CommitInfo(
            sha=sha.strip(),
            author=author,
            email=email,
            time=datetime.fromtimestamp(int(seconds or "0"), UTC),
            subject=subject,
            body=body.rstrip("\n"),
            trailers=tuple(trailer_pairs(trailers)),
        )


def trailer_pairs(trailers: str) -> Iterator[tuple[str, str]]:
    """Key and value of each trailer, as git lists them unfolded."""
    for line in trailers.splitlines():
        key, colon, value = line.partition(":")
        if colon:
            yield key.strip(), value.strip()
