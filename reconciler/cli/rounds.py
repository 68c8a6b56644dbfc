"""What those who watch between two turns ask of the loop."""

from __future__ import annotations

from datetime import timedelta
from typing import Protocol

from reconciler.daemon.slots import Backoff, Reason
from reconciler.daemon.workers import Turn


class Rounds(Protocol):
    """What is asked of the loop."""

    def wake(self, environment: str, reason: Reason) -> bool:
        """Ask for a look at an environment."""
        ...

    def post(self, name: str, turn: Turn, interval: timedelta, backoff: Backoff) -> None:
        """Let something be done at an interval."""
        ...

    def withdraw(self, name: str) -> None:
        """Do it no more."""
        ...
