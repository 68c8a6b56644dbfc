"""The names that documents may refer to, and what to say when there is no such name."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from difflib import get_close_matches

from reconciler.config.parse import shown
from reconciler.model.position import Position, Problem


@dataclass(frozen=True, slots=True)
class Names:
    """Kind and name of every document there is, of those that are wrong in themselves too.

    With `some_unread` there may be more than could be read, so that no name is surely missing.
    """

    documents: frozenset[tuple[str, str]]
    some_unread: bool = False

    def of(self, kind: str) -> tuple[str, ...]:
        """The names of all documents of a kind."""
        return tuple(sorted(name for each, name in self.documents if each == kind))

    def lack(self, kind: str, name: str) -> bool:
        """Whether there is surely no document of that kind and name."""
        return not self.some_unread and (kind, name) not in self.documents


def unknown(position: Position, what: str, name: str, known: Collection[str]) -> Problem:
    """A name that nothing has; `what` says in a word what should have it."""
    near = get_close_matches(shown(name), known, 1)
    remedy = f"did you mean {near[0]}?" if near else f"write the {what}, or name another"
    return Problem(position, f"there is no {what} {shown(name)}", remedy)
