"""What the loop calls: the poll of the repository, the turns, and the settings in force."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

from reconciler.cli.reports import report_lines
from reconciler.cli.repository import Repository
from reconciler.cli.site import site_of
from reconciler.cli.world import Surroundings
from reconciler.config.settings import Settings
from reconciler.daemon.slots import Next, Reason
from reconciler.engine.consequence import Consequence
from reconciler.errors import ConfigError, ReconcilerError, SourceError, Unreachable, VerifyError
from reconciler.gitops.chronicle import Report
from reconciler.plan.show.text import plain
from reconciler.reconcile import turn

_log = logging.getLogger(__name__)
FIXED = ("repository", "branches", "environments", "farm", "state_directory", "journal")


@dataclass
class Keeper:
    """Keeps one repository's farm as it should be. `settings` are those in force."""

    repository: Repository
    around: Surroundings
    settings: Settings
    _said: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Put the site together; its floors follow the settings in force."""
        self._site = site_of(self.repository, self.around, settings=lambda: self.settings)

    def poll(self) -> Iterable[str]:
        """Ask the repository whether a branch moved; fetch only then.

        Raises:
            SourceError: it did not answer, or what it has is broken.
        """
        before = self._heads()
        if before and self.repository.mirror.poll() == self.repository.mirror.heads():
            return ()
        self.repository.fetch()
        after = self._heads()
        return [name for name in {**before, **after} if before.get(name) != after.get(name)]

    def look(self, environment: str, reasons: frozenset[Reason], stopping: threading.Event) -> Next:
        """One turn, and when to come again if nothing happens before.

        Raises:
            ReconcilerError: it has to be tried again soon, and why.
        """
        del reasons
        site = replace(self._site, stopping=stopping.is_set, sleep=_sleeper(stopping))
        report = turn(environment, site)
        self._tell(report)
        if report.consequence is Consequence.RETRY and not stopping.is_set():
            raise _why_again(report)
        return self._next(report)

    def take_over(self, new: Settings) -> None:
        """Put other settings in force, as far as that goes while running."""
        fixed = [name for name in FIXED if getattr(new, name) != getattr(self.settings, name)]
        if fixed:
            _log.warning("%s changed; that takes effect after a restart", ", ".join(fixed))
        self.settings = new

    def _heads(self) -> dict[str, str]:
        try:
            return dict(self.repository.source.heads())
        except SourceError:
            return {}

    def _next(self, report: Report) -> Next:
        """The environment's own interval, where its documents can be had."""
        if not report.revision:
            return Next()
        try:
            documents = self._site.source.documents(
                report.environment, report.revision, {report.environment: report.revision}
            )
        except (ConfigError, SourceError):
            return Next()
        return Next(documents.policy.interval)

    def _tell(self, report: Report) -> None:
        """Log what a turn did; the same as last time is not said again."""
        text = plain(report_lines(report))
        news = bool(report.outcomes) or text != self._said.get(report.environment)
        self._said[report.environment] = text
        bad = report.refusal or report.failed or report.residue or report.unknown
        level = logging.DEBUG if not news else logging.WARNING if bad else logging.INFO
        for line in text.splitlines():
            _log.log(level, "%s", line)


def _sleeper(stopping: threading.Event) -> Callable[[float], None]:
    def sleep(seconds: float) -> None:
        stopping.wait(seconds)

    return sleep


def _why_again(report: Report) -> ReconcilerError:
    """Why a turn has to be tried again: what still differs, what was not seen, or the refusal."""
    differ = [*_differing(report)]
    if not differ and report.unknown and report.after is not None:
        scope, reason = min(report.after.world.unknown.items())
        return Unreachable(scope.lock, "look", reason.removeprefix(f"{scope.lock}: "))
    if not differ and report.refusal is not None:
        return report.refusal.error
    return VerifyError(differ)


def _differing(report: Report) -> Iterator[str]:
    yield from (f"{each.address} ({each.message})" for each in report.failed)
    yield from (str(change.address) for change in report.residue)
