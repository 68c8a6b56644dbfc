"""The journal of an environment: the branch `reconciler/<environment>`, one commit per event.

The branch has a history of its own. A record is kept here first and is then on the disk; pushing it
is another matter, and a remote that is away or refuses costs nothing but time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from reconciler.gitops.commits import CommitInfo, log
from reconciler.gitops.entries import FILE_MODES, Entry, Limits
from reconciler.gitops.git import Git
from reconciler.gitops.message import compose
from reconciler.gitops.mirror import Mirror
from reconciler.gitops.objects import blob_id, list_tree
from reconciler.gitops.outbox import Outbox, PushOutcome, Retry
from reconciler.gitops.stream import Change, Draft, Identity, is_plain

ENVIRONMENT = "Reconciler-Environment"
EVENT = "Reconciler-Event"
REVISION = "Reconciler-Revision"
RESOURCE = "Reconciler-Resource"
RESOURCES_AT_MOST = 50
JOURNAL_LIMITS = Limits(files=50_000, total_bytes=64 * 2**20, yaml_bytes=64 * 2**20)
_WORD = re.compile(r"\A[a-z][a-z-]{0,30}\Z")
_RESERVED = frozenset(key.casefold() for key in (ENVIRONMENT, EVENT, REVISION, RESOURCE))


@dataclass(frozen=True, slots=True)
class Event:
    """What happened, for the journal.

    `word` says which kind of event it was, `subject` the rest of the first line. `revision` is the
    config commit it is about, `resources` the addresses. `files` is everything that the journal
    holds from now on, by path; what is not in it is no longer there, but for what begins with one
    of `keeps`: that stays as it is at that moment. A file without content goes.
    """

    word: str
    subject: str
    body: str = ""
    revision: str | None = None
    resources: tuple[str, ...] = ()
    files: Mapping[str, bytes | None] = field(default_factory=dict)
    trailers: tuple[tuple[str, str], ...] = ()
    keeps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    """One commit of the journal, as `history` shows it."""

    sha: str
    time: datetime
    event: str
    subject: str
    body: str
    revision: str | None
    resources: tuple[str, ...]
    trailers: tuple[tuple[str, str], ...]


class Journal:
    """Reads and writes the journal of one environment.

    `mirror` is that of the config repository, or of a repository of the journal's own.
    """

    def __init__(
        self,
        mirror: Mirror,
        environment: str,
        identity: Identity,
        clock: Callable[[], datetime],
        retry: Retry,
    ) -> None:
        """`clock` gives the time with its zone.

        Raises:
            ValueError: no branch can have the environment's name.
        """
        self.environment = environment
        self._mirror = mirror
        self._identity = identity
        self._clock = clock
        self._outbox = Outbox(mirror, f"refs/heads/reconciler/{environment}", retry)
        self._known: tuple[str, Mapping[str, bytes]] | None = None

    def head(self) -> str | None:
        """The newest record, pushed or not; None if the journal has not begun.

        Raises:
            SourceUnavailable: its repository was never reached.
        """
        return self._outbox.head()

    def read(self) -> Mapping[str, bytes] | None:
        """The journal's files by path, as of its newest record; None if it has not begun.

        Raises:
            SourceUnavailable: its repository was never reached.
            SourceCorrupt: its objects are broken.
        """
        head = self.head()
        if head is None:
            return None
        if self._known is None or self._known[0] != head:
            self._known = (head, self._files(head))
        return self._known[1]

    def entries(self, limit: int) -> tuple[Record, ...]:
        """The newest records, newest first.

        Raises:
            SourceError: the journal cannot be read.
        """
        head = self.head()
        if head is None:
            return ()
        return tuple(_record(info) for info in log(self._mirror.git(), head, limit))

    def append(self, event: Event) -> str:
        """Keep a record, give its commit. It is on the disk when this returns; `flush` pushes it.

        Raises:
            SourceUnavailable: there is no room for it. Nothing was kept.
            SourceCorrupt: the journal is broken here and cannot be had from the remote.
            ValueError: the event's word, a path or the key of a trailer is not plain.
        """
        message = self._message(event)
        return self._outbox.commit(lambda git, base: self._draft(git, base, event, message))

    def flush(self) -> PushOutcome:
        """Push the records that are waiting. Tells of failure, never raises it."""
        return self._outbox.flush()

    def catch_up(self) -> None:
        """Take over what the remote was seen to have beyond the records here.

        Raises:
            SourceError: the journal cannot be read, or there is no room.
        """
        self._outbox.catch_up()

    def waiting(self) -> int:
        """How many records the remote does not have yet."""
        return self._outbox.waiting()

    def check_writable(self) -> None:
        """See that there is room for records, before anything is changed.

        Raises:
            SourceUnavailable: there is none.
        """
        self._mirror.check_writable()

    def _files(self, head: str) -> Mapping[str, bytes]:
        blobs = _plain(self._mirror.list_tree(head, JOURNAL_LIMITS))
        contents = self._mirror.read_blobs(blobs.values(), JOURNAL_LIMITS.total_bytes)
        return MappingProxyType({path: contents[blob] for path, blob in blobs.items()})

    def _draft(self, git: Git, base: str | None, event: Event, message: bytes) -> Draft:
        before = _plain(list_tree(git, base, JOURNAL_LIMITS)) if base else {}
        signature = self._identity.signature(self._clock())
        return Draft(signature, signature, message, tuple(_changes(before, event)))

    def _message(self, event: Event) -> bytes:
        if _WORD.match(event.word) is None:
            raise ValueError(f"{event.word!r} is not a word for an event")
        taken = [key for key, _ in event.trailers if key.casefold() in _RESERVED]
        if taken:
            raise ValueError(f"{taken[0]} is a trailer that the journal writes itself")
        more = len(event.resources) - RESOURCES_AT_MOST
        rest = f"\n\nand {more} more resources" if more > 0 else ""
        trailers = [(ENVIRONMENT, self.environment), (EVENT, event.word)]
        if event.revision:
            trailers.append((REVISION, event.revision))
        trailers += [(RESOURCE, each) for each in event.resources[:RESOURCES_AT_MOST]]
        subject = f"{event.word}({self.environment}): {event.subject}"
        return compose(subject, event.body + rest, (*trailers, *event.trailers))


def _changes(before: Mapping[str, str], event: Event) -> Iterator[Change]:
    """What leads from the files that were there, given by blob, to those that should be."""
    kept = {path for path in before if path.startswith(event.keeps)}
    files = {path: content for path, content in event.files.items() if content is not None}
    gone = {path for path, content in event.files.items() if content is None}
    for path in sorted((before.keys() - files.keys() - kept) | (before.keys() & gone)):
        yield Change(path)
    for path, content in sorted(files.items()):
        if before.get(path) != blob_id(content):
            yield Change(path, content=content)


def _plain(entries: Iterable[Entry]) -> dict[str, str]:
    """The blobs of files such as this program writes, by path; other files are left alone."""
    named = ((entry.name.decode("utf-8", "replace"), entry) for entry in entries)
    return {
        path: entry.blob for path, entry in named if entry.mode in FILE_MODES and is_plain(path)
    }


def _record(info: CommitInfo) -> Record:
    return Record(
        sha=info.sha,
        time=info.time,
        event=info.one(EVENT) or "",
        subject=info.subject,
        body=info.body,
        revision=info.one(REVISION),
        resources=info.all(RESOURCE),
        trailers=info.trailers,
    )
