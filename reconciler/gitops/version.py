"""Semantic versions and their order (semver.org, point 11). Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import total_ordering

_FORM = re.compile(
    r"\Av?(?P<numbers>(?:0|[1-9]\d{0,8})(?:\.(?:0|[1-9]\d{0,8})){0,2})"
    r"(?:-(?P<pre>[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?"
    r"(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?\Z"
)


@total_ordering
@dataclass(frozen=True, slots=True)
class Version:
    """A version; `pre` are the identifiers of a pre-release, which comes before its release."""

    numbers: tuple[int, int, int]
    pre: tuple[str, ...] = ()

    def __lt__(self, other: Version) -> bool:
        return self._order() < other._order()

    def _order(self) -> tuple[object, ...]:
        """Numbers come before words, fewer identifiers before more, a pre-release before none."""
        parts = tuple((0, int(p), "") if p.isdigit() else (1, 0, p) for p in self.pre)
        return (self.numbers, not self.pre, parts)


def parse_version(text: str) -> Version | None:
    """The version that the text is, or None: `1.2` is `1.2.0`, a leading `v` does not count."""
    match = _FORM.match(text)
    if match is None:
        return None
    first, second, third, *_ = (*map(int, match["numbers"].split(".")), 0, 0)
    return Version((first, second, third), tuple(match["pre"].split(".")) if match["pre"] else ())


def tag_name(version: Version) -> str:
    """A version as releases are tagged."""
    pre = f"-{'.'.join(version.pre)}" if version.pre else ""
    return "v" + ".".join(map(str, version.numbers)) + pre


def next_minor(newest: Version | None) -> Version:
    """The version after the newest one, if nobody says which."""
    major, minor, _ = newest.numbers if newest else (0, 0, 0)
    return Version((major, minor + 1, 0))
