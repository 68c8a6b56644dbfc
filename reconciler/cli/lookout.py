"""Between two full looks: events of the hosts, a cheap sweep of their bases, serials of zones.

All only wake the environments concerned, and tell the next turn which of them saw what. What is
listened to follows from the last turn: the hosts that it looked at, and the files they must have.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from posixpath import basename, dirname

from reconciler.cli.rounds import Rounds
from reconciler.cli.serials import SerialWatch
from reconciler.cli.sighted import Sighted
from reconciler.cli.world import Events
from reconciler.daemon.schedule import Timing
from reconciler.daemon.sentry import Listen, Sentry
from reconciler.daemon.slots import Backoff, Next, Reason
from reconciler.engine.sightings import Detector, Noticed, Sighting
from reconciler.engine.sweep import moved
from reconciler.engine.verify import Look
from reconciler.model.address import Scope
from reconciler.ports.facts import Question
from reconciler.ports.world import Ports

OURS = ".reconciler-"  # how our temporary files begin
OF_NETWORK = "network: "  # how what the kernel tells of interfaces, routes and rules begins
MOST_EVENTS = 200.0  # of a host at once, and then one in so many seconds
EVENT_SECONDS = 5.0
SWEEP = timedelta(seconds=10)
SWEEP_BACKOFF = Backoff(first=timedelta(seconds=10), limit=timedelta(minutes=1))
# Where a change by hand leaves a trace: libvirt's definitions, dpkg's list, accounts, units, the
# switches of Open vSwitch, what the DHCP server serves.
ALWAYS = (
    "/etc",
    "/etc/kea",
    "/etc/libvirt",
    "/etc/libvirt/qemu",
    "/etc/libvirt/qemu/autostart",
    "/etc/libvirt/qemu/networks",
    "/etc/libvirt/storage",
    "/etc/openvswitch",
    "/etc/systemd/system",
    "/var/lib/dpkg",
    "/var/lib/openvswitch",
)
# Questions whose details name the files that what they are about is set up from.
_WITH_FILES = frozenset({"service", "bridge", "vlan", "bond", "switch", "ruleset"})


@dataclass(frozen=True, slots=True)
class _Seen:
    """The last look at an environment, and when that was."""

    look: Look
    at: float


@dataclass(frozen=True, slots=True)
class _Post:
    """What is listened to on a host, and who does it."""

    paths: tuple[str, ...]
    sentry: Sentry


class Lookout:
    """Wakes the loop for what moves on hosts. `events` listens to paths of a host, if that can be.

    Safe to use from many threads; `station` is called after each turn of an environment.
    """

    def __init__(self, loop: Rounds, ports: Ports, events: Events | None, timing: Timing) -> None:
        """Nothing is listened to yet."""
        self._loop = loop
        self._ports = ports
        self._events = events
        self._timing = timing
        self._lock = threading.Lock()
        self._seen: dict[str, _Seen] = {}
        self._sighted = Sighted()
        self._serials = SerialWatch(loop, ports, self._sighted, timing)
        self._sweeps: set[tuple[str, Scope]] = set()
        self._swept: dict[tuple[str, Scope], float] = {}
        self._posts: dict[str, _Post] = {}
        self._patience: dict[str, tuple[float, float]] = {}

    def noticed(self, environment: str) -> Noticed:
        """What was seen to move since this was last asked; it is forgotten here."""
        sightings = self._sighted.take(environment)
        with self._lock:
            seen = self._seen.get(environment)
        return Noticed(sightings, seen.at if seen else None)

    @contextmanager
    def turn(self, environment: str) -> Iterator[None]:
        """A turn is under way: the cheap looks take none of its changes for somebody else's."""
        with self._sighted.turn(environment):
            yield

    def station(self, environment: str, look: Look) -> None:
        """Watch over what a turn has looked at, from now on."""
        with self._lock:
            self._seen[environment] = _Seen(look, self._timing.clock.monotonic())
            paths = self._paths()
            bases = {(name, scope) for name, seen in self._seen.items() for scope in _bases(seen)}
            gone, new = self._sweeps - bases, bases - self._sweeps
            self._sweeps = bases
        for name, scope in gone:
            self._loop.withdraw(_called(name, scope))
        for name, scope in sorted(new):
            sweep = partial(self._sweep, name, scope)
            self._loop.post(_called(name, scope), sweep, SWEEP, SWEEP_BACKOFF)
        self._listen(paths)
        self._serials.station(environment, look)

    def close(self) -> None:
        """Listen no more."""
        with self._lock:
            posts, self._posts = self._posts, {}
        for post in posts.values():
            post.sentry.stop()

    def _paths(self) -> dict[str, tuple[str, ...]]:
        """What to listen to, by host."""
        paths: dict[str, set[str]] = defaultdict(set)
        for seen in self._seen.values():
            for scope in seen.look.scopes:
                if scope.kind != "zone":
                    paths[scope.name] |= {*ALWAYS, *_folders(seen.look.questions.get(scope, ()))}
        return {host: tuple(sorted(found)) for host, found in paths.items()}

    def _listen(self, paths: Mapping[str, tuple[str, ...]]) -> None:
        """Let the sentries listen to just these paths."""
        events = self._events
        if events is None:
            return
        with self._lock:
            stale = {
                host: post for host, post in self._posts.items() if paths.get(host) != post.paths
            }
            fresh = {
                host: _Post(paths[host], self._sentry(host, partial(events, host, paths[host])))
                for host in paths.keys() - (self._posts.keys() - stale.keys())
            }
            kept = {host: post for host, post in self._posts.items() if host not in stale}
            self._posts = {**kept, **fresh}
        for post in stale.values():
            post.sentry.stop()
        for post in fresh.values():
            post.sentry.start()

    def _sentry(self, host: str, listen: Listen) -> Sentry:
        return Sentry(host, listen, partial(self._heard, host), timing=self._timing)

    def _heard(self, host: str, event: str) -> None:
        """An event, or "" when listening begins: what happened before may have been missed."""
        if basename(event).startswith(OURS):
            return
        now = self._timing.clock.monotonic()
        if event and not self._may_wake(host, now):
            return
        detector = Detector.NETLINK if event.startswith(OF_NETWORK) else Detector.INOTIFY
        with self._lock:
            concerned = [
                name
                for name, seen in self._seen.items()
                if any(scope.name == host for scope in seen.look.scopes)
            ]
        for name in concerned:
            if event:
                self._sighted.note(name, Sighting(detector, host, now))
            self._loop.wake(name, Reason.EVENT)

    def _may_wake(self, host: str, now: float) -> bool:
        """Whether an event counts. A host that makes them without end is left to the sweep."""
        with self._lock:
            left, since = self._patience.get(host, (MOST_EVENTS, now))
            left = min(left + (now - since) / EVENT_SECONDS, MOST_EVENTS)
            self._patience[host] = (max(left - 1, 0.0), now)
        return left >= 1

    def _sweep(self, environment: str, scope: Scope, reasons: frozenset[Reason]) -> Next:
        """Look whether a base is as it was seen last.

        Raises:
            Unreachable: it cannot be looked at now.
        """
        del reasons
        seen = self._seen[environment]
        began = self._timing.clock.monotonic()
        since = max(self._swept.get((environment, scope), seen.at), seen.at)
        changed = moved(seen.look.world, scope, seen.look.questions.get(scope, ()), self._ports)
        if seen is not self._seen[environment] or self._sighted.is_turning(environment):
            return Next()  # a turn has looked meanwhile, or will in the end
        if not changed:
            self._swept[environment, scope] = began
            return Next()
        for address in sorted(changed):
            sighting = Sighting(Detector.SWEEP, scope.name, since, address)
            self._sighted.note(environment, sighting)
        self._loop.wake(environment, Reason.SWEEP)
        return Next()


def _bases(seen: _Seen) -> Iterator[Scope]:
    """The bases that could be looked at, if not in every detail."""
    world = seen.look.world
    scopes = seen.look.scopes - (world.unknown.keys() - world.unseen.keys())
    return (scope for scope in scopes if scope.kind == "base")


def _folders(questions: Iterable[Question]) -> Iterator[str]:
    """The directories in which something about the questions can change."""
    for question in questions:
        if question.about == "file":
            yield dirname(question.name)
        elif question.about in _WITH_FILES:
            yield from (dirname(detail) for detail in question.details if detail.startswith("/"))


def _called(environment: str, scope: Scope) -> str:
    return f"sweep of {scope.name} for {environment}"
