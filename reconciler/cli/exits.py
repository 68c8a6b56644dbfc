"""What a command's exit code says."""

from __future__ import annotations

import enum


class Exit(enum.IntEnum):
    """The codes of every command. A mistyped command line is an error like any other."""

    SAME = 0
    ERROR = 1
    DIFFERENT = 2
    INTERRUPTED = 130
