"""What the fake forges hold: one project, told in the shapes of each of them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

TOKEN = "tok-4f1c9ae27b"
TIME = "2030-01-01T12:00:00Z"


@dataclass
class User:
    id: int
    login: str
    may_write: bool = True


@dataclass
class Pull:
    number: int
    source: str
    target: str
    head: str
    title: str = "a title"
    body: str = ""
    author: str = "ann"
    state: str = "open"
    brought: tuple[str, ...] = ()


@dataclass
class Comment:
    id: int
    pull: int
    author: str
    body: str
    system: bool = False


@dataclass
class Review:
    """`state` in GitHub's words; the other forges have their own for the same."""

    pull: int
    author: str
    state: str
    body: str = ""
    commit: str = ""


@dataclass
class Release:
    id: int
    tag: str
    title: str
    body: str


@dataclass
class Project:
    """A private project `acme/farm`. `me` is whose token it is; an app has no user."""

    name: str = "acme/farm"
    me: str = "robot"
    is_app: bool = False
    page_size: int = 100
    users: dict[str, User] = field(default_factory=dict)
    commits: set[str] = field(default_factory=set)
    branches: set[str] = field(default_factory=lambda: {"main", "develop", "promote/a-b"})
    tags: set[str] = field(default_factory=set)
    statuses: list[dict[str, Any]] = field(default_factory=list)
    pulls: dict[int, Pull] = field(default_factory=dict)
    comments: dict[int, Comment] = field(default_factory=dict)
    reviews: list[Review] = field(default_factory=list)
    releases: dict[str, Release] = field(default_factory=dict)
    any_commit: bool = False
    _ids: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        for login in (self.me, "ann", "ben", "mallory"):
            self.user(login)

    def user(self, login: str, *, may_write: bool | None = None) -> User:
        user = self.users.setdefault(login, User(self.next_id(), login))
        if may_write is not None:
            user.may_write = may_write
        return user

    def next_id(self) -> int:
        return next(self._ids)

    def pull(self, source: str, target: str, head: str, **more: Any) -> Pull:
        made = Pull(self.next_id(), source, target, head, **more)
        self.pulls[made.number] = made
        self.commits |= {head, *made.brought}
        return made

    def comment(self, pull: int, author: str, body: str, *, system: bool = False) -> Comment:
        made = Comment(self.next_id(), pull, author, body, system)
        self.comments[made.id] = made
        return made

    def comments_of(self, pull: int) -> list[Comment]:
        return [each for each in self.comments.values() if each.pull == pull]

    def standing(self, commit: str, context: str) -> dict[str, Any] | None:
        """The newest status of a context."""
        found = [s for s in self.statuses if (s["commit"], s["context"]) == (commit, context)]
        return found[-1] if found else None

    def has(self, commit: str) -> bool:
        return self.any_commit or commit in self.commits
