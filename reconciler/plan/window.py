"""Times at which something may be done that else waits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim


@dataclass(frozen=True, slots=True)
class Window:
    """Opens when the crontab line says so in its time zone, and stays open for a while."""

    opens: str
    duration: timedelta
    timezone: str = "UTC"

    def is_open(self, now: datetime) -> bool:
        """Whether it is open; `now` knows its time zone."""
        local = now.astimezone(ZoneInfo(self.timezone))
        # The iterator begins before the moment it is given, which itself may be an opening.
        last = next(CronSim(self.opens, local + timedelta(minutes=1), reverse=True), None)
        return last is not None and last <= local < last + self.duration

    def next_opening(self, now: datetime) -> datetime | None:
        """When it opens next, after `now`; None if it never does."""
        local = now.astimezone(ZoneInfo(self.timezone))
        return next(CronSim(self.opens, local), None)
