"""How drift came to be noticed: which detector asked for the look, and how long that took."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import ceil

from reconciler.kinds import KIND_BY_NAME
from reconciler.model.address import Address
from reconciler.plan.plan import Change


class Detector(enum.StrEnum):
    """What sees that something moved: events of a host, the cheap looks, or the full look.

    Of a host's events those of its files are inotify's, and those of its network netlink's. The
    cheap looks are the sweep of a host's base, and the serials of the zones of a name server.
    """

    INOTIFY = "inotify"
    NETLINK = "netlink"
    SWEEP = "sweep"
    SERIAL = "serial"
    AUDIT = "audit"


@dataclass(frozen=True, slots=True)
class Sighting:
    """Something moved on a host, not before `since` by the monotonic clock.

    `host` None: on none, but on a name server. `address` None: it is not known what.
    """

    detector: Detector
    host: str | None
    since: float
    address: Address | None = None


@dataclass(frozen=True, slots=True)
class Noticed:
    """What was seen since the last look at an environment, which was at `last_look` if ever."""

    sightings: tuple[Sighting, ...] = ()
    last_look: float | None = None


@dataclass(frozen=True, slots=True)
class Detection:
    """Which detector found a drift, and how long after it happened at most, if that is known."""

    detector: Detector
    within_seconds: float | None = None

    def __str__(self) -> str:
        """In words, rounded up."""
        if self.within_seconds is None:
            return str(self.detector)
        tenths = max(ceil(round(self.within_seconds * 10, 6)), 1)
        return f"{self.detector} within {tenths / 10:.1f} s"


def detections(
    drifted: Iterable[Change], noticed: Noticed, now: float
) -> Mapping[Address, Detection]:
    """How each drift was found, in a look that ended `now`."""
    return {change.address: _detection(change, noticed, now) for change in drifted}


def _detection(change: Change, noticed: Noticed, now: float) -> Detection:
    """The sighting of the very thing, else one on its host, else the look itself."""
    kind = KIND_BY_NAME[change.address.kind]
    host = kind.host(change.observed) if change.observed is not None else change.address.host
    near = [each for each in noticed.sightings if each.host == host]
    exact = [each for each in near if each.address == change.address]
    vague = [each for each in near if each.address is None]
    if best := max([*exact] or [*vague], key=lambda each: each.since, default=None):
        return Detection(best.detector, now - best.since)
    since = noticed.last_look
    return Detection(Detector.AUDIT, None if since is None else now - since)
