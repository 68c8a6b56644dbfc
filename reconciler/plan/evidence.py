"""What is known of a commit that asks to be applied: what git, the forge and the journals say."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Lack:
    """Something that a signature does not prove: what is wrong, and what to do."""

    message: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Approver:
    """Who approved, of which plan. `also` are all names that are known of this person.

    `way` is how: by a key, or by an account at the forge. Nobody knows which account has which key.
    """

    name: str
    way: str
    digest: str
    also: frozenset[str] = frozenset()

    @property
    def names(self) -> frozenset[str]:
        """Every name of this person, in lower case."""
        return frozenset(each.casefold() for each in (self.name, *self.also))


@dataclass(frozen=True, slots=True)
class Soak:
    """How the tree fares in the next lower environment: Ready since then, else what is there."""

    environment: str
    since: datetime | None = None
    instead: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What git, the forge and the journals have to say about a commit.

    `is_free`: it changes nothing, or the operator lets it through. `lacks` is what is not proved
    for each form of signature. `authors` are the names of each author of what is new, in lower
    case; `sign_offs` the mail addresses of who signed off. `discounted` says why an approval does
    not count. `claimed` are gates that the commits ask to be let through.
    """

    is_free: bool = False
    lacks: tuple[Lack, ...] = ()
    authors: tuple[frozenset[str], ...] = ()
    sign_offs: frozenset[str] = frozenset()
    approvers: tuple[Approver, ...] = ()
    discounted: tuple[str, ...] = ()
    soak: Soak | None = None
    claimed: frozenset[str] = frozenset()
