"""Conditions: the few statements about an environment that people and machines both read.

Names and polarity are Flux's where the idea is Flux's.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass


class ConditionType(enum.StrEnum):
    """What a condition speaks about. `Reconciling` and `Stalled` are present only when true."""

    READY = "Ready"
    RECONCILING = "Reconciling"
    STALLED = "Stalled"
    HEALTHY = "Healthy"
    DRIFTED = "Drifted"
    PENDING_RESTART = "PendingRestart"
    SOURCE_VERIFIED = "SourceVerified"
    ROLLED_BACK = "RolledBack"


class Status(enum.StrEnum):
    """Whether it is so. Unknown is a third answer, not a false."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


@dataclass(frozen=True, slots=True)
class Condition:
    """One statement, with a one-word `reason` for machines and a `message` for people.

    `since` is the RFC 3339 time at which the status last changed.
    """

    type: ConditionType
    status: Status
    reason: str
    message: str
    since: str
