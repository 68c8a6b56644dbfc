"""Notes on config commits: what became of each, for `git log --notes=reconciler/<environment>`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from reconciler.gitops.message import one_line
from reconciler.gitops.mirror import Mirror
from reconciler.gitops.outbox import Outbox, PushOutcome, Retry
from reconciler.gitops.refs import check_object_id, short
from reconciler.gitops.stream import Change, Draft, Identity

_LENGTH = 500
_MESSAGE = b"Note what became of a commit\n\n[skip ci]\n"


class Notes:
    """The notes of one environment. They lie in the config repository, where the commits are."""

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
            ValueError: no ref can have the environment's name.
        """
        self.ref = f"refs/notes/reconciler/{environment}"
        self._mirror = mirror
        self._identity = identity
        self._clock = clock
        self._outbox = Outbox(mirror, self.ref, retry, notes=True)

    def write(self, commit: str, outcome: str, journal: str | None = None) -> None:
        """Say in one line what became of a commit; takes the place of what was said before.

        `journal` is the record that tells more.

        Raises:
            SourceUnavailable: there is no room for it.
            SourceCorrupt: the notes are broken here and cannot be had from the remote.
            ValueError: the commit is no full id.
        """
        record = f" (journal {short(check_object_id(journal))})" if journal else ""
        text = one_line(outcome, _LENGTH) + record + "\n"
        change = Change(note=check_object_id(commit), content=text.encode())
        signature = self._identity.signature(self._clock())
        draft = Draft(signature, signature, _MESSAGE, (change,))
        self._outbox.commit(lambda _git, _base: draft)

    def read(self, commit: str) -> str | None:
        """What is said of a commit, or None.

        Raises:
            SourceError: the notes cannot be read.
        """
        head = self._outbox.head()
        if head is None:
            return None
        finished = self._mirror.git().attempt(
            "notes", "--ref", self.ref, "show", check_object_id(commit)
        )
        return finished.output.decode("utf-8", "replace").strip() or None

    def flush(self) -> PushOutcome:
        """Push the notes that are waiting. Tells of failure, never raises it."""
        return self._outbox.flush()
