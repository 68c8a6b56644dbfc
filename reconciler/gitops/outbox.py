"""Records that are kept here first and pushed when the remote can be reached.

The spool is the ref itself: whatever leads to it and is not known to be at the remote is waiting.
Who was slower makes its records again on top of the other's; nothing is forced, nothing is lost.
"""

from __future__ import annotations

import enum
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass

from reconciler.errors import SourceCorrupt, SourceError, SourceUnavailable
from reconciler.gitops.durable import durable
from reconciler.gitops.failures import MirrorLocked
from reconciler.gitops.git import Git
from reconciler.gitops.mirror import Mirror
from reconciler.gitops.refs import short
from reconciler.gitops.replay import drafts_of
from reconciler.gitops.stream import Draft, write_commits
from reconciler.gitops.transport import Refusal, check_own, tracking

_log = logging.getLogger(__name__)


class Push(enum.Enum):
    """How a push ended."""

    NOTHING = "nothing was waiting"
    PUSHED = "pushed"
    SPOOLED = "kept here until the remote can be reached"
    REFUSED = "refused by the remote, kept here"


@dataclass(frozen=True, slots=True)
class PushOutcome:
    """How a push ended, why, and how many records are still waiting here."""

    state: Push
    reason: str = ""
    waiting: int = 0

    @property
    def ok(self) -> bool:
        """Whether the remote has everything."""
        return self.state in {Push.NOTHING, Push.PUSHED}


@dataclass(frozen=True, slots=True)
class Retry:
    """How often to try again when somebody else was quicker, and how long to wait before."""

    sleep: Callable[[float], None]
    random: random.Random
    attempts: int = 5
    first_seconds: float = 0.2

    def wait(self, attempt: int) -> None:
        """Wait after the attempt of that number, counted from 1: longer each time, never alike."""
        longest = self.first_seconds * 2**attempt
        self.sleep(self.random.uniform(longest / 2, longest))


class Outbox:
    """One ref that only this program writes, here and at the remote."""

    def __init__(self, mirror: Mirror, ref: str, retry: Retry, *, notes: bool = False) -> None:
        """`ref` is below `refs/heads/reconciler/` or `refs/notes/reconciler/`.

        Raises:
            ValueError: it is not.
        """
        self.ref = check_own(ref)
        self._mirror = mirror
        self._retry = retry
        self._notes = notes
        self._theirs = tracking(ref)
        self._sent = "refs/pushed/" + ref.removeprefix("refs/")
        self._replaced = "refs/replaced/" + ref.removeprefix("refs/")

    def head(self) -> str | None:
        """The newest record, here or at the remote as last fetched; nothing is written for it."""
        values = self._mirror.git().values((self.ref, self._theirs))
        ours, theirs = values.get(self.ref), values.get(self._theirs)
        if ours is None or theirs is None or ours == theirs:
            return ours or theirs
        return theirs if self._mirror.is_ancestor(ours, theirs) else ours

    def waiting(self) -> int:
        """How many records the remote does not have yet."""
        git = self._mirror.git()
        values = git.values((self.ref, self._theirs, self._sent))
        head = values.pop(self.ref, None)
        return len(git.commits_between(head, tuple(values.values()))) if head else 0

    def commit(self, draft: Callable[[Git, str | None], Draft]) -> str:
        """Keep a record, made by `draft` from the one before it; it then survives a power failure.

        Raises:
            SourceUnavailable: there is no room for it, or others write without end.
            SourceCorrupt: the records before it are broken and cannot be had from the remote.
        """
        try:
            return self._commit(draft)
        except SourceCorrupt:
            if not self._mirror.repair():
                raise
            return self._commit(draft)
        except MirrorLocked:
            if not self._mirror.clear_left_overs():
                raise
            return self._commit(draft)
        except SourceUnavailable:
            self._mirror.clear_left_overs()  # what was written by half takes room
            raise

    def catch_up(self) -> None:
        """Take over what the remote has beyond our records, as last fetched.

        Raises:
            SourceError: the records cannot be read, or there is no room.
        """
        with self._mirror.writing() as git:
            self._catch_up(git)

    def flush(self) -> PushOutcome:
        """Push what is waiting. A remote that is away or refuses is told of, never raised."""
        try:
            return self._flush()
        except SourceError as error:
            return self._kept(Push.SPOOLED, str(error))

    def _commit(self, draft: Callable[[Git, str | None], Draft]) -> str:
        with self._mirror.writing() as git:
            for _ in range(self._retry.attempts):
                base = self._catch_up(git)
                with durable(git.directory, self.ref):
                    commit = write_commits(git, base, (draft(git, base),))
                    done = git.set_ref(self.ref, commit, base)
                if done:
                    return commit
        raise SourceUnavailable(
            f"{self.ref}: other processes write to it without end; is it more than one reconciler?"
        )

    def _flush(self) -> PushOutcome:
        refusal = Refusal("somebody else was quicker each time", raced=True)
        for attempt in range(1, self._retry.attempts + 1):
            with self._mirror.writing() as git:
                head = self._catch_up(git)
                values = git.values((self._theirs, self._sent))
            if head is None or head == values.get(self._theirs):
                return PushOutcome(Push.NOTHING if attempt == 1 else Push.PUSHED)
            refused = self._mirror.push({self.ref: head}).get(self.ref)
            if refused is None:
                self._note_sent(head, values)
                return PushOutcome(Push.PUSHED)
            refusal = refused
            if not refused.raced:
                return self._kept(Push.REFUSED, refused.reason)
            if attempt < self._retry.attempts:
                self._retry.wait(attempt)
            self._mirror.fetch_own(self.ref)
        return self._kept(Push.SPOOLED, refusal.reason)

    def _kept(self, state: Push, reason: str) -> PushOutcome:
        try:
            waiting = self.waiting()
        except SourceError as error:
            return PushOutcome(state, f"{reason}; {error}")
        return PushOutcome(state, reason, waiting)

    def _note_sent(self, head: str, before: dict[str, str]) -> None:
        """Remember what the remote has now. If a fetch was quicker, it knows better."""
        with self._mirror.writing() as git:
            for ref in (self._theirs, self._sent):
                if before.get(ref) != head:
                    git.set_ref(ref, head, before.get(ref))

    def _catch_up(self, git: Git) -> str | None:
        """Take over what the remote has beyond our records; gives our head."""
        values = git.values((self.ref, self._theirs, self._sent))
        ours, theirs, sent = map(values.get, (self.ref, self._theirs, self._sent))
        if theirs is None or ours == theirs:
            return ours
        if ours is not None and (theirs == sent or git.is_ancestor(theirs, ours)):
            return ours
        with durable(git.directory, self.ref):
            if ours is None or git.is_ancestor(ours, theirs):
                new = theirs
            else:
                new = self._made_again(git, ours, theirs, sent)
            if not git.set_ref(self.ref, new, ours):
                return self._catch_up(git)
        git.set_ref(self._sent, theirs, sent)
        return new

    def _made_again(self, git: Git, ours: str, theirs: str, sent: str | None) -> str:
        """Our waiting records on top of theirs.

        If somebody rewrote the remote's records, that is respected: only what was waiting is made
        again, and what we had is kept aside.
        """
        known = (theirs,) if sent is None else (theirs, sent)
        if sent is not None and not git.is_ancestor(sent, theirs):
            aside = f"{self._replaced}/{short(ours)}"
            git.set_ref(aside, ours, git.ref(aside))
            _log.warning("%s: it was rewritten at the remote; ours is kept as %s", self.ref, aside)
        waiting = git.commits_between(ours, known)
        if not waiting:
            return theirs
        return write_commits(git, theirs, drafts_of(git, waiting, notes=self._notes))
