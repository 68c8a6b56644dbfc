"""Addresses that were given up lately: what the history of a branch had, and has no more.

Somebody may still speak to them, so they are given to nobody for a while. The lines that commits
took away are read, not the documents of each: whatever a line named is counted, rather too much
than too little.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import AddressValueError, IPv4Address

from reconciler.gitops.git import Git
from reconciler.gitops.refs import check_object_id

MOST_COMMITS = 2000  # of a branch, newest first; merges count as one
_TOGETHER = 50  # commits that are compared in one go
_ADDRESS = re.compile(rb"(?<![\w.:/-])\d{1,3}(?:\.\d{1,3}){3}(?![\w./-])")
_COMMIT = re.compile(rb"\A[0-9a-f]{40}\Z")
_DOCUMENTS = (b".yaml", b".yml")


@dataclass(frozen=True, slots=True)
class GivenUp:
    """When each address was given up last. `reaches` is how far back was looked, None if enough."""

    times: dict[IPv4Address, datetime] = field(default_factory=dict)
    reaches: datetime | None = None


def given_up(git: Git, head: str, since: datetime, most: int = MOST_COMMITS) -> GivenUp:
    """What the commits of a branch took away since a time, as the branch itself went on.

    What a merge brought counts from the merge.

    Raises:
        SourceError: the history cannot be read, or one of its changes is too large.
    """
    listed = git.call(
        "listing the history",
        "rev-list",
        "--first-parent",
        "--parents",
        "--timestamp",
        f"--max-count={int(most)}",
        "--end-of-options",
        check_object_id(head),
    ).output.decode("ascii")
    commits = [line.split() for line in listed.splitlines()]
    times = {words[1]: datetime.fromtimestamp(int(words[0]), UTC) for words in commits}
    pairs = [
        f"{words[1]} {words[2]}\n" for words in commits if words[2:] and times[words[1]] >= since
    ]
    found: dict[IPv4Address, datetime] = {}
    for start in range(0, len(pairs), _TOGETHER):
        for commit, address in _removed(_changes(git, pairs[start : start + _TOGETHER])):
            found[address] = max(times[commit], found.get(address, times[commit]))
    oldest = min(times.values(), default=since)
    return GivenUp(found, oldest if len(commits) >= most and oldest > since else None)


def addresses_in(contents: Iterable[bytes]) -> frozenset[IPv4Address]:
    """Every address that stands in documents by itself, and not as the end of a range."""
    return frozenset(address for each in contents for address in _addresses(each))


def _changes(git: Git, pairs: Iterable[str]) -> bytes:
    return git.call(
        "comparing commits",
        "diff-tree",
        "--stdin",
        "-r",
        "--patch",
        "--unified=0",
        "--text",
        "--no-renames",
        "--no-color",
        "--no-ext-diff",
        "--no-textconv",
        "--src-prefix=a/",
        given="".join(pairs).encode(),
    ).output


def _removed(output: bytes) -> Iterator[tuple[str, IPv4Address]]:
    """The addresses in lines of documents that each commit took away."""
    commit, path, in_head = "", b"", True
    for line in output.split(b"\n"):
        if _COMMIT.match(line):
            commit = line.decode("ascii")
        elif line.startswith(b"diff --git "):
            path, in_head = b"", True
        elif line.startswith(b"@@ "):
            in_head = False
        elif in_head and line.startswith(b"--- "):
            path = line.rstrip(b'\t"')
        elif not in_head and line.startswith(b"-") and path.endswith(_DOCUMENTS):
            yield from ((commit, address) for address in _addresses(line[1:]))


def _addresses(text: bytes) -> Iterator[IPv4Address]:
    for found in _ADDRESS.findall(text):
        try:
            yield IPv4Address(found.decode("ascii"))
        except AddressValueError:
            continue
