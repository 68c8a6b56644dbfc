"""The files of a directory as a tree: what a commit of it would hold, before it is committed.

In a work tree of git that is what git would add; anywhere else it is every file. The contents are
read once, so that what was checked is what is used.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

from reconciler.errors import SourceUnavailable
from reconciler.gitops.entries import LIMITS, Entry, Limits, check_entries, too_many_files
from reconciler.gitops.environment import git_environment
from reconciler.gitops.objects import blob_id
from reconciler.gitops.process import Bounds, Cut, run

_DEADLINE = timedelta(seconds=30)
_LIST_FILES = ("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate")


@dataclass(frozen=True)
class DirectoryTree:
    """The plain files below a directory; links are refused, never followed."""

    path: Path
    limits: Limits = LIMITS

    def entries(self) -> Mapping[str, str]:
        """The blob id that git would give each file, by path relative to the directory.

        Raises:
            ConfigError: something is there that may not be, or it is too large.
            SourceUnavailable: the directory or a file cannot be read.
        """
        return self._files[0]

    def read(self, blobs: Iterable[str]) -> Mapping[str, bytes]:
        """The contents of blobs of this tree, by id."""
        wanted = frozenset(blobs)
        return {blob: content for blob, content in self._files[1].items() if blob in wanted}

    @cached_property
    def _files(self) -> tuple[Mapping[str, str], Mapping[str, bytes]]:
        try:
            root = self.path.resolve(strict=True)
            names = _names_in_git(root, self.limits)
            listed = _walk(root, self.limits) if names is None else names
            good = check_entries(_entries(root, listed), self.limits)
            contents = {path: _content(root, path) for path in good}
        except OSError as error:
            raise SourceUnavailable(
                f"{error.filename or self.path}: cannot be read: {error.strerror}; "
                "check the path and its permissions"
            ) from error
        blobs = {path: blob_id(content) for path, content in contents.items()}
        by_blob = {blobs[path]: content for path, content in contents.items()}
        return MappingProxyType(blobs), MappingProxyType(by_blob)


def _names_in_git(root: Path, limits: Limits) -> list[bytes] | None:
    """What git tracks or would add below a directory; None if it is in no work tree."""
    environment = git_environment() | {
        # It may belong to another user, as checkouts in CI do; listing runs nothing of theirs.
        "GIT_CONFIG_COUNT": "3",
        "GIT_CONFIG_KEY_0": "safe.directory",
        "GIT_CONFIG_VALUE_0": "*",
        "GIT_CONFIG_KEY_1": "core.fsmonitor",
        "GIT_CONFIG_VALUE_1": "false",
        "GIT_CONFIG_KEY_2": "core.hooksPath",
        "GIT_CONFIG_VALUE_2": "/dev/null",
    }
    bounds = Bounds(_DEADLINE, limits.listing_bytes)
    finished = run(("git", "-C", str(root), *_LIST_FILES), environment, bounds)
    if finished.cut is Cut.OUTPUT:
        raise too_many_files(limits)
    if finished.returncode != 0 or finished.cut is not None:
        return None
    return finished.output.split(b"\0")[:-1]


def _walk(root: Path, limits: Limits) -> Iterator[bytes]:
    """Every path below a directory that is no directory itself, except below `.git`."""
    waiting = [os.fsencode(root)]
    count = 0
    start = len(waiting[0].rstrip(b"/")) + 1
    while waiting:
        with os.scandir(waiting.pop()) as found:
            for each in found:
                if each.name == b".git":
                    continue
                if each.is_dir(follow_symlinks=False):
                    waiting.append(each.path)
                    continue
                count += 1
                if count > limits.files:
                    raise too_many_files(limits)
                yield each.path[start:]


def _entries(root: Path, names: Iterable[bytes]) -> Iterator[Entry]:
    for name in names:
        status = _status(os.fsencode(root), name.rstrip(b"/"))
        if status is not None:
            yield Entry(name.rstrip(b"/"), _mode(status), "", status.st_size)


def _status(root: bytes, name: bytes) -> os.stat_result | None:
    """What is at a path, or the link that is in its way; None if there is nothing."""
    here = root
    status = None
    for part in name.split(b"/"):
        here = here + b"/" + part
        try:
            status = os.lstat(here)
        except (FileNotFoundError, NotADirectoryError):
            return None
        if stat.S_ISLNK(status.st_mode):
            return status
    return status


def _mode(status: os.stat_result) -> str:
    if stat.S_ISREG(status.st_mode):
        return "100644"
    if stat.S_ISLNK(status.st_mode):
        return "120000"
    return "160000" if stat.S_ISDIR(status.st_mode) else f"{status.st_mode:06o}"


def _content(root: Path, path: str) -> bytes:
    descriptor = os.open(root / path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        return file.read()
