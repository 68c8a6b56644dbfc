"""The files of one commit, read from the object database: what the config loader is given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Protocol

from reconciler.gitops.entries import LIMITS, Entry, Limits, check_entries


class ObjectSource(Protocol):
    """Where entries and contents come from."""

    def list_tree(self, commit: str, limits: Limits) -> Sequence[Entry]:
        """Every entry of a commit's tree."""
        ...

    def read_blobs(self, blobs: Iterable[str], limit_bytes: int) -> Mapping[str, bytes]:
        """The contents of blobs, by id."""
        ...


@dataclass(frozen=True)
class Tree:
    """The plain files of one commit. It is listed when it is first asked, and once."""

    commit: str
    source: ObjectSource
    limits: Limits = LIMITS

    def entries(self) -> Mapping[str, str]:
        """The blob id of each file, by path.

        Raises:
            ConfigError: something is in the tree that may not be there, or it is too large.
            SourceError: the tree cannot be read.
        """
        return self._blobs

    def read(self, blobs: Iterable[str]) -> Mapping[str, bytes]:
        """The contents of blobs of this tree, by id, in one go.

        Raises:
            SourceError: a blob cannot be read.
        """
        return self.source.read_blobs(blobs, self.limits.total_bytes)

    @cached_property
    def _blobs(self) -> Mapping[str, str]:
        entries = check_entries(self.source.list_tree(self.commit, self.limits), self.limits)
        return MappingProxyType({path: entry.blob for path, entry in entries.items()})
