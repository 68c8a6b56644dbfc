"""Refusals told at most once a minute and webhook, with how many there were. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta

EVERY = timedelta(minutes=1)


@dataclass(slots=True)
class _Account:
    told: float | None = None
    silent: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class Complaints:
    """What was refused, by webhook; kept for names that are configured only."""

    every: timedelta = EVERY
    _accounts: dict[str, _Account] = field(default_factory=dict)

    def about(self, name: str, why: str, now: float) -> str:
        """The line to log now; empty if it is too early for another one."""
        account = self._accounts.setdefault(name, _Account())
        account.silent[why] += 1
        if account.told is not None and now - account.told < self.every.total_seconds():
            return ""
        counted = ", ".join(f"{count} {each}" for each, count in sorted(account.silent.items()))
        account.told, account.silent = now, Counter()
        return f"webhook {name}: refused deliveries: {counted}"
