"""Text from documents and from the world, made harmless before it is shown.

A name may carry terminal sequences, marks that turn the direction of text, markdown, mentions, or
what a CI runner takes for a command. Every format passes what it shows through here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

LONGEST_TEXT = 500
_RUNNER_COMMAND = re.compile(r"#(?=#(?:\[|vso\[|teamcity\[))", re.IGNORECASE)
_LINE_COMMAND = re.compile(r"\A(\s*):(?=:)")
_BACKTICKS = re.compile(r"`+")
_FENCE_AT_LEAST = 3


def visible(text: str) -> str:
    """The text on one line, with everything that does not print written as an escape.

    That covers control characters, line ends, marks that change direction, and surrogates. What
    runners read as a command wherever it stands (`##[`, `##vso[`) is broken too.
    """
    if not text.isprintable():
        text = "".join(letter if letter.isprintable() else _escaped(letter) for letter in text)
    return _RUNNER_COMMAND.sub(r"\\x23", text)


def shortened(text: str, limit: int = LONGEST_TEXT) -> str:
    """The visible text, cut when it is longer than `limit` characters, which is then said."""
    if len(text) <= limit:
        return visible(text)
    return f"{visible(text[:limit])}… ({len(text) - limit} more characters)"


def line(text: str) -> str:
    """A line as a CI runner may print it: not one that it takes for a command (`::set-env`)."""
    return _LINE_COMMAND.sub(r"\1\\x3a", text)


def code_span(text: str) -> str:
    """Markdown inline code that shows exactly the text, so that nothing in it is markup."""
    shown = shortened(text) or " "
    ticks = "`" * (_longest_run(shown) + 1)
    pad = " " if "`" in shown or shown != shown.strip() else ""
    return f"{ticks}{pad}{shown}{pad}{ticks}"


def fence_for(texts: Iterable[str]) -> str:
    """A markdown code fence that none of the texts can close."""
    return "`" * max(_FENCE_AT_LEAST, 1 + max(map(_longest_run, texts), default=0))


def _longest_run(text: str) -> int:
    return max(map(len, _BACKTICKS.findall(text)), default=0)


def _escaped(letter: str) -> str:
    return letter.encode("unicode_escape").decode("ascii")
