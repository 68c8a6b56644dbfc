"""The config repository: which commit an environment follows, and what it says."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from reconciler.config.described import DescribedServer, described_servers
from reconciler.config.documents import Host
from reconciler.config.load import ENVIRONMENT_NAMES, ParseCache, load
from reconciler.config.repository import Documents
from reconciler.errors import ConfigError, SourceError, Stalled
from reconciler.gitops.branches import environment_branches
from reconciler.gitops.history import check_descends
from reconciler.gitops.lineage import has_arrived
from reconciler.gitops.mirror import Mirror
from reconciler.gitops.passing import Passage, passes_on
from reconciler.model.change import Disruption
from reconciler.plan.guards import ALLOW_TRAILER
from reconciler.plan.policy import Policy
from reconciler.render.farm import Claims, claims_of, farm_problems

REMEMBERED = 12
ARRIVALS_REMEMBERED = 1024
TOP = ENVIRONMENT_NAMES[-1]
ACKNOWLEDGED_AT_MOST = 200


@dataclass(frozen=True, slots=True)
class _Loaded:
    documents: Documents
    claims: Claims


@dataclass(frozen=True, slots=True)
class _Other:
    """Another environment: its newest documents that load, and what it claims."""

    documents: Documents
    head_claims: Claims
    standing_claims: Claims


@dataclass(frozen=True, slots=True)
class Followed:
    """The commit that an environment follows, and the branch it comes from."""

    branch: str
    revision: str


@dataclass
class ConfigSource:
    """Finds heads and loads documents, from the mirror alone: only `refresh` asks the remote.

    `patterns` says which branches feed which environment. Used by several threads.
    """

    mirror: Mirror
    patterns: Mapping[str, Sequence[str]]
    _cache: ParseCache = field(default_factory=ParseCache)
    _loaded: dict[tuple[str, str], _Loaded] = field(default_factory=dict)
    _arrivals: dict[tuple[str, str], bool] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def refresh(self) -> Mapping[str, str]:
        """Fetch, and give each environment's head.

        Raises:
            SourceError: the remote did not answer, or what it has is broken; nothing changed.
        """
        self.mirror.fetch()
        return self.heads()

    def heads(self) -> Mapping[str, str]:
        """The commit at the head of each environment that has a branch, as last fetched."""
        heads = self.mirror.heads()
        return {environment: heads[branch] for environment, branch in self._feeding(heads).items()}

    def branches(self) -> Mapping[str, str]:
        """The branch that feeds each environment that has one, as last fetched."""
        return self._feeding(self.mirror.heads())

    def closed(self) -> frozenset[str]:
        """The release and hotfix branches whose work has reached production, as last fetched."""
        return self._merged(self.mirror.heads())

    def head_of(self, environment: str) -> str | None:
        """The head of an environment's branch as last fetched; None if it has none."""
        return self.heads().get(environment)

    def release_pattern(self, environment: str, heads: Iterable[str]) -> str | None:
        """How the release branches that feed an environment are called, as `release/v*`.

        None if a branch with a name of its own feeds it, or none of that kind is named.
        """
        patterns = self.patterns.get(environment, ())
        if not {*patterns}.isdisjoint(heads):
            return None
        return next((each for each in patterns if "*" in each), None)

    def head(self, environment: str, applied: str, *, accept_history: bool = False) -> str:
        """The commit the environment is to follow now, as `follow` finds it."""
        return self.follow(environment, applied, accept_history=accept_history).revision

    def follow(
        self, environment: str, applied: str, branch: str = "", *, accept_history: bool = False
    ) -> Followed:
        """The commit the environment is to follow now, and the branch it comes from.

        `applied` is the commit that was applied last, empty if none was, and `branch` the one it
        came from, empty if that is not known. `accept_history` takes a head that does not descend
        from it. Between two releases there may be no branch: then what is applied stays.

        Raises:
            Stalled: the environment has no branch. It is never taken for an empty one.
            HistoryRewritten: the head does not descend from what was applied.
        """
        heads = self.mirror.heads()
        feeding = self._feeding(heads).get(environment)
        head = heads[feeding] if feeding else None
        if applied:
            self.mirror.keep(environment, applied)  # in force also if the branch is rewritten
        if applied and not (accept_history and head):
            passage = self._passage(environment, applied, branch, feeding, heads)
            if not self._descends(applied, head) and passes_on(self.mirror.git(), passage):
                return Followed(feeding or branch, head or applied)
            check_descends(self.mirror, environment, applied, head)
        if feeding is None or head is None:
            names = ", ".join(self.patterns.get(environment, ()))
            reason = f"no branch of the repository is {environment}'s ({names})"
            raise Stalled(reason, "push the branch; nothing is deleted meanwhile")
        return Followed(feeding, head)

    def documents(
        self, environment: str, revision: str, standing: Mapping[str, str] | None = None
    ) -> Documents:
        """The documents of a commit, checked by themselves and against the other environments.

        `standing` are the commits in force. What they claim is taken; so is what the head of a
        higher environment claims, while a lower one's head can wait and must not hold it up. A
        commit that is itself in force has its names and its share already: nobody stops it.
        Without `standing` the branches' heads are held against each other.

        Raises:
            ConfigError: every problem of the commit, with file, line and column.
        """
        with self._lock:
            mine = self._load(environment, revision)
            if standing is not None and standing.get(environment) == revision:
                return mine.documents
            others = self._others(environment, standing)
        claims = {
            name: {**other.head_claims, **other.standing_claims} for name, other in others.items()
        }
        problems = farm_problems(
            mine.documents,
            {name: other.documents for name, other in others.items()},
            {**claims, environment: mine.claims},
        )
        if problems:
            raise ConfigError(problems)
        return mine.documents

    def hosts(self, standing: Mapping[str, str]) -> Mapping[str, Host]:
        """The hosts of all environments, as their own branches describe them.

        A branch whose head does not load describes them as its `standing` commit does. Of two that
        call a host their own it is the higher one's: a push to the lower must not lead us to
        another machine.
        """
        return {
            name: host
            for documents in self._described(standing)
            for name, host in documents.hosts.items()
            if host.environment == documents.environment
        }

    def nameservers(self, standing: Mapping[str, str]) -> Mapping[str, DescribedServer]:
        """The name servers of all environments, found as the hosts are.

        A document that is no environment's in particular counts as the highest one has it. One
        that leads to a host of another environment leads nowhere, whatever its branch says.
        """
        hosts = self.hosts(standing)
        return {
            server.document.name: server
            for documents in self._described(standing)
            for server in described_servers(documents)
            if all(
                hosts[place.name].environment == server.environment
                for place in server.document.hosts
                if place.name in hosts
            )
        }

    def hosts_of_others(self, environment: str) -> Mapping[str, Host]:
        """The hosts of the other environments, as their own branches describe them."""
        with self._lock:
            others = self._others(environment, None)
        return {
            host.name: host
            for name, other in others.items()
            for host in other.documents.hosts.values()
            if host.environment == name
        }

    def policy(self, documents: Documents, revision: str, since: str) -> Policy:
        """What the Environment document allows, and what the commits' authors acknowledged.

        Acknowledgements count from the commit after `since`, the last one that was Ready, so that
        they survive merges and unfinished runs; without one, only the commit's own count. Once the
        commit is Ready they are used up: what happens to the farm later was not acknowledged.
        """
        written = documents.policy
        return Policy(
            prune=written.prune,
            drift=written.drift,
            max_disruption=Disruption.of(written.max_disruption),
            machines_percent=written.max_deletions.machines_percent,
            records_percent=written.max_deletions.records_percent,
            suspend=written.suspend,
            rollback_after=written.rollback_after if written.rollback == "automatic" else None,
            allowed=frozenset(self._acknowledged(revision, since)),
            in_maintenance=frozenset(
                host.name for host in documents.hosts.values() if host.maintenance
            ),
        )

    def _acknowledged(self, revision: str, since: str) -> Iterator[str]:
        new: tuple[str, ...] = ()
        if revision == since:
            return
        if since and self.mirror.has_commit(since):
            new = self.mirror.git().commits_between(revision, (since,))[-ACKNOWLEDGED_AT_MOST:]
        for commit in new or (revision,):
            yield from self.mirror.commit_info(commit).all(ALLOW_TRAILER)

    def _descends(self, applied: str, head: str | None) -> bool:
        return (
            head is not None
            and self.mirror.has_commit(applied)
            and self.mirror.is_ancestor(applied, head)
        )

    def _passage(
        self,
        environment: str,
        applied: str,
        was: str,
        feeding: str | None,
        heads: Mapping[str, str],
    ) -> Passage:
        above = None if environment == TOP else self._production(heads)
        patterns = self.patterns.get(environment, ())
        return Passage(applied, was, feeding, heads.get(feeding or ""), above, patterns)

    def _feeding(self, heads: Mapping[str, str]) -> dict[str, str]:
        return environment_branches(heads, self.patterns, merged=self._merged(heads))

    def _merged(self, heads: Mapping[str, str]) -> frozenset[str]:
        """The release and hotfix branches whose work has reached production already."""
        production = self._production(heads)
        if production is None:
            return frozenset()
        return frozenset(
            branch
            for branch, head in heads.items()
            if branch.startswith(("release/", "hotfix/")) and self._arrived(head, production)
        )

    def _production(self, heads: Mapping[str, str]) -> str | None:
        """The head of production's branch."""
        names = self.patterns.get(TOP, ())
        return next((heads[name] for name in names if name in heads), None)

    def _arrived(self, head: str, production: str) -> bool:
        """Whether the work has reached production, also as one squashed commit."""
        key = (head, production)
        if key not in self._arrivals:
            if len(self._arrivals) >= ARRIVALS_REMEMBERED:
                self._arrivals.clear()
            self._arrivals[key] = has_arrived(self.mirror.git(), head, production)
        return self._arrivals[key]

    def _described(self, standing: Mapping[str, str]) -> Iterator[Documents]:
        """What each branch's head says, else its `standing` commit; the highest is the last."""
        heads = self.heads()
        with self._lock:
            for name in sorted({*heads, *standing}, key=ENVIRONMENT_NAMES.index):
                newest = self._try_load(name, heads.get(name, ""))
                if found := newest or self._try_load(name, standing.get(name, "")):
                    yield found.documents

    def _others(self, environment: str, standing: Mapping[str, str] | None) -> dict[str, _Other]:
        """The other environments, as far as any of their commits loads."""
        heads = self.heads()
        in_force = standing or {}
        others: dict[str, _Other] = {}
        for name in sorted({*heads, *in_force} - {environment}, key=ENVIRONMENT_NAMES.index):
            head = self._try_load(name, heads.get(name, ""))
            stands = self._try_load(name, in_force.get(name, ""))
            if newest := head or stands:
                counts = head is not None and (standing is None or _is_above(name, environment))
                others[name] = _Other(
                    newest.documents,
                    head.claims if head and counts else {},
                    stands.claims if stands else {},
                )
        return others

    def _try_load(self, environment: str, revision: str) -> _Loaded | None:
        """Another branch that does not load is its own environment's problem, not this one's."""
        if not revision:
            return None
        try:
            return self._load(environment, revision)
        except (ConfigError, SourceError):
            return None

    def _load(self, environment: str, revision: str) -> _Loaded:
        key = (environment, revision)
        if key not in self._loaded:
            documents = load(self.mirror.tree(revision), environment, self._cache)
            while len(self._loaded) >= REMEMBERED:
                del self._loaded[next(iter(self._loaded))]
            self._loaded[key] = _Loaded(documents, claims_of(documents))
        return self._loaded[key]


def _is_above(one: str, other: str) -> bool:
    """Whether promotion leads from `other` to `one`."""
    return ENVIRONMENT_NAMES.index(one) > ENVIRONMENT_NAMES.index(other)
