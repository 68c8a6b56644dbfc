"""How the difference of two texts is shown: line by line, or by how much differs.

A text is the `content` of a file, or the `source` of a ruleset, that holds a line end. References
to secrets in it are masked, and which version of a secret is meant is told by itself.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from reconciler.model.change import FieldChange
from reconciler.model.secret import without_references
from reconciler.plan.show.escape import shortened
from reconciler.plan.show.value import TEXTS, redacted, worded

MASK = "••••"
LONGEST_LINE = 200
CONTEXT_LINES = 3
COMPARED_LINES = 200  # comparing takes the square of it
FEW = 5
SECRETS = "secrets"
_FINGERPRINT = re.compile(
    r"\A(?:sha256:[0-9a-f]{64}"
    r"|(?:changed by hand|not written by us) \(fingerprint [0-9a-f]{0,64}\))\Z"
)
_LABEL = re.compile(
    r"\A(?P<name>[a-z0-9-]{1,63}/[A-Za-z0-9_.-]{1,64})@(?P<version>[0-9a-f]{1,64})\Z"
)


class Mark(enum.StrEnum):
    """What a line of a difference is."""

    GONE = "-"
    NEW = "+"
    SAME = " "
    SKIPPED = "@"


@dataclass(frozen=True, slots=True)
class _Block:
    """Lines from `start` to `stop` of the old text become those of the new one; or stay."""

    same: bool
    old: tuple[int, int]
    new: tuple[int, int]

    @property
    def size(self) -> int:
        return max(self.old[1] - self.old[0], self.new[1] - self.new[0])


def has_text(path: str, before: object, after: object) -> bool:
    """Whether the difference of two values is one of texts, and so is shown line by line."""
    texts = [value for value in (before, after) if value is not None]
    if path.rpartition(".")[2] not in TEXTS or not all(map(_is_text, texts)):
        return False
    return any("\n" in str(text) for text in texts)


def text_lines(before: object, after: object) -> Iterator[tuple[Mark, str]]:
    """The difference of two texts, each line fit to be shown; None is a text without lines."""
    old, new = _lines(before), _lines(after)
    blocks = tuple(_blocks(old, new))
    for number, block in enumerate(blocks):
        if not block.same:
            yield from (
                (Mark.GONE, shortened(line, LONGEST_LINE)) for line in old[slice(*block.old)]
            )
            yield from (
                (Mark.NEW, shortened(line, LONGEST_LINE)) for line in new[slice(*block.new)]
            )
        else:
            is_last = number + 1 == len(blocks)
            yield from _around(old[slice(*block.old)], is_first=number == 0, is_last=is_last)


def in_short(path: str, before: object, after: object) -> str | None:
    """A difference of texts or of secrets in a few words; None if the values are neither."""
    if path == SECRETS:
        return _few(tuple(secret_lines(before, after)))
    if _is_fingerprint(before) and has_text(path, None, after):
        return f"{before} → {_size(after)}"
    if not has_text(path, before, after):
        return None
    if before is None or after is None:
        gone = " → (none)" if after is None else ""
        return _size(before if after is None else after) + gone
    old, new = _lines(before), _lines(after)
    number = sum(block.size for block in _blocks(old, new) if not block.same)
    if not number:
        return "differs in what is hidden"
    return f"{number} {'line differs' if number == 1 else 'lines differ'}"


def difference(field: FieldChange, arrow: str = "→") -> str:
    """The difference of a field in one line, texts and secrets in short."""
    short = in_short(field.path, field.before, field.after)
    if short is None:
        was, becomes = worded(field.path, field.before), worded(field.path, field.after)
        short = f"{was} {arrow} {becomes}"
    return f"{field.path}: {short}"


def secret_lines(before: object, after: object) -> Iterator[str]:
    """Which versions of which secrets: `db/password: version a → b`."""
    old, new = _versions(before), _versions(after)
    for name in sorted(old.keys() | new.keys()):
        was, becomes = old.get(name), new.get(name)
        if was == becomes:
            continue
        if was is None:
            yield f"{name}: version {becomes}"
        elif becomes is None:
            yield f"{name}: no longer used"
        else:
            yield f"{name}: version {was} → {becomes}"


def _few(lines: Sequence[str]) -> str | None:
    """Some of the lines in one, and how many more there are."""
    left = len(lines) - FEW
    more = f" and {left} more" if left > 0 else ""
    return ", ".join(lines[:FEW]) + more or None


def _versions(labels: object) -> dict[str, str]:
    found = [_LABEL.match(str(each)) for each in labels] if isinstance(labels, list | tuple) else []
    return {match["name"]: match["version"] for match in found if match}


def _is_text(value: object) -> bool:
    return isinstance(value, str) and not _is_fingerprint(value)


def _is_fingerprint(value: object) -> bool:
    return isinstance(value, str) and _FINGERPRINT.match(value) is not None


def _size(text: object) -> str:
    number = len(_lines(text))
    return f"{number} {'line' if number == 1 else 'lines'}"


def _lines(text: Any) -> Sequence[str]:
    """The lines of a text without secrets. A last line without its end says so."""
    if not text:
        return ()
    masked = without_references(str(redacted("", str(text))), MASK)
    *lines, rest = masked.split("\n")
    return (*lines, f"{rest} (no line end)") if rest else tuple(lines)


def _blocks(old: Sequence[str], new: Sequence[str]) -> Iterator[_Block]:
    """What is the same and what is not. Texts that differ much are not compared any further."""
    head = _common(old, new)
    tail = _common(old[head:][::-1], new[head:][::-1])
    ends = len(old) - tail, len(new) - tail
    if head:
        yield _Block(same=True, old=(0, head), new=(0, head))
    if max(ends) - head > COMPARED_LINES:
        yield _Block(same=False, old=(head, ends[0]), new=(head, ends[1]))
    else:
        middle = SequenceMatcher(None, old[head : ends[0]], new[head : ends[1]], autojunk=False)
        for tag, i, j, k, m in middle.get_opcodes():
            yield _Block(tag == "equal", (head + i, head + j), (head + k, head + m))
    if tail:
        yield _Block(same=True, old=(ends[0], len(old)), new=(ends[1], len(new)))


def _common(old: Sequence[str], new: Sequence[str]) -> int:
    """How many lines both begin with."""
    pairs = enumerate(zip(old, new, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(old), len(new)))


def _around(lines: Sequence[str], *, is_first: bool, is_last: bool) -> Iterator[tuple[Mark, str]]:
    """Of lines that are the same those next to what is not, and how many are between."""
    before = 0 if is_first else CONTEXT_LINES
    after = 0 if is_last else CONTEXT_LINES
    left = len(lines) - before - after
    if left <= 1:
        yield from ((Mark.SAME, shortened(line, LONGEST_LINE)) for line in lines)
        return
    yield from ((Mark.SAME, shortened(line, LONGEST_LINE)) for line in lines[:before])
    yield Mark.SKIPPED, f"{left} lines are the same"
    yield from ((Mark.SAME, shortened(line, LONGEST_LINE)) for line in lines[len(lines) - after :])
