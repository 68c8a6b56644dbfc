"""Text on its way to a forge: within its limits, on one line where there is one, and hidden marks.

Markdown is made harmless by who writes it (reconciler/plan/show); here is only what forges limit.
"""

from __future__ import annotations

import re

from reconciler.plan.show.escape import visible

LONGEST_BODY = 60_000  # GitHub takes 65,536 characters, the others more
_MARKER = re.compile(r"\A[a-z0-9][a-z0-9:/._-]{0,99}\Z")
_CUT = "\n\n… cut here: it is too long for a comment."


def one_line(text: str, limit: int) -> str:
    """A text on one line of at most `limit` characters, with nothing in it that does not print."""
    shown = visible(" ".join(text.split()))
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def body_of(text: str) -> str:
    """A text of several lines, without control characters, within what every forge takes."""
    clean = "\n".join("".join(filter(_is_shown, line)) for line in text.splitlines())
    return clean if len(clean) <= LONGEST_BODY else clean[: LONGEST_BODY - len(_CUT)] + _CUT


def marked(marker: str, text: str) -> str:
    """A comment that begins with a hidden mark.

    Raises:
        ValueError: the marker is not a word such as `reconciler/review`.
    """
    return f"{hidden(marker)}\n{body_of(text)}"


def hidden(marker: str) -> str:
    """The mark as it stands at the beginning of a comment. Raises ValueError as `marked` does."""
    if _MARKER.match(marker) is None or "--" in marker:
        message = f"{marker!r} is no marker: a-z, 0-9 and :/._- only"
        raise ValueError(message)
    return f"<!-- {marker} -->"


def _is_shown(letter: str) -> bool:
    return letter.isprintable() or letter == "\t"
