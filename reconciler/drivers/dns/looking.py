"""What was last seen of each zone: believed while its SOA record stays, five minutes at most."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from reconciler.drivers.dns.asking import Asking
from reconciler.drivers.dns.control import Control
from reconciler.drivers.dns.messages import Soa
from reconciler.drivers.dns.refusals import Answered, Lost
from reconciler.drivers.dns.transfer import Content
from reconciler.drivers.refusal import Missing
from reconciler.ports.nameserver import Rules

AUDIT = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Seen:
    """A zone, its rules if they are ours, and the moment when all of it was last transferred."""

    content: Content
    rules: Rules | None
    audited_seconds: float


class Looking:
    """Looks at the zones of one server, and remembers them."""

    def __init__(
        self, asking: Asking, control: Control | None, monotonic: Callable[[], float]
    ) -> None:
        """Nothing is looked at yet."""
        self._asking = asking
        self._control = control
        self._monotonic = monotonic
        self._kept: dict[str, Seen] = {}
        self._forgotten: dict[str, int] = {}
        self._lock = threading.Lock()

    def serials(self, zones: tuple[str, ...]) -> Mapping[str, int]:
        """The serials of those zones that are served."""
        try:
            return {zone: soa.serial for zone, soa in self._asking.soas(zones).items()}
        except (Answered, Lost):
            if self._has_begun():
                raise
            return {}

    def look(self, zone: str) -> Seen:
        """The zone as it is now.

        Raises:
            Missing: it is not served.
            Answered, Lost, Flood, DriverError: it cannot be looked at.
        """
        with self._lock:
            kept, turn = self._kept.get(zone), self._forgotten.get(zone, 0)
        soa = self._soa(zone)
        moment = self._monotonic()
        if kept is None or moment - kept.audited_seconds >= AUDIT.total_seconds():
            content = self._asking.content(zone)
            rules = None if self._control is None else self._control.rules(zone)
            seen = Seen(content, rules, moment)
        elif soa.wire == kept.content.soa.wire:
            seen = kept
        else:
            seen = replace(kept, content=self._asking.content(zone, kept.content))
        self._keep(zone, seen, turn)
        return seen

    def _soa(self, zone: str) -> Soa:
        try:
            return self._asking.soa(zone)
        except (Answered, Lost):
            if self._has_begun():
                raise
            raise Missing(f"the server is not set up yet, so nothing of zone {zone} is") from None

    def _has_begun(self) -> bool:
        """A server that knows neither us nor our zones yet answers in any way, or not at all."""
        return self._control is None or self._control.has_begun()

    def look_after(self, zone: str, before: Seen) -> Seen:
        """The zone after a change of ours: what has changed since is asked for, whatever it is."""
        content = self._asking.content(zone, before.content)
        seen = replace(before, content=content)
        with self._lock:
            turn = self._forgotten.get(zone, 0)
        self._keep(zone, seen, turn)
        return seen

    def forget(self, zone: str) -> None:
        """Look at all of it next time."""
        with self._lock:
            self._kept.pop(zone, None)
            self._forgotten[zone] = self._forgotten.get(zone, 0) + 1

    def _keep(self, zone: str, seen: Seen, turn: int) -> None:
        """Remember it, unless it was to be forgotten while it was looked at."""
        with self._lock:
            if self._forgotten.get(zone, 0) == turn:
                self._kept[zone] = seen
