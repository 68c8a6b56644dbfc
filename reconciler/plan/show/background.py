"""What whoever judges a plan should know besides it. Pure.

That is what is merged, how old the world is in which the plan was made, and how the environment
stands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from reconciler.model.address import Address
from reconciler.plan.plan import Cause, Change, Plan

_SHORT = 7
Quote = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Merge:
    """The branch at `head` as it would be merged into `target`, which is at `base` now.

    `is_merged`: the target has all of it already.
    """

    branch: str
    head: str
    target: str
    base: str
    is_merged: bool = False

    def told(self, quote: Quote) -> str:
        """What is merged, in a sentence in which `quote` makes names harmless."""
        branch, target = quote(self.branch), quote(self.target)
        if self.is_merged:
            return f"{target} has all of {branch} already: nothing is proposed"
        head, base = quote(self.head[:_SHORT]), quote(self.base[:_SHORT])
        return f"{branch} at {head}, merged into {target} at {base}"


@dataclass(frozen=True, slots=True)
class Sight:
    """The world of the plan: what the journal knew at its newest entry.

    `time` is in RFC 3339. Without an entry the world was taken for empty.
    """

    time: str = ""
    event: str = ""

    def told(self, quote: Quote) -> str:
        """Which world it is, in a sentence in which `quote` makes names harmless."""
        if not self.time:
            return "The world is taken for empty"
        when = self.time.replace("T", " ").removesuffix("Z")
        return f"The world is what the journal knew on {quote(when)} UTC: {quote(self.event)}"


@dataclass(frozen=True, slots=True)
class Word:
    """One thing to know before merging, which fails nothing. `name` says by which rule."""

    name: str
    message: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Background:
    """All of it. `already` are the changes that would be made without the branch, too."""

    merge: Merge | None = None
    sight: Sight | None = None
    words: tuple[Word, ...] = ()
    already: frozenset[Address] = frozenset()

    def told(self, quote: Quote) -> Iterator[str]:
        """The sentences that come first."""
        for each in (self.merge, self.sight):
            if each is not None:
                yield each.told(quote)


NOTHING = Background()


@dataclass(frozen=True, slots=True)
class Share:
    """The changes of a plan, by whose doing they are there."""

    own: tuple[Change, ...]
    waiting: tuple[Change, ...] = ()
    drifted: tuple[Change, ...] = ()


def share_of(changes: tuple[Change, ...], background: Background) -> Share:
    """Whose doing the changes are. Without a merge there is nobody to tell apart."""
    if background.merge is None:
        return Share(changes)
    others = tuple(each for each in changes if each.address in background.already)
    return Share(
        own=tuple(each for each in changes if each.address not in background.already),
        waiting=tuple(each for each in others if each.cause is Cause.PENDING),
        drifted=tuple(each for each in others if each.cause is Cause.DRIFT),
    )


def alike(plan: Plan, other: Plan) -> frozenset[Address]:
    """The addresses of the changes that both plans have, field by field."""
    known = {str(each): (each.fields, each.held) for each in other.changes}
    return frozenset(
        each.address for each in plan.changes if known.get(str(each)) == (each.fields, each.held)
    )
