"""What git says when it fails, as one of our errors: what is wrong, where, and what to do."""

from __future__ import annotations

import enum
import re

from reconciler.errors import SourceCorrupt, SourceError, SourceUnavailable
from reconciler.gitops.process import Cut, Finished
from reconciler.gitops.url import mask

_SHOWN_LINES = 3
_SHOWN_CHARACTERS = 400


class Failure(enum.Enum):
    """What kind of failure it was, and what a person can do about it."""

    NO_ROOM = "make room on the disk of the state directory, or raise the limit on fetches"
    LOCKED = "another process uses the mirror, or was killed in it; it is tried again"
    CORRUPT = "objects are broken or missing; if the remote is at fault, repair it there"
    DENIED = "check the key or token, and that the host key of the server is known"
    MISSING = "check the address, and that the account may read the repository"
    UNREACHABLE = "check the network and the server; the last good commit stays in force"


# The first that matches decides: a full disk breaks a pack too, and a denial ends a connection too.
_SIGNS = {
    Failure.NO_ROOM: (
        "No space left on device",
        "Disk quota exceeded",
        "File too large",
        "Read-only file system",
        "Too many open files",
        "Out of diskspace",
        "died of signal 25",  # SIGXFSZ: a file grew beyond its limit
        r"\Afatal: fetch-pack: invalid index-pack output\s*\Z",  # the same, or killed for memory
    ),
    Failure.LOCKED: (r"Unable to create '[^']*\.lock': File exists", "cannot lock ref"),
    Failure.CORRUPT: (
        "fsck error",
        "corrupt",
        "bad (?:object|tree|pack)",
        "bad(?:Tree|Date)",
        "inflate: ",
        "unable to read (?:tree|sha1)",
        "hash mismatch",
        "pack (?:has|is)",
        "index file",
        "missing (?:blob|tree|commit|tag)",
        "not a valid object",
        "invalid object",
        "unresolved delta",
        "did not send all necessary objects",
        "not our ref",
        "not a git repository: ",
        "Could not read [0-9a-f]{40}",
        "Failed to traverse",
        "garbage at end",
    ),
    Failure.DENIED: (
        "Permission denied",
        "Authentication failed",
        "could not read (?:Username|Password)",
        "Host key verification failed",
        "error: 40[13]",
        "dubious ownership",
        "read.only",
    ),
    Failure.MISSING: (
        "[Rr]epository (?:'[^']*' )?not found",
        "does not appear to be a git repository",
        "not a git repository",
        "error: 404",
        "No such file or directory",
        "Not a directory",
    ),
}
_PATTERNS = tuple((failure, re.compile("|".join(signs))) for failure, signs in _SIGNS.items())


class MirrorLocked(SourceUnavailable):
    """A lock file of git is in the way: of a process that works, or of one that was killed."""


_KINDS: dict[Failure, type[SourceError]] = {
    Failure.CORRUPT: SourceCorrupt,
    Failure.LOCKED: MirrorLocked,
}


def failure_of(remarks: str) -> Failure:
    """The kind of failure that git's words tell of."""
    for failure, pattern in _PATTERNS:
        if pattern.search(remarks):
            return failure
    return Failure.UNREACHABLE


def source_error(doing: str, where: str, finished: Finished, *, here: bool = False) -> SourceError:
    """The error for a git command that failed while `doing` something `where`.

    `here` means that it spoke to nobody: what fails then without a better reason, fails because the
    repository is broken.
    """
    if finished.cut is Cut.DEADLINE:
        remedy = Failure.UNREACHABLE.value
        return SourceUnavailable(
            f"{where}: {doing}: no answer within the deadline, the command was ended; {remedy}"
        )
    if finished.cut is Cut.OUTPUT:
        return SourceUnavailable(
            f"{where}: {doing}: the answer is larger than this program takes; "
            "check that the address names the right repository"
        )
    failure = failure_of(finished.remarks)
    if here and failure in {Failure.MISSING, Failure.UNREACHABLE}:
        failure = Failure.CORRUPT
    kind = _KINDS.get(failure, SourceUnavailable)
    said = readable(finished.remarks) or f"git ended with {finished.returncode}"
    return kind(f"{where}: {doing}: {said}; {failure.value}")


def readable(remarks: str) -> str:
    """The telling lines of what git wrote, short, without logins and control characters."""
    lines = ["".join(c if c.isprintable() else " " for c in line) for line in remarks.splitlines()]
    telling = [line.strip() for line in lines if line.strip() and not line.startswith("hint:")]
    chosen = [line for line in telling if line.startswith(("fatal:", "error:", "remote:"))]
    shown = " / ".join((chosen or telling)[-_SHOWN_LINES:])
    return mask(shown)[:_SHOWN_CHARACTERS]
