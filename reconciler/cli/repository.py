"""The config repository with its journals, as a command uses them: settings made into objects."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache, cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

from reconciler.cli.command import Given
from reconciler.cli.terminal import remark
from reconciler.config.settings import Settings
from reconciler.config.settings_file import load_settings
from reconciler.daemon.clock import SystemClock
from reconciler.errors import SettingsError, SourceError
from reconciler.gitops.branches import pattern_problems
from reconciler.gitops.chronicle import Chronicle
from reconciler.gitops.environment import Access
from reconciler.gitops.forges.open import open_forge
from reconciler.gitops.forges.port import Forge
from reconciler.gitops.journal import Journal
from reconciler.gitops.mirror import Mirror
from reconciler.gitops.notes import Notes
from reconciler.gitops.outbox import Retry
from reconciler.gitops.source import ConfigSource
from reconciler.gitops.stream import Identity
from reconciler.gitops.url import check_url

SETTINGS = Path("/etc/reconciler/reconciler.yaml")
_NAME_LENGTH = 12


@dataclass(frozen=True)
class Repository:
    """The config repository: its documents, and what its journals say.

    `record` is the mirror of the repository that holds the journals, mostly the same one.
    """

    settings: Settings
    source: ConfigSource
    chronicle: Chronicle
    record: Mirror

    @property
    def mirror(self) -> Mirror:
        """The mirror of the config repository."""
        return self.source.mirror

    @cached_property
    def forge(self) -> Forge | None:
        """The forge of the settings, opened when it is first asked for.

        None, with one line of log, if there is none or it cannot be used.
        """
        return open_forge(self.settings.forge, SystemClock().monotonic)

    def journal(self, environment: str) -> Journal:
        """The journal of an environment."""
        return self.chronicle.journal(environment)

    def fetch(self) -> None:
        """Bring the mirrors up to date.

        Raises:
            SourceError: a remote did not answer, or what it has is broken; nothing changed.
        """
        for mirror in {self.mirror, self.record}:
            mirror.fetch()

    def try_fetch(self) -> bool:
        """Bring the mirrors up to date, or go on with what they hold; say which it was.

        Raises:
            SourceError: that did not work, and they hold nothing.
        """
        try:
            self.fetch()
        except SourceError as error:
            try:
                self.mirror.heads()
            except SourceError:
                raise error from None
            remark(f"{error}; going on with what was fetched before")
            return False
        return True


def settings_of(given: Given, settings_file: Path = SETTINGS) -> Settings:
    """The operator's settings, with what the command line says instead.

    Without settings the state is kept in the person's cache directory, so that anybody can plan.

    Raises:
        SettingsError: every problem of the settings.
    """
    file = given.config or (settings_file if settings_file.exists() else None)
    defaults = {} if file else {"state_directory": str(Path.home() / ".cache" / "reconciler")}
    overrides: dict[str, Any] = {}
    if given.repo:
        overrides["repository"] = {"url": given.repo}
    if given.state:
        overrides["state_directory"] = str(given.state.absolute())
    return load_settings(file, defaults=defaults, overrides=overrides)


@contextmanager
def open_repository(settings: Settings) -> Iterator[Repository]:
    """The repository of the settings. Nothing is fetched.

    Raises:
        SettingsError: an address is not one that git may be given.
        SourceUnavailable: the state directory cannot be used.
    """
    access = Access(settings.repository.ssh_key, settings.repository.known_hosts)
    settings.state_directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    with ExitStack() as stack:

        def mirror(url: str) -> Mirror:
            remote = check_url(url)
            directory = settings.state_directory / _mirror_name(remote.url)
            deadline = settings.repository.deadline
            return stack.enter_context(Mirror(remote, directory, deadline=deadline, access=access))

        config = mirror(settings.repository.url)
        record = mirror(settings.journal.url) if settings.journal.url else config
        patterns = settings.branches.by_environment()
        if problems := pattern_problems(patterns):
            raise SettingsError("branches", problems)
        source = ConfigSource(config, patterns)
        yield Repository(settings, source, _chronicle(settings, config, record), record)


def pause(seconds: float) -> None:
    """Wait. Nothing in a command waits in any other way."""
    threading.Event().wait(seconds)


def _chronicle(settings: Settings, config: Mirror, record: Mirror) -> Chronicle:
    clock = SystemClock()
    identity = Identity(settings.journal.name, settings.journal.email)
    retry = Retry(pause, random.Random())  # noqa: S311 - it only keeps two writers out of step

    @cache
    def journal(environment: str) -> Journal:
        return Journal(record, environment, identity, clock.now, retry)

    @cache
    def notes(environment: str) -> Notes:
        return Notes(config, environment, identity, clock.now, retry)

    return Chronicle(journal, notes, clock.now)


def _mirror_name(url: str) -> str:
    """One mirror for each repository, so that none is ever taken for another's."""
    return f"mirror-{sha256(url.encode()).hexdigest()[:_NAME_LENGTH]}"
