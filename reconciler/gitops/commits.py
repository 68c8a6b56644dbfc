"""Commits as people read them: who, when, what, and the trailers at the end of the message."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from reconciler.gitops.git import Git
from reconciler.gitops.refs import check_object_id

_FIELDS = ("%H", "%an", "%ae", "%ct", "%s", "%b", "%(trailers:only=true,unfold=true)")


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
    return tuple(_commits(rows(git, commit, _FIELDS, f"--max-count={int(limit)}", known=known)))


def rows(
    git: Git, commit: str, fields: Sequence[str], *options: str, known: Collection[str] = ()
) -> Iterator[list[str]]:
    """What git's log says of the commits that lead to `commit` and to none of `known`.

    `fields` are those of its `--format`, `options` constants. Gives the values of a commit each.

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
        *options,
        "--format=" + "%x00".join(fields) + "%x00",
        "--end-of-options",
        check_object_id(commit),
        *("^" + check_object_id(each) for each in known),
        "--",
    )
    parts = finished.output.decode("utf-8", "replace").split("\0")[:-1]
    width = len(fields)
    return ([parts[at].strip(), *parts[at + 1 : at + width]] for at in range(0, len(parts), width))


def _commits(found: Iterable[list[str]]) -> Iterator[CommitInfo]:
    for sha, author, email, seconds, subject, body, trailers in found:
        yield CommitInfo(
            sha=sha,
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
