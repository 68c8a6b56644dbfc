"""What follows from an error, decided in this one table and never where it is raised."""

from __future__ import annotations

import enum

from reconciler.errors import (
    ConfigError,
    Conflict,
    Denied,
    DriverError,
    GateClosed,
    GuardRefused,
    HistoryRewritten,
    NotFound,
    PlanError,
    ReconcilerError,
    SourceCorrupt,
    SourceUnavailable,
    Stalled,
    Unreachable,
    VerifyError,
)


class Consequence(enum.StrEnum):
    """What the loop does next.

    `retry`: again soon, with growing pauses. `wait`: at the usual time; nothing is wrong with us.
    `stall`: again only when git or a person changes something. `hold`: not before a person says so.
    """

    RETRY = "retry"
    WAIT = "wait"
    STALL = "stall"
    HOLD = "hold"


CONSEQUENCES: tuple[tuple[type[ReconcilerError], Consequence], ...] = (
    (HistoryRewritten, Consequence.HOLD),
    (SourceUnavailable, Consequence.RETRY),
    (SourceCorrupt, Consequence.RETRY),
    (ConfigError, Consequence.STALL),
    (PlanError, Consequence.STALL),
    (GateClosed, Consequence.WAIT),
    (GuardRefused, Consequence.STALL),
    (Stalled, Consequence.STALL),
    (Denied, Consequence.STALL),
    (Conflict, Consequence.RETRY),
    (NotFound, Consequence.RETRY),
    (Unreachable, Consequence.RETRY),
    (DriverError, Consequence.RETRY),
    (VerifyError, Consequence.RETRY),
)


def consequence_of(error: type[ReconcilerError]) -> Consequence:
    """The first row that fits; what no row names needs a person."""
    for kind, consequence in CONSEQUENCES:
        if issubclass(error, kind):
            return consequence
    return Consequence.STALL
