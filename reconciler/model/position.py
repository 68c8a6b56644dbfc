"""Where in the config repository something was written, and what is wrong there."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in a file of the config repository; lines and columns count from 1."""

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong in the config repository, in words for a person.

    `what` says what is wrong, `remedy` what to do about it.
    """

    position: Position
    what: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.position}: {self.what}" + (f"; {self.remedy}" if self.remedy else "")
