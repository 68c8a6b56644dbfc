"""Which hosts there are: those that the branches describe now, whoever asks and whenever."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from reconciler.cli.repository import Repository
from reconciler.config.documents import Host
from reconciler.errors import SourceError, Stalled

FRESH_SECONDS = 1.0


class HostBook:
    """The hosts of all environments, each as its own environment's branch describes it.

    Asked often and by many threads, so the branches are looked at once a second at most, and read
    only when one has moved.
    """

    def __init__(self, repository: Repository, monotonic: Callable[[], float]) -> None:
        """Nothing is read yet."""
        self._repository = repository
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._looked_at = float("-inf")
        self._heads: Mapping[str, str] = {}
        self._hosts: Mapping[str, Host] = {}

    def __call__(self) -> Mapping[str, Host]:
        """The hosts by name."""
        with self._lock:
            if self._monotonic() - self._looked_at >= FRESH_SECONDS:
                self._look()
                self._looked_at = self._monotonic()
            return self._hosts

    def _look(self) -> None:
        source = self._repository.source
        try:
            heads = source.heads()
            if heads == self._heads:
                return
            self._hosts = source.hosts({name: self._in_force(name) for name in heads})
            self._heads = heads
        except SourceError:
            return  # what was known before still holds; whoever runs says what is wrong

    def _in_force(self, environment: str) -> str:
        """The commit that was applied last; none where the journal does not tell."""
        try:
            return self._repository.chronicle.recall(environment).revision
        except (SourceError, Stalled):
            return ""
