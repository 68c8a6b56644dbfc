"""What the loop calls: the poll of the repository, the turns, and the settings in force."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from reconciler.cli.lookout import Lookout
from reconciler.cli.reports import report_lines
from reconciler.cli.repository import Repository
from reconciler.cli.site import site_of
from reconciler.cli.world import Surroundings
from reconciler.config.repository import Documents
from reconciler.config.settings import Settings
from reconciler.daemon.slots import Next, Reason
from reconciler.engine.consequence import Consequence
from reconciler.engine.housekeeping import Housekeeping, named_images
from reconciler.engine.verify import Look
from reconciler.errors import GateClosed, ReconcilerError, SourceError, Unreachable, VerifyError
from reconciler.gitops.mirror import Mirror
from reconciler.gitops.report import Report
from reconciler.model.standing import Hold
from reconciler.plan.show.text import plain
from reconciler.plan.sparing import TIME, holds_at
from reconciler.reconcile import REFUSALS, Site, turn

T = TypeVar("T")
_log = logging.getLogger(__name__)
AT_ONCE = timedelta(seconds=1)
FIXED = (
    "repository",
    "branches",
    "environments",
    "farm",
    "hosts",
    "state_directory",
    "journal",
    "forge",
    "listen",
)


@dataclass
class Keeper:
    """Keeps one repository's farm as it should be. `settings` are those in force.

    `lookout` is told what each turn has looked at. `preludes` are called with the environment
    before a turn, `followups` with its report after it; what goes wrong in them is only logged.
    """

    repository: Repository
    around: Surroundings
    settings: Settings
    lookout: Lookout | None = None
    preludes: list[Callable[[str], None]] = field(default_factory=list)
    followups: list[Callable[[Report], object]] = field(default_factory=list)
    _said: dict[str, str] = field(default_factory=dict)
    _holds: dict[str, tuple[Hold, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Put the site together; its floors follow the settings in force."""
        self._site = site_of(self.repository, self.around, settings=lambda: self.settings)
        site = self._site
        self._housekeeping = Housekeeping(site.ports, site.locks, site.now, site.monotonic)

    def poll(self) -> Iterable[str]:
        """Ask the repository whether a branch moved; fetch only then.

        Raises:
            SourceError: it did not answer, or what it has is broken.
        """
        before = self._heads()
        if not before or self._has_moved():
            self.repository.fetch()
            after = self._heads()
            for name in before and self.settings.environments:  # ours may wait beside theirs
                self.repository.journal(name).catch_up()
        else:
            after = before
        moved = [name for name in {**before, **after} if before.get(name) != after.get(name)]
        return dict.fromkeys([*moved, *self._decided()])

    def _has_moved(self) -> bool:
        """Whether the remotes have what is not here."""
        mirrors = {self.repository.mirror, self.repository.record}
        return any(each.poll() != _heads_of(each) for each in mirrors)

    def _decided(self) -> Iterator[str]:
        """The environments of which people have decided something else since their last turn.

        What we write ourselves into the journal moves none of them.
        """
        for name, holds in tuple(self._holds.items()):
            try:
                now = self.repository.chronicle.recall(name).holds
            except REFUSALS:  # the turn tells of it
                continue
            if now != holds:
                yield name

    def look(self, environment: str, reasons: frozenset[Reason], stopping: threading.Event) -> Next:
        """One turn, and when to come again if nothing happens before.

        Raises:
            ReconcilerError: it has to be tried again soon, and why.
        """
        del reasons
        site = replace(self._site, stopping=stopping.is_set, sleep=_sleeper(stopping))
        with suppress(*REFUSALS):
            self._holds[environment] = site.chronicle.recall(environment).holds
        self._call_all(self.preludes, environment)
        report = self._turn(environment, site)
        self._tell(report)
        self._call_all(self.followups, report)
        if report.consequence is Consequence.RETRY and not stopping.is_set():
            raise _why_again(report)
        if report.after is not None and report.finding is None and not stopping.is_set():
            self._tidy_up(report, report.after)
        return Next(AT_ONCE) if _moved_meanwhile(report) else self._next(report)

    def take_over(self, new: Settings) -> None:
        """Put other settings in force, as far as that goes while running."""
        fixed = [name for name in FIXED if getattr(new, name) != getattr(self.settings, name)]
        if fixed:
            _log.warning("%s changed; that takes effect after a restart", ", ".join(fixed))
        self.settings = new

    def _turn(self, environment: str, site: Site) -> Report:
        if self.lookout is None:
            return turn(environment, site)
        with self.lookout.turn(environment):
            report = turn(environment, replace(site, noticed=self.lookout.noticed))
            if report.after is not None:
                self.lookout.station(environment, report.after)
        return report

    def _tidy_up(self, report: Report, seen: Look) -> None:
        """Tidy up where all is well; what goes wrong is only said."""
        floor = self.settings.policy.floor(report.environment)
        documents = self._documents(report.environment, report.revision)
        if documents is None or documents.policy.suspend or floor.suspend:
            return
        hosts = {scope.name for scope in seen.scopes if scope.kind == "host"}
        problems = self._housekeeping.tidy(
            report.environment,
            hosts - seen.world.unknown_hosts,
            self.settings.trash_kept,
            self._images,
        )
        for problem in problems:
            _log.warning("%s: %s", report.environment, problem)

    def _images(self) -> frozenset[str] | None:
        """The images that the branches name, or named when they were applied; None: unknown."""
        try:
            revisions = {
                (name, revision)
                for name, head in self._site.source.heads().items()
                for revision in (head, self._site.chronicle.recall(name).revision or head)
            }
        except REFUSALS:
            return None
        found = [self._documents(*each) for each in revisions]
        loaded = [each for each in found if each is not None]
        return named_images(loaded) if len(loaded) == len(found) else None

    def _documents(self, environment: str, revision: str) -> Documents | None:
        """What a commit says, by itself; None if it does not load."""
        try:
            return self._site.source.documents(environment, revision, {environment: revision})
        except REFUSALS:
            return None

    def _heads(self) -> dict[str, str]:
        try:
            return dict(self.repository.source.heads())
        except SourceError:
            return {}

    def _next(self, report: Report) -> Next:
        """The environment's own interval, where its documents can be had, or what ends before."""
        documents = (
            self._documents(report.environment, report.revision) if report.revision else None
        )
        ends = [*self._ends(report.environment, documents), *_opening(report, self._site.now())]
        soonest = min(ends, default=None)
        if documents is None:
            return Next(soonest)
        return Next(min([documents.policy.interval, *ends]))

    def _ends(self, environment: str, documents: Documents | None) -> Iterator[timedelta]:
        """In what time something that is left alone now is left alone no more."""
        now = self._site.now()
        for hold in holds_at(self._holds.get(environment, ()), now):
            if hold.until is not None:
                yield datetime.strptime(hold.until, TIME).replace(tzinfo=UTC) - now
        for ignore in documents.ignores.values() if documents else ():
            if ignore.until > now:
                yield ignore.until - now

    def _call_all(self, those: Iterable[Callable[[T], object]], about: T) -> None:
        """Call what goes with a turn; the same trouble as last time is not said again."""
        for each in those:
            trouble, called = "", getattr(each, "__qualname__", repr(each))
            try:
                each(about)
            except ReconcilerError as error:
                trouble = str(error)
            if trouble and trouble != self._said.get(called):
                _log.warning("%s", trouble)
            self._said[called] = trouble

    def _tell(self, report: Report) -> None:
        """Log what a turn did; the same as last time is not said again."""
        text = plain(report_lines(report))
        news = bool(report.outcomes) or text != self._said.get(report.environment)
        self._said[report.environment] = text
        bad = report.refusal or report.failed or report.residue or report.unknown
        level = logging.DEBUG if not news else logging.WARNING if bad else logging.INFO
        for line in text.splitlines():
            _log.log(level, "%s", line)


def _heads_of(mirror: Mirror) -> Mapping[str, str]:
    """The branches as last fetched. A journal of its own may have none yet."""
    try:
        return mirror.heads()
    except SourceError:
        return {}


def _opening(report: Report, now: datetime) -> Iterator[timedelta]:
    """In what time the gates may be open for a commit that waits at them."""
    error = report.refusal.error if report.refusal else None
    if isinstance(error, GateClosed) and error.opens is not None:
        yield error.opens - now


def _sleeper(stopping: threading.Event) -> Callable[[float], None]:
    def sleep(seconds: float) -> None:
        stopping.wait(seconds)

    return sleep


def _moved_meanwhile(report: Report) -> bool:
    """Whether the last look saw what the first had not: nothing else would ask for a turn then.

    What is watched for between turns is whether something moves away from that last look.
    """
    return bool(report.outcomes and report.after and report.after.plan.active)


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
