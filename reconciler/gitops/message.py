"""Commit messages of our own, in which nothing that comes from a document can pass for ours. Pure.

The trailers are the last paragraph and each is one line. A line of the body that git could take for
a trailer, or for the end of the message, is indented.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

SUBJECT_LENGTH = 72
_BODY_LENGTH = 32_000
_VALUE_LENGTH = 300
_SKIP_CI = "[skip ci]"
_END = "---"  # where a patch would begin: git reads no trailers after it
_TAKEN_FOR_OURS = re.compile(r"---|[A-Za-z0-9-]+\s*:|\(cherry picked|diff |Index: |#")
_KEY = re.compile(r"\A[A-Z][A-Za-z0-9-]{0,63}\Z")
# Control and format characters, surrogates, unassigned ones, and separators of lines.
_UNWANTED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def compose(
    subject: str, body: str, trailers: Iterable[tuple[str, str]], *, skip_ci: bool = True
) -> bytes:
    """A whole message. CI is asked not to run for it, unless people work on the branch.

    Raises:
        ValueError: the key of a trailer is not a word.
    """
    paragraphs = [_subject(subject), _body(body), _SKIP_CI if skip_ci else ""]
    paragraphs.append("\n".join(_trailer(key, value) for key, value in trailers))
    return ("\n\n".join(part for part in paragraphs if part) + "\n").encode()


def one_line(text: str, length: int) -> str:
    """The text on one line, with nothing in it that cannot be seen, at most so many characters."""
    seen = "".join(" " if unicodedata.category(c) in _UNWANTED else c for c in text)
    line = " ".join(seen.split())
    return line if len(line) <= length else line[: length - 1] + "…"


def _subject(text: str) -> str:
    line = one_line(text, SUBJECT_LENGTH)
    return "  " + line if line.startswith(_END) else line


def _body(text: str) -> str:
    shortened = text[:_BODY_LENGTH] + ("\n…" if len(text) > _BODY_LENGTH else "")
    lines = (one_line(line, _BODY_LENGTH) for line in shortened.splitlines())
    return "\n".join(_harmless(line) for line in lines).strip("\n")


def _harmless(line: str) -> str:
    return "  " + line if _TAKEN_FOR_OURS.match(line) else line


def _trailer(key: str, value: str) -> str:
    if _KEY.match(key) is None:
        raise ValueError(f"{key!r} is not the key of a trailer")
    return f"{key}: {one_line(value, _VALUE_LENGTH)}"
