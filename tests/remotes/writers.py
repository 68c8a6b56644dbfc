"""Mirrors, journals and notes for tests, with a clock that ticks and no waiting."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from reconciler.gitops.journal import Event, Journal
from reconciler.gitops.mirror import Mirror
from reconciler.gitops.notes import Notes
from reconciler.gitops.outbox import Retry
from reconciler.gitops.stream import Identity
from tests.remotes.origin import NOON, Origin

BOT = Identity("Reconciler", "reconciler@farm.internal")


def ticking() -> Callable[[], datetime]:
    """A clock that goes on by a second each time it is read."""
    seconds = iter(range(10**9))
    return lambda: NOON + timedelta(seconds=next(seconds))


def mirror_of(origin: Origin | str, state: Path, *, fetched: bool = True) -> Mirror:
    """A mirror, already fetched unless told otherwise."""
    url = origin if isinstance(origin, str) else origin.url
    mirror = Mirror(url, state, deadline=timedelta(seconds=20))
    if fetched:
        mirror.fetch()
    return mirror


def patient(waits: list[float] | None = None, attempts: int = 5) -> Retry:
    """Retries that only note how long they would wait."""
    noted = [] if waits is None else waits
    return Retry(noted.append, random.Random(7), attempts)


def journal_of(
    mirror: Mirror, environment: str = "production", retry: Retry | None = None
) -> Journal:
    return Journal(mirror, environment, BOT, ticking(), retry or patient())


def notes_of(mirror: Mirror, environment: str = "production") -> Notes:
    return Notes(mirror, environment, BOT, ticking(), patient())


def event(subject: str = "2 resources differ from 1a2b3c4", **files: bytes) -> Event:
    """A drift event; the keywords are the journal's files, `_` standing for a dot."""
    return Event("drift", subject, files={k.replace("_", "."): v for k, v in files.items()})
