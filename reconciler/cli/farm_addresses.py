"""The addresses of the farm: in a tree, on the environments' branches, and in their past."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Address

from reconciler.cli.command import Failure
from reconciler.cli.repository import Repository
from reconciler.cli.terminal import remark
from reconciler.config.address_plan import Taken, taken
from reconciler.config.load import ParseCache, TreeReader, environments_of, is_read, load
from reconciler.config.repository import Documents
from reconciler.errors import ConfigError
from reconciler.gitops.mirror import Mirror
from reconciler.gitops.quarantine import MOST_COMMITS, addresses_in, given_up
from reconciler.model.position import Problem


@dataclass(frozen=True, slots=True)
class Heads:
    """What the heads of the environments' branches say. `more` is used on those unread."""

    documents: tuple[Documents, ...]
    more: frozenset[IPv4Address]


def documents_of(tree: TreeReader) -> tuple[Documents, ...]:
    """The documents of all environments of a tree, in which addresses may be lacking.

    Raises:
        Failure: it is no config repository.
        ConfigError: every problem of the tree but that.
    """
    names = environments_of(tree)
    if not names:
        raise Failure(
            "there is no environments/<name>/ here, so this is no config repository; "
            "go to one, or name its directory"
        )
    cache = ParseCache()
    found: list[Documents] = []
    problems: set[Problem] = set()
    for name in names:
        try:
            found.append(load(tree, name, cache, may_lack_addresses=True))
        except ConfigError as error:
            problems.update(error.problems)
    if problems:
        raise ConfigError(sorted(problems))
    return tuple(found)


def heads_of(repository: Repository) -> Heads:
    """What each environment's own branch says; of one that does not load, all that it names."""
    cache = ParseCache()
    documents: list[Documents] = []
    more: set[IPv4Address] = set()
    for environment, head in repository.source.heads().items():
        tree = repository.mirror.tree(head)
        try:
            documents.append(load(tree, environment, cache, may_lack_addresses=True))
        except ConfigError:
            remark(f"the branch of {environment} has problems; what it names counts as used")
            more |= _named(tree, environment)
    return Heads(tuple(documents), frozenset(more))


def taken_in(
    repository: Repository, documents: Sequence[Documents], heads: Heads, now: datetime
) -> Taken:
    """What is used in the tree or on a branch, in quarantine, or spoken of."""
    every = (*documents, *heads.documents)
    quarantines = [network.quarantine for each in every for network in each.networks.values()]
    longest = max(quarantines, default=timedelta())
    past = _given_up(repository.mirror, repository.source.heads().values(), now - longest)
    return taken(every, past, now, heads.more)


def _given_up(
    mirror: Mirror, heads: Iterable[str], since: datetime
) -> Mapping[IPv4Address, datetime]:
    """When the branches gave addresses up. Says so if there is more history than is looked at."""
    times: dict[IPv4Address, datetime] = {}
    for head in sorted(set(heads)):
        found = given_up(mirror.git(), head, since)
        if found.reaches is not None:
            remark(
                f"only the last {MOST_COMMITS} commits of a branch were looked at for addresses "
                f"in quarantine, back to {found.reaches:%Y-%m-%d}"
            )
        for address, when in found.times.items():
            times[address] = max(when, times.get(address, when))
    return times


def _named(tree: TreeReader, environment: str) -> frozenset[IPv4Address]:
    """Every address in the documents of a tree, right or wrong."""
    try:
        entries = tree.entries()
    except ConfigError:
        return frozenset()
    blobs = {blob for path, blob in entries.items() if is_read(path, environment)}
    return addresses_in(tree.read(blobs).values())
