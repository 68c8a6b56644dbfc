"""Commits and times as the journal tells them, checked: anybody may have written there."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_COMMIT = re.compile(r"\A[0-9a-f]{40}\Z")


def check_commit(text: str) -> str:
    """The text itself, if it is the full id of a commit or tree.

    Raises:
        ValueError: it is not.
    """
    if _COMMIT.match(text) is None:
        raise ValueError(f"{text[:60]!r} is not a full id of 40 digits")
    return text


def check_time(text: str) -> str:
    """The text itself, if it is a time in UTC as the journal writes it.

    Raises:
        ValueError: it is not.
    """
    try:
        datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise ValueError(f"{text[:60]!r} is not a time as 2026-11-22T08:00:00Z") from None
    return text
