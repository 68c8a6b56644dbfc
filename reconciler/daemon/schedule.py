"""When slots are due: APScheduler rings, and nothing but rings.

APScheduler follows the wall clock and stands still while that is set back. So an alarm only says
"look whether you are due", which the slot answers by the monotonic clock, and the heartbeat of
the loop asks the same question beside it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Protocol

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from reconciler.daemon.clock import Clock


class Alarms(Protocol):
    """Something that rings by a name after a while."""

    def start(self, ring: Callable[[str], None]) -> None:
        """Begin to ring."""
        ...

    def set(self, name: str, delay: timedelta) -> None:
        """Ring once after the delay; an earlier alarm of the name is forgotten."""
        ...

    def stop(self) -> None:
        """Ring no more."""
        ...


class SchedulerAlarms:
    """Alarms by APScheduler, in memory: what is due follows from looking, not from a job store."""

    def __init__(self, timezone: tzinfo = UTC) -> None:
        """Prepare a scheduler that reads the wall clock in the given zone."""
        logging.getLogger("apscheduler").setLevel(logging.WARNING)
        self._timezone = timezone
        self._scheduler = BackgroundScheduler(
            timezone=timezone,
            executors={"default": ThreadPoolExecutor(max_workers=1)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        self._ring: Callable[[str], None] | None = None

    def start(self, ring: Callable[[str], None]) -> None:
        """Begin to ring, from the scheduler's own thread."""
        self._ring = ring
        self._scheduler.start()

    def set(self, name: str, delay: timedelta) -> None:
        """Ring once after the delay by the wall clock."""
        now = datetime.now(self._timezone)  # noqa: TID251  what APScheduler itself goes by
        self._scheduler.add_job(
            self._ring,
            "date",
            args=(name,),
            id=name,
            run_date=now + delay,
            replace_existing=True,
        )

    def stop(self) -> None:
        """Ring no more; a ring under way is not waited for."""
        if self._scheduler.running:
            # In this order, or APScheduler stumbles over a job that it was just about to run.
            self._scheduler.pause()
            self._scheduler.remove_all_jobs()
            self._scheduler.shutdown(wait=False)


class NoAlarms:
    """No alarms: the heartbeat alone wakes, for a clock that is moved by hand."""

    def start(self, ring: Callable[[str], None]) -> None:
        """Do nothing."""

    def set(self, name: str, delay: timedelta) -> None:
        """Do nothing."""

    def stop(self) -> None:
        """Do nothing."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Time and chance as the loop is given them; `chance` is a number from 0 to 1 at each call."""

    clock: Clock
    alarms: Alarms
    chance: Callable[[], float]
