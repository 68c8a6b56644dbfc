"""Naming schemes: what names in a part of a zone must look like.

A pattern is `{first}-{last}[-{spec}].pc`: each `{word}` stands for letters a-z and digits, and what
stands in `[…]` may be left out. It speaks of all names that end as it does behind its first label.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_PART = re.compile(r"\[([^\]]*)\]|([^\[\]]+)")
_PLACE = re.compile(r"\{[a-z]+\}")
_WORD = "[a-z0-9]+"


@dataclass(frozen=True, slots=True)
class Scheme:
    """The patterns of a zone by what they end with."""

    endings: Mapping[str, tuple[tuple[str, re.Pattern[str]], ...]]

    @classmethod
    def of(cls, patterns: Iterable[str]) -> Scheme:
        """The scheme that these patterns make, without those that are an error by themselves.

        A name takes exponential time where words run together.
        """
        endings: dict[str, tuple[tuple[str, re.Pattern[str]], ...]] = {}
        for pattern in patterns:
            if runs_together(pattern):
                continue
            ending = pattern.partition(".")[2]
            endings[ending] = (*endings.get(ending, ()), (pattern, compiled(pattern)))
        return cls(endings)

    def broken_by(self, name: str) -> tuple[str, ...]:
        """The patterns of which a name must match one and matches none; () if it is right.

        `name` is relative to the zone. Names of services, which begin with `_`, are judged by what
        they belong to.
        """
        if not self.endings:
            return ()
        rest = name
        while rest.startswith("_"):
            rest = rest.partition(".")[2]
        ending = rest
        while ending := ending.partition(".")[2]:
            if patterns := self.endings.get(ending):
                right = any(compiled.fullmatch(rest) for _, compiled in patterns)
                return () if right else tuple(pattern for pattern, _ in patterns)
        return ()


def compiled(pattern: str) -> re.Pattern[str]:
    """The regular expression of a pattern."""
    parts = (
        f"(?:{_expression(optional)})?" if optional else _expression(always)
        for optional, always in _PART.findall(pattern)
    )
    return re.compile("".join(parts))


def runs_together(pattern: str) -> bool:
    """Whether two words of a pattern have no hyphen between them, so that nobody can tell them."""
    first = pattern.partition(".")[0]
    forms = (re.sub(r"[\[\]]", "", first), re.sub(r"\[[^\]]*\]", "", first))
    return any("-" not in between for form in forms for between in _PLACE.split(form)[1:-1])


def _expression(text: str) -> str:
    return _WORD.join(re.escape(literal) for literal in _PLACE.split(text))
