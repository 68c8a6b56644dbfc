"""How far a git process reaches: only into its repository, to the remote, or to another mirror."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Self

from reconciler.gitops.environment import Access, git_environment, shared_settings
from reconciler.gitops.git import Git
from reconciler.gitops.store import Store
from reconciler.gitops.url import Remote

_PATIENCE = 10


@dataclass(frozen=True, slots=True)
class Reach:
    """Makes the git programs of a mirror. Each of them holds the store's lock while it runs."""

    remote: Remote
    deadline: timedelta
    pack_limit_bytes: int
    lock: int
    local_environment: dict[str, str] = field(repr=False)
    wire_environment: dict[str, str] = field(repr=False)

    @classmethod
    def of(
        cls,
        remote: Remote,
        store: Store,
        *,
        access: Access | None,
        deadline: timedelta,
        pack_limit_bytes: int,
    ) -> Self:
        """The reach of a mirror of `remote` that lies in `store`.

        Raises:
            SourceUnavailable: the store cannot be written.
        """
        settings = shared_settings(remote)
        shared = store.write_settings(settings) if settings else None
        wire = git_environment(remote, access, shared, durable=False)
        return cls(remote, deadline, pack_limit_bytes, store.lock, git_environment(), wire)

    def here(self, repository: Path) -> Git:
        """Git that speaks to nobody."""
        return Git(repository, self.local_environment, self.deadline, inherited=(self.lock,))

    def here_patiently(self, repository: Path) -> Git:
        """The same, for what takes long in a large repository."""
        return self.here(repository).within(self.deadline * _PATIENCE)

    def wire(self, repository: Path) -> Git:
        """Git that speaks to the remote."""
        return Git(
            repository,
            self.wire_environment,
            self.deadline,
            where=str(self.remote),
            file_bytes=self.pack_limit_bytes,
            inherited=(self.lock,),
        )

    def wire_patiently(self, repository: Path) -> Git:
        """The same, for bringing everything at once."""
        return self.wire(repository).within(self.deadline * _PATIENCE)

    def from_repository(self, other: Path, repository: Path) -> Git:
        """Git that speaks to another repository of ours."""
        environment = git_environment(Remote(other.as_uri(), "file", directory=other))
        return Git(repository, environment, self.deadline, where=str(other), inherited=(self.lock,))
