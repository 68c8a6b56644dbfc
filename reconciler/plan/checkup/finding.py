"""A finding of a checkup: what was looked at, how it is, what that means, and what to do."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass

HERE = "here"
"""The subject of what concerns the machine that the reconciler runs on."""


class Level(enum.StrEnum):
    """How it is: well, worth knowing, or in the way of a sync."""

    OK = "ok"
    WARN = "warn"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `subject` is a host, or `HERE`.

    `remedy` is empty where there is nothing to do.
    """

    subject: str
    name: str
    level: Level
    text: str
    remedy: str = ""


def is_sound(findings: Iterable[Finding]) -> bool:
    """Whether nothing is in the way of a sync."""
    return all(each.level is not Level.BAD for each in findings)
