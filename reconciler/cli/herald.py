"""Tells the forge how commits fare in the environments. It never delays or fails a turn."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import partial

from reconciler.cli.repository import Repository
from reconciler.config.forge_settings import ForgeSettings
from reconciler.daemon.courier import Courier
from reconciler.errors import ReconcilerError, Unreachable
from reconciler.gitops.forges.fates import MARKER, arrivals, fate_markdown, fates, undone
from reconciler.gitops.forges.port import CommitStatus, Forge, State
from reconciler.gitops.forges.verdicts import BEING_APPLIED, Verdict, context_of, verdicts
from reconciler.gitops.report import Report

MOST_REMEMBERED = 500
_Key = tuple[str, str]
_Fates = tuple[tuple[str, State], ...]


class Herald:
    """Tells a forge of turns: before one what begins, after it how it ended. Each is said once.

    What could not be said because the forge was away is said again with the next turn.
    """

    def __init__(
        self, forge: Forge, settings: ForgeSettings, repository: Repository, courier: Courier
    ) -> None:
        """`courier` carries what is said, so that nobody waits for the forge."""
        self._forge, self._settings, self._repository = forge, settings, repository
        self._courier = courier
        self._lock = threading.Lock()
        self._said: dict[_Key, Verdict] = {}
        self._fates: dict[str, _Fates] = {}

    def begins(self, environment: str) -> None:
        """Say that a new head is being applied."""
        with suppress(ReconcilerError):  # the turn tells of it
            head = self._repository.source.heads().get(environment, "")
            past = self._repository.chronicle.recall(environment)
            if head and head not in {past.revision, past.refused}:
                self._tell(environment, head, BEING_APPLIED)

    def ended(self, report: Report) -> None:
        """Say what became of the head, and how it stands with the commit in force."""
        for commit, verdict in verdicts(report).items():
            self._tell(report.environment, commit, verdict)
        if self._settings.comments:
            self._tell_pull_requests(report)

    def release(self, tag: str, title: str, body: str) -> None:
        """Publish a release of a tag that the forge has, soon."""
        self._courier.put("release", tag, lambda: self._publish(tag, title, body))

    def close(self, patience: timedelta) -> None:
        """Say what is still to be said, but no longer than that; then no more."""
        self._courier.close(patience.total_seconds())

    def _publish(self, tag: str, title: str, body: str) -> None:
        self._forge.release(tag, title, body)

    def _tell(self, environment: str, commit: str, verdict: Verdict) -> None:
        key = (commit, context_of(environment))
        with self._lock:
            if self._said.get(key) == verdict:
                return
            self._said.pop(key, None)
            self._said[key] = verdict
            while len(self._said) > MOST_REMEMBERED:
                del self._said[next(iter(self._said))]
        url = self._settings.status_link(environment, commit, self._record(environment))
        status = CommitStatus(key[1], verdict.state, verdict.why, url)
        self._courier.put("commit status", key, partial(self._send, key, verdict, status))

    def _send(self, key: _Key, verdict: Verdict, status: CommitStatus) -> None:
        try:
            self._forge.set_status(key[0], status)
        except Unreachable:
            with self._lock:
                if self._said.get(key) == verdict:
                    del self._said[key]  # so that the next turn says it again
            raise

    def _tell_pull_requests(self, report: Report) -> None:
        """Have the pull requests told that brought what was applied or refused, if that is news."""
        news = tuple((commit, each.state) for commit, each in verdicts(report).items())
        with self._lock:
            before = self._fates.get(report.environment, ())
            if news == before or not news:
                return
            self._fates[report.environment] = news
        old = before[0][0] if before else ""
        errand = partial(self._comment, report, old, news)
        self._courier.put("pull request comment", report.environment, errand)

    def _comment(self, report: Report, old: str, news: _Fates) -> None:
        try:
            for number, commit in self._merged(report, old).items():
                self._write(number, commit)
        except Unreachable:
            with self._lock:
                if self._fates.get(report.environment) == news:
                    del self._fates[report.environment]
            raise

    def _merged(self, report: Report, old: str) -> Mapping[int, str]:
        """The merged pull requests by which the commits came, each with the newest of its own."""
        git = self._repository.mirror.git()
        refused = report.refusal.revision if report.refusal else ""
        gone = undone(self._repository.chronicle.recall(report.environment), git)
        spans = [(report.revision, old), (refused, report.revision)]
        spans += [(gone.commit, gone.good)] if gone else []
        commits = [each for new, past in spans if new for each in arrivals(git, new, past)]
        return {
            pull.number: commit
            for commit in dict.fromkeys(commits)
            for pull in self._forge.pull_requests(commit)
            if pull.is_merged
        }

    def _write(self, number: int, commit: str) -> None:
        """One comment for all environments, of what their journals say now."""
        chronicle = self._repository.chronicle
        statuses = [chronicle.recall(each) for each in self._repository.settings.environments]
        told = tuple(fates(commit, statuses, self._repository.mirror.git()))
        if told:
            self._forge.comment(number, MARKER, fate_markdown(commit, told))

    def _record(self, environment: str) -> str | None:
        """The newest record of the journal, if the forge can have it."""
        if self._repository.settings.journal.url:
            return None
        with suppress(ReconcilerError):
            journal = self._repository.journal(environment)
            return None if journal.waiting() else journal.head()
        return None


@contextmanager
def heralding(repository: Repository, patience: timedelta) -> Iterator[Herald | None]:
    """Who tells the forge of the settings; None, with one line of log, if there is no token.

    At the end what is still to be said is waited for with that `patience`.
    """
    settings, forge = repository.settings.forge, repository.forge
    if settings is None or forge is None:
        yield None
        return
    herald = Herald(forge, settings, repository, Courier("telling the forge"))
    try:
        yield herald
    finally:
        herald.close(patience)
