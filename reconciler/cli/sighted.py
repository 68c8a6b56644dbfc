"""What was seen to move between two turns of an environment, until a turn asks for it."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from reconciler.engine.sightings import Sighting

MOST_SIGHTINGS = 1000


class Sighted:
    """Sightings of many detectors. Safe to use from many threads."""

    def __init__(self) -> None:
        """Nothing was seen yet."""
        self._lock = threading.Lock()
        self._sightings: dict[str, list[Sighting]] = defaultdict(list)
        self._turning: Counter[str] = Counter()

    @contextmanager
    def turn(self, environment: str) -> Iterator[None]:
        """A turn is under way: what moves may be its own doing, and it looks again in the end."""
        with self._lock:
            self._turning[environment] += 1
        try:
            yield
        finally:
            with self._lock:
                self._turning[environment] -= 1

    def is_turning(self, environment: str) -> bool:
        """Whether a turn of the environment is under way."""
        with self._lock:
            return self._turning[environment] > 0

    def note(self, environment: str, sighting: Sighting) -> None:
        """Keep the first sightings; a thing that moves all the time is seen once."""
        with self._lock:
            noted = self._sightings[environment]
            if len(noted) < MOST_SIGHTINGS:
                noted.append(sighting)

    def take(self, environment: str) -> tuple[Sighting, ...]:
        """What was seen since this was last asked; it is forgotten here."""
        with self._lock:
            return tuple(self._sightings.pop(environment, ()))
