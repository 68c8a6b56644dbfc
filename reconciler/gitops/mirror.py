"""The mirror of a git repository in the state directory: a cache that can always be made anew.

Polling asks the remote for its heads only; fetching brings everything below `refs/origin/`. Reading
never touches the network. What is ours and not pushed yet (the journal's spool) lives here too and
is carried over when a broken mirror is replaced.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Self, TypeVar

from reconciler.errors import SourceCorrupt, SourceError, SourceUnavailable
from reconciler.gitops import commits, objects, transport
from reconciler.gitops.commits import CommitInfo
from reconciler.gitops.entries import LIMITS, Entry, Limits
from reconciler.gitops.environment import Access
from reconciler.gitops.failures import MirrorLocked
from reconciler.gitops.git import Git
from reconciler.gitops.reach import Reach
from reconciler.gitops.refs import check_ref, is_ref
from reconciler.gitops.renewal import make_anew, raise_for
from reconciler.gitops.store import Store
from reconciler.gitops.tree import Tree
from reconciler.gitops.url import Remote, check_url

DEADLINE = timedelta(seconds=60)
PACK_LIMIT_BYTES = 2 * 2**30
KEPT = "refs/kept/"
_REMEMBERED = 4096

T = TypeVar("T")
_log = logging.getLogger(__name__)


class Mirror:
    """A bare mirror of one remote. May be used by several threads, and by several processes."""

    def __init__(
        self,
        url: str | Remote,
        directory: Path,
        *,
        deadline: timedelta = DEADLINE,
        access: Access | None = None,
        pack_limit_bytes: int = PACK_LIMIT_BYTES,
    ) -> None:
        """Open the mirror in its state directory; nothing is asked of the remote yet.

        `deadline` bounds each call of git; making the mirror anew may take ten times as long.
        `pack_limit_bytes` bounds what one fetch may bring.

        Raises:
            SettingsError: the address is not one that git may be given.
            SourceUnavailable: the directory cannot be used.
        """
        self.remote = check_url(url) if isinstance(url, str) else url
        self._store = Store(directory)
        self._reach = Reach.of(
            self.remote,
            self._store,
            access=access,
            deadline=deadline,
            pack_limit_bytes=pack_limit_bytes,
        )
        self._asking = threading.RLock()
        self._writing = threading.RLock()
        self._ancestry: dict[tuple[str, str], bool] = {}
        self._kept: dict[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Mirror({str(self.remote)!r}, {str(self._store.directory)!r})"

    def close(self) -> None:
        """Let go of the state directory."""
        self._store.close()

    # The remote.

    def poll(self) -> Mapping[str, str]:
        """The remote's branches and their heads, without fetching.

        Raises:
            SourceUnavailable: it did not answer in time, or refused.
        """
        with self._asking:
            nowhere = self._store.current or self._store.directory
            return transport.remote_heads(self._reach.wire(nowhere))

    def fetch(self) -> Mapping[str, str]:
        """Bring the mirror up to date and give the branches and their heads.

        Raises:
            SourceUnavailable: the remote did not answer in time, or there is no room.
            SourceCorrupt: some of what the remote has is broken. Branches that are not are up to
                date nevertheless, the others stay as they were.
        """
        with self._asking:
            current = self._store.current
            if current is None:
                make_anew(self._store, self._reach, self._writing)
            else:
                self._bring_up_to_date(self._reach.wire(current))
            self._tidy()
            return self._heads(self.git())

    def fetch_own(self, ref: str) -> None:
        """Bring what the remote has of one of our own refs.

        Raises:
            SourceError: the remote did not answer, or no longer has it.
        """
        with self._asking:
            transport.fetch_one(self._reach.wire(self.git().directory), ref)

    def push(self, updates: Mapping[str, str]) -> Mapping[str, transport.Refusal]:
        """Push commits to our own refs; gives the refs that were refused.

        Raises:
            SourceUnavailable: the remote did not answer or takes no push at all.
        """
        return transport.push(self._reach.wire(self.git().directory), updates)

    def try_push(self, updates: Mapping[str, str]) -> Mapping[str, transport.Refusal]:
        """See whether the remote would take a push, as far as it tells without one.

        Raises:
            SourceUnavailable: the remote did not answer or takes no push at all.
        """
        wire = self._reach.wire(self.git().directory)
        return transport.push(wire, updates, dry_run=True)

    def publish(self, updates: Mapping[str, str]) -> Mapping[str, transport.Refusal]:
        """Push to branches and tags of people, never forced; gives the refs that were refused.

        What was taken is known here at once.

        Raises:
            SourceUnavailable: the remote did not answer or takes no push at all.
            ValueError: a ref is no branch or tag, or one of our own records.
        """
        git = self.git()
        refused = transport.publish(self._reach.wire(git.directory), updates)
        for ref in updates.keys() - refused.keys():
            here = transport.tracking(ref)
            with self._writing:
                git.set_ref(here, updates[ref], git.ref(here))
        return refused

    # Reading. Nothing here asks the remote, unless the mirror turns out to be broken.

    def heads(self) -> Mapping[str, str]:
        """The remote's branches and their heads as last fetched.

        Raises:
            SourceUnavailable: nothing was fetched yet, or the remote has no branch at all.
        """
        heads = self._heads(self.git())
        if not heads:
            raise SourceUnavailable(
                f"{self.remote}: no branch was ever fetched from it; "
                "check the address, and that something was pushed there"
            )
        return heads

    def head(self, branch: str) -> str | None:
        """The head of one branch as last fetched; None if there is no such branch."""
        return self._heads(self.git()).get(branch)

    def tree(self, commit: str, limits: Limits = LIMITS) -> Tree:
        """The files of a commit; read when they are asked for."""
        return Tree(commit, self, limits)

    def list_tree(self, commit: str, limits: Limits) -> Sequence[Entry]:
        """Every entry of a commit's tree, whatever it is."""
        return self._reading(lambda git: tuple(objects.list_tree(git, commit, limits)))

    def read_blobs(self, blobs: Iterable[str], limit_bytes: int) -> Mapping[str, bytes]:
        """The contents of blobs, by id."""
        wanted = tuple(blobs)
        return self._reading(lambda git: objects.read_blobs(git, wanted, limit_bytes))

    def has_commit(self, sha: str) -> bool:
        """Whether the commit is in the mirror."""
        return self.git().has_commit(sha)

    def is_ancestor(self, old: str, new: str) -> bool:
        """Whether `new` is `old` or descends from it."""
        if (old, new) not in self._ancestry:
            if len(self._ancestry) >= _REMEMBERED:
                self._ancestry.clear()
            answer = self._reading(lambda git: git.is_ancestor(old, new))
            self._ancestry[old, new] = answer
            return answer
        return self._ancestry[old, new]

    def count_between(self, old: str, new: str) -> int:
        """How many commits lead to `new` and not to `old`."""
        return len(self._reading(lambda git: git.commits_between(new, (old,))))

    def commit_info(self, sha: str) -> CommitInfo:
        """Who made a commit, when, and what its message says."""
        return self._reading(lambda git: commits.log(git, sha, 1)[0])

    def log(self, branch: str, limit: int) -> tuple[CommitInfo, ...]:
        """The newest commits of a branch as last fetched; none if there is no such branch."""
        head = self.head(branch)
        if head is None:
            return ()
        return self._reading(lambda git: commits.log(git, head, limit))

    # Refs of our own.

    def git(self) -> Git:
        """The git program on the repository in use; it cannot reach any remote.

        Raises:
            SourceUnavailable: nothing was fetched yet.
        """
        current = self._store.current
        if current is None:
            raise SourceUnavailable(
                f"{self.remote}: nothing was fetched from it yet; it is tried again"
            )
        return self._reach.here(current)

    @contextmanager
    def writing(self) -> Iterator[Git]:
        """The git program for writing our own refs, by one thread at a time.

        Raises:
            SourceUnavailable: nothing was fetched yet.
        """
        with self._writing:
            yield self.git()

    def check_writable(self) -> None:
        """See that there is room for a few records.

        Raises:
            SourceUnavailable: the disk is full or cannot be written.
        """
        self._store.check_writable()

    def keep(self, name: str, sha: str) -> bool:
        """Never forget a commit, even if no branch of the remote leads to it any more.

        A later call with the same name lets the earlier commit go. False if it is not here.

        Raises:
            SourceUnavailable: there is no room to note it.
        """
        ref = check_ref(KEPT + name)
        if self._kept.get(name) == sha:
            return True
        with self.writing() as git:
            if not git.has_commit(sha):
                return False
            old = git.ref(ref)
            if old != sha:
                git.set_ref(ref, sha, old)
            self._kept[name] = sha
        return True

    def repair(self) -> bool:
        """Make the mirror anew if its objects are broken; False if they are not.

        Raises:
            SourceError: it is broken, and the remote cannot be cloned now.
        """
        with self._asking:
            sound = self._reach.here_patiently(self.git().directory).is_sound()
            if not sound:
                self._kept.clear()
                make_anew(self._store, self._reach, self._writing)
        return not sound

    def clear_left_overs(self) -> bool:
        """Take away lock files and half written objects, if nobody here or elsewhere is at work."""
        with ExitStack() as held:
            for lock in (self._asking, self._writing):
                if not lock.acquire(blocking=False):
                    return False
                held.callback(lock.release)
            return self._store.sweep()

    # Inside.

    def _bring_up_to_date(self, wire: Git) -> None:
        try:
            transport.fetch_everything(wire)
        except MirrorLocked:
            if not self.clear_left_overs():
                raise
            transport.fetch_everything(wire)
        except SourceCorrupt:
            if not self.repair():  # the remote is at fault, perhaps in one branch only
                raise_for(transport.fetch_each(wire))
                raise
        except SourceUnavailable:
            self.clear_left_overs()  # half a pack may take all the room there is
            raise

    def _reading(self, read: Callable[[Git], T]) -> T:
        """Read; if the mirror is broken, make it anew and read again."""
        git = self.git()
        try:
            return read(git)
        except SourceError as error:
            with self._asking:
                replaced = self._store.current != git.directory
                broken = isinstance(error, SourceCorrupt)
                if not (replaced or (broken and self.repair())):
                    raise
        return read(self.git())

    def _tidy(self) -> None:
        """Pack what has piled up; mostly there is nothing to do. That it fails does no harm."""
        try:
            self._reach.here_patiently(self.git().directory).tidy()
        except SourceError as error:
            _log.warning("%s", error)

    def _heads(self, git: Git) -> dict[str, str]:
        prefix = transport.ORIGIN_HEADS
        found = git.refs(prefix)
        return {name.removeprefix(prefix): sha for name, sha in found.items() if is_ref(name)}
