"""The cheap look at name servers: a zone whose serial moved wakes those who have it.

A server is asked for the serials of all zones in one round trip, and only about those that the
last turns looked at.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from reconciler.cli.rounds import Rounds
from reconciler.cli.sighted import Sighted
from reconciler.daemon.schedule import Timing
from reconciler.daemon.slots import Backoff, Next, Reason
from reconciler.engine.serials import ZoneSeen, zones_seen
from reconciler.engine.sightings import Detector, Sighting
from reconciler.engine.verify import Look
from reconciler.errors import DriverError
from reconciler.model.address import Scope
from reconciler.ports.world import Ports

EVERY = timedelta(seconds=0.9)  # so that with the answer it is a second at most
BACKOFF = Backoff(first=timedelta(seconds=5), limit=timedelta(minutes=1))
MOST_PER_SECOND = 160.0  # serials, 0.25 ms each; with more zones servers are asked less often
MOST_WAKES = 60.0  # of a zone at once, and then one in so many seconds
WAKE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class _Watched:
    """What an environment has on name servers, as its last turn saw it at a time."""

    scopes: frozenset[Scope]
    zones: Mapping[Scope, ZoneSeen]
    at: float

    def at_door(self, door: str) -> Iterator[tuple[Scope, ZoneSeen]]:
        """The zones of one server."""
        return ((scope, zone) for scope, zone in self.zones.items() if scope.server == door)

    def is_blind(self, door: str) -> bool:
        """Whether a zone of the server could not be looked at."""
        return any(each.server == door and each not in self.zones for each in self.scopes)


class SerialWatch:
    """Watches over the zones that turns have looked at. Safe to use from many threads."""

    def __init__(self, loop: Rounds, ports: Ports, sighted: Sighted, timing: Timing) -> None:
        """Nothing is asked yet."""
        self._loop = loop
        self._ports = ports
        self._sighted = sighted
        self._clock = timing.clock
        self._lock = threading.Lock()
        self._watched: dict[str, _Watched] = {}
        self._posted: dict[str, timedelta] = {}
        self._same: dict[tuple[str, Scope], float] = {}
        self._told: dict[tuple[str, Scope], int | None] = {}
        self._down: set[str] = set()
        self._patience: dict[Scope, tuple[float, float]] = {}

    def station(self, environment: str, look: Look) -> None:
        """Watch over the zones that a turn has looked at, from now on."""
        scopes = frozenset(scope for scope in look.scopes if scope.kind == "zone" and scope.server)
        zones = zones_seen(look.world, scopes)
        watched = _Watched(scopes, zones, self._clock.monotonic())
        with self._lock:
            self._watched[environment] = watched
            doors = self._doors()
            changed = {door for door in {*doors, *self._posted} if self._is_new(door, doors)}
            before, self._posted = self._posted, doors
        for door in sorted(changed & before.keys()):
            self._loop.withdraw(_called(door))
        for door in sorted(changed & doors.keys()):
            self._loop.post(_called(door), partial(self._ask, door), doors[door], BACKOFF)

    def _is_new(self, door: str, doors: Mapping[str, timedelta]) -> bool:
        return doors.get(door) != self._posted.get(door)

    def _doors(self) -> dict[str, timedelta]:
        """The servers to ask, and how often."""
        scopes = {scope for each in self._watched.values() for scope in each.scopes}
        interval = max(EVERY, timedelta(seconds=len(scopes) / MOST_PER_SECOND))
        return {scope.server: interval for scope in scopes if scope.server is not None}

    def _ask(self, door: str, reasons: frozenset[Reason]) -> Next:
        """Ask a server for the serials of its zones.

        Raises:
            DriverError: it does not tell.
        """
        del reasons
        with self._lock:
            watched = dict(self._watched)
        names = {s.name for each in watched.values() for s in each.scopes if s.server == door}
        began = self._clock.monotonic()
        try:
            served = self._ports.nameserver(door).serials(sorted(names))
        except DriverError:
            self._down.add(door)
            raise
        is_back = door in self._down
        self._down.discard(door)
        for environment, seen in sorted(watched.items()):
            moved = self._moved(environment, seen, door, served, began)
            if moved or (is_back and seen.is_blind(door)):
                for sighting in moved:
                    self._sighted.note(environment, sighting)
                self._loop.wake(environment, Reason.SERIAL)
        return Next()

    def _moved(
        self, environment: str, seen: _Watched, door: str, served: Mapping[str, int], began: float
    ) -> list[Sighting]:
        """What is not as a turn saw it last, and was not told of. Not what a turn does."""
        with self._lock:
            if self._sighted.is_turning(environment) or self._watched[environment] is not seen:
                return []
            return [
                Sighting(Detector.SERIAL, None, self._since(key, seen), zone.address)
                for scope, zone in seen.at_door(door)
                if self._is_news(key := (environment, scope), zone, served.get(scope.name), began)
            ]

    def _is_news(
        self, key: tuple[str, Scope], zone: ZoneSeen, serial: int | None, began: float
    ) -> bool:
        if serial == zone.serial:
            self._same[key] = began
            self._told.pop(key, None)
            return False
        is_told = key in self._told and self._told[key] == serial
        if is_told or not self._may_wake(key[1], began):
            return False
        self._told[key] = serial
        return True

    def _since(self, key: tuple[str, Scope], seen: _Watched) -> float:
        return max(self._same.get(key, seen.at), seen.at)

    def _may_wake(self, scope: Scope, now: float) -> bool:
        """Whether a change counts. A zone that changes without end is looked at less often."""
        left, since = self._patience.get(scope, (MOST_WAKES, now))
        left = min(left + (now - since) / WAKE_SECONDS, MOST_WAKES)
        self._patience[scope] = (max(left - 1, 0.0) if left >= 1 else left, now)
        return left >= 1


def _called(door: str) -> str:
    return f"serials of {door}"
