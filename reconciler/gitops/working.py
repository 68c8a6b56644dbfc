"""A config repository that a person works in: made, committed to and merged by `init` and `demo`.

This is GitPython's ground: a repository with a work tree that belongs to whoever runs us. What
comes from elsewhere is read through the mirror.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Self

from git import Actor, Commit, GitError, Head, IndexFile, Repo

from reconciler.errors import SourceUnavailable, Stalled
from reconciler.gitops.refs import branch_ref
from reconciler.gitops.stream import Identity


@dataclass(frozen=True, slots=True)
class Author:
    """Who commits in a work tree, and what time it is."""

    identity: Identity
    clock: Callable[[], datetime]


class WorkingRepository:
    """A repository with a work tree. To be closed: an open one keeps processes and files."""

    def __init__(self, repo: Repo, author: Author) -> None:
        """Use `create` or `open`."""
        self._repo = repo
        self._author = author

    @classmethod
    def create(
        cls,
        directory: Path,
        files: Mapping[str, bytes],
        branches: Sequence[str],
        message: str,
        author: Author,
    ) -> Self:
        """Make a repository whose branches all begin with one commit of `files`.

        The first branch is the one that is checked out.

        Raises:
            SourceUnavailable: the directory is a repository already, or cannot be written.
            ValueError: git allows no branch of such a name.
        """
        for branch in branches:
            branch_ref(branch)
        if (directory / ".git").exists():
            raise SourceUnavailable(f"{directory}: is a git repository already; choose another")
        with _understandable(directory):
            repo = Repo.init(directory, initial_branch=branches[0])
            made = cls(repo, author)
            made.commit(message, files)
            for branch in branches[1:]:
                repo.create_head(branch)
        return made

    @classmethod
    def open(cls, directory: Path, author: Author) -> Self:
        """Open the repository whose work tree is at or above a directory.

        Raises:
            SourceUnavailable: there is none.
        """
        with _understandable(directory):
            return cls(Repo(directory, search_parent_directories=True), author)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the processes and close the files that belong to it."""
        self._repo.close()

    @property
    def directory(self) -> Path:
        """The top of the work tree."""
        return Path(self._repo.working_dir)

    def head(self, branch: str) -> str:
        """The commit at the head of a branch.

        Raises:
            SourceUnavailable: there is no such branch.
        """
        return self._branch(branch).commit.hexsha

    def switch(self, branch: str) -> None:
        """Check a branch out; it must exist.

        Raises:
            SourceUnavailable: it does not, or the work tree is in the way.
        """
        with _understandable(self.directory):
            self._branch(branch).checkout()

    def commit(self, message: str, files: Mapping[str, bytes | None]) -> str:
        """Write files into the work tree (None: take it away) and commit them to its branch.

        Raises:
            SourceUnavailable: a file cannot be written.
        """
        with _understandable(self.directory):
            index = self._repo.index
            for name, content in files.items():
                path = self.directory / name
                if content is None:
                    index.remove([name], working_tree=True)
                else:
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(content)
                    index.add([name])
            actor, time = self._signature()
            made = index.commit(
                message,
                author=actor,
                committer=actor,
                author_date=time,
                commit_date=time,
                skip_hooks=True,
            )
        return made.hexsha

    def merge(self, source: str, target: str, message: str) -> str:
        """Merge a branch into another by a commit of its own; gives that commit.

        Raises:
            SourceUnavailable: a branch does not exist, or the repository cannot be written.
            Stalled: both changed the same file.
        """
        with _understandable(self.directory):
            theirs, ours = self._branch(source).commit, self._branch(target).commit
            bases = self._repo.merge_base(ours, theirs)[:1]
            index = IndexFile.from_tree(self._repo, *bases, ours, theirs)
            if conflicts := sorted(map(str, index.unmerged_blobs())):
                raise Stalled(
                    f"{source} cannot be merged into {target}: both changed {', '.join(conflicts)}",
                    f"merge {target} into {source} by hand first",
                )
            actor, time = self._signature()
            made = Commit.create_from_tree(
                self._repo,
                index.write_tree(),
                message,
                parent_commits=[ours, theirs],
                author=actor,
                committer=actor,
                author_date=time,
                commit_date=time,
            )
            self._move(target, made)
        return made.hexsha

    def _move(self, branch: str, commit: Commit) -> None:
        if not self._repo.head.is_detached and self._repo.active_branch.name == branch:
            self._repo.head.reset(commit, index=True, working_tree=True)
        else:
            self._branch(branch).commit = commit

    def _branch(self, name: str) -> Head:
        branch_ref(name)
        for head in self._repo.heads:
            if head.name == name:
                return head
        raise SourceUnavailable(f"{self.directory}: there is no branch {name}; make it first")

    def _signature(self) -> tuple[Actor, datetime]:
        identity = self._author.identity
        return Actor(identity.name, identity.email), self._author.clock()


@contextmanager
def _understandable(directory: Path) -> Iterator[None]:
    try:
        yield
    except (GitError, OSError) as error:
        raise SourceUnavailable(
            f"{directory}: {error}; check the path and its permissions"
        ) from error
