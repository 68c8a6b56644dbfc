"""The mirror of a git repository in the state directory: a cache that can always be made anew.

Polling asks the remote for its heads only; fetching brings everything below `refs/origin/`. Reading
never touches the network. What is ours and not pushed yet (the journal's spool) lives here too and
is carried over when a broken mirror is replaced.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Self, TypeVar

from reconciler.errors import SourceCorrupt, SourceError, SourceUnavailable
from reconciler.gitops import commits, objects, transport
from reconciler.gitops.commits import CommitInfo
from reconciler.gitops.entries import LIMITS, Entry, Limits
from reconciler.gitops.environment import Access, git_environment, shared_settings
from reconciler.gitops.failures import MirrorLocked
from reconciler.gitops.git import Git
from reconciler.gitops.refs import check_ref, is_ref
from reconciler.gitops.store import Store
from reconciler.gitops.tree import Tree
from reconciler.gitops.url import Remote, check_url

DEADLINE = timedelta(seconds=60)
PACK_LIMIT_BYTES = 2 * 2**30
KEPT = "refs/kept/"
_OURS = ("refs/heads/", "refs/notes/", "refs/kept/", "refs/pushed/", "refs/replaced/")
_CLONE_PATIENCE = 10
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
        self._deadline = deadline
        self._pack_limit_bytes = pack_limit_bytes
        self._store = Store(directory)
        settings = shared_settings(self.remote)
        shared = self._store.write_settings(settings) if settings else None
        self._wire_environment = git_environment(self.remote, access, shared)
        self._environment = git_environment()
        self._asking = threading.RLock()
        self._writing = threading.RLock()
        self._ancestry: dict[tuple[str, str], bool] = {}

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
            return transport.remote_heads(self._wire(nowhere))

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
                self._make_anew()
            else:
                self._bring_up_to_date(self._wire(current))
            return self._heads(self.git())

    def fetch_own(self, ref: str) -> None:
        """Bring what the remote has of one of our own refs.

        Raises:
            SourceError: the remote did not answer, or no longer has it.
        """
        with self._asking:
            transport.fetch_one(self._wire(self.git().directory), ref)

    def push(self, updates: Mapping[str, str]) -> Mapping[str, transport.Refusal]:
        """Push commits to our own refs; gives the refs that were refused.

        Raises:
            SourceUnavailable: the remote did not answer or takes no push at all.
        """
        return transport.push(self._wire(self.git().directory), updates)

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
        return self._local(current)

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

    def keep(self, name: str, sha: str) -> None:
        """Never forget a commit, even if no branch of the remote leads to it any more.

        A later call with the same name lets the earlier commit go.
        """
        ref = check_ref(KEPT + name)
        with self.writing() as git:
            old = git.ref(ref)
            if old != sha:
                git.set_ref(ref, sha, old)

    def repair(self) -> bool:
        """Make the mirror anew if its objects are broken; False if they are not.

        Raises:
            SourceError: it is broken, and the remote cannot be cloned now.
        """
        with self._asking:
            sound = self._patiently(self.git().directory).is_sound()
            if not sound:
                self._make_anew()
        return not sound

    def tidy(self) -> None:
        """Pack what has piled up. To be called now and then; mostly it finds nothing to do."""
        with self._asking, self._writing:
            self.git().within(self._deadline * _CLONE_PATIENCE).tidy()

    # Making the mirror anew.

    def _bring_up_to_date(self, wire: Git) -> None:
        try:
            transport.fetch_everything(wire)
        except MirrorLocked:
            if not self._clear_locks():
                raise
            transport.fetch_everything(wire)
        except SourceCorrupt:
            if not self.repair():  # the remote is at fault, perhaps in one branch only
                _raise_for(transport.fetch_each(wire))
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

    def _make_anew(self) -> None:
        """Clone into a new directory, carry over what is ours, and swap.

        Raises:
            SourceError: the remote cannot be cloned now. The old mirror stays.
        """
        fresh = self._store.fresh()
        try:
            wire = self._wire(fresh).within(self._deadline * _CLONE_PATIENCE)
            wire.init()
            failed = _fetch_what_can_be_had(wire)
            with self._writing, self._store.alone() as alone:
                old = self._store.current
                if old is not None and not alone:
                    raise SourceCorrupt(
                        f"{old}: objects are broken, and another process uses the mirror; end that"
                        " process, so that the mirror can be made anew"
                    )
                lost = self._carry_over(old, fresh) if old else ()
                self._store.publish(fresh)
        except BaseException:
            self._store.discard(fresh)
            raise
        if old is not None:
            self._retire(old, lost)
        _raise_for(failed)

    def _carry_over(self, old: Path, fresh: Path) -> tuple[str, ...]:
        """Bring our own refs from the old repository; gives those that cannot be read there."""
        place = Remote(old.as_uri(), "file", directory=old)
        new = Git(fresh, git_environment(place), self._deadline, str(old))
        try:
            refs = self._local(old).refs("refs/")
        except SourceError:
            return ("refs/",)
        ours = [ref for ref in refs if ref.startswith(_OURS)]
        return tuple(ref for ref in ours if not _carried(new, ref))

    def _retire(self, old: Path, lost: Sequence[str]) -> None:
        if not lost:
            _log.warning("%s: its objects were broken; the mirror was made anew", self.remote)
            self._store.discard(old)
            return
        aside = self._store.put_aside(old)
        _log.error(
            "%s: the mirror was made anew, but %s could not be read; the old one is kept as %s",
            self.remote,
            ", ".join(lost),
            aside,
        )

    def _clear_locks(self) -> bool:
        """Take stale lock files away, if nobody here or elsewhere is at work."""
        if not self._writing.acquire(blocking=False):
            return False
        try:
            return self._store.sweep()
        finally:
            self._writing.release()

    def _heads(self, git: Git) -> dict[str, str]:
        prefix = transport.ORIGIN_HEADS
        found = git.refs(prefix)
        return {name.removeprefix(prefix): sha for name, sha in found.items() if is_ref(name)}

    def _local(self, directory: Path) -> Git:
        return Git(directory, self._environment, self._deadline, inherited=(self._store.lock,))

    def _patiently(self, directory: Path) -> Git:
        return self._local(directory).within(self._deadline * _CLONE_PATIENCE)

    def _wire(self, directory: Path) -> Git:
        return Git(
            directory,
            self._wire_environment,
            self._deadline,
            where=str(self.remote),
            file_bytes=self._pack_limit_bytes,
            inherited=(self._store.lock,),
        )


def _fetch_what_can_be_had(wire: Git) -> Mapping[str, SourceError]:
    """Everything, or at least some branches; gives those that failed."""
    try:
        transport.fetch_everything(wire)
    except SourceCorrupt:
        failed = transport.fetch_each(wire)
        if not wire.refs(transport.ORIGIN_HEADS):
            raise
        return failed
    return {}


def _raise_for(failed: Mapping[str, SourceError]) -> None:
    if failed:
        said = "; ".join(f"branch {branch}: {error}" for branch, error in sorted(failed.items()))
        raise SourceCorrupt(f"{said}; the other branches are not concerned")


def _carried(new: Git, ref: str) -> bool:
    try:
        transport.fetch_from(new, (ref,))
    except SourceError:
        return False
    return True
