"""Tidying up hosts: what was in the trash for long enough, and images that nothing needs any more.

It is no part of a plan. It is done now and then where all is well, and a failure is only reported.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from reconciler.config.repository import Documents
from reconciler.engine.apply import MachineLocks
from reconciler.errors import DriverError
from reconciler.ports.world import Ports
from reconciler.render.machines import image_source

INTERVAL = timedelta(hours=1)


@dataclass
class Housekeeping:
    """Tidies up each host for each environment once an hour at most.

    `now` is the time in UTC. A clock that is set forward meanwhile empties no trash.
    """

    ports: Ports
    locks: MachineLocks
    now: Callable[[], datetime]
    monotonic: Callable[[], float]
    _done_at: dict[tuple[str, str], float] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        """Remember when it began, by both clocks."""
        self._began = (self.now(), self.monotonic())

    def tidy(
        self,
        environment: str,
        hosts: Iterable[str],
        kept: timedelta,
        images: Callable[[], frozenset[str] | None],
    ) -> Iterator[str]:
        """Tidy up those of the hosts whose time has come; gives what went wrong.

        The environment's trash is `kept` that long. `images` gives the checksums of all images
        that some document names, or None if that is not known; it is asked only when needed.
        """
        due = [host for host in sorted(hosts) if self._is_due(environment, host)]
        needed = images() if due else None
        for host in due:
            try:
                with self.locks.held(frozenset({host})):
                    self.ports.hypervisor(host).tidy(environment, self._steady_now() - kept, needed)
            except DriverError as error:
                yield str(error)

    def _is_due(self, environment: str, host: str) -> bool:
        """Whether its time has come; if so, the next one is counted from now."""
        with self._lock:
            at = self.monotonic()
            if (
                at - self._done_at.get((environment, host), float("-inf"))
                < INTERVAL.total_seconds()
            ):
                return False
            self._done_at[environment, host] = at
            return True

    def _steady_now(self) -> datetime:
        wall, monotonic = self._began
        return min(self.now(), wall + timedelta(seconds=self.monotonic() - monotonic))


def named_images(documents: Iterable[Documents]) -> frozenset[str]:
    """The checksums of all images that the documents name."""
    return frozenset(
        image_source(image).checksum for each in documents for image in each.images.values()
    )
