"""Which hosts and name servers there are: those that the branches describe now, at any time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from reconciler.cli.repository import Repository
from reconciler.config.described import DescribedServer
from reconciler.config.documents import Host
from reconciler.errors import SourceError, Stalled

FRESH_SECONDS = 1.0


class FarmBook:
    """The hosts and name servers of all environments, each as its own branch describes it.

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
        self._nameservers: Mapping[str, DescribedServer] = {}

    def hosts(self) -> Mapping[str, Host]:
        """The hosts by name."""
        with self._lock:
            self._refresh()
            return self._hosts

    def nameservers(self) -> Mapping[str, DescribedServer]:
        """The name servers by name."""
        with self._lock:
            self._refresh()
            return self._nameservers

    def _refresh(self) -> None:
        if self._monotonic() - self._looked_at >= FRESH_SECONDS:
            self._look()
            self._looked_at = self._monotonic()

    def _look(self) -> None:
        source = self._repository.source
        try:
            heads = source.heads()
            if heads == self._heads:
                return
            standing = {name: self._in_force(name) for name in heads}
            hosts, nameservers = source.hosts(standing), source.nameservers(standing)
            self._hosts, self._nameservers = hosts, nameservers
            self._heads = heads
        except SourceError:
            return  # what was known before still holds; whoever runs says what is wrong

    def _in_force(self, environment: str) -> str:
        """The commit that was applied last; none where the journal does not tell."""
        try:
            return self._repository.chronicle.recall(environment).revision
        except (SourceError, Stalled):
            return ""
