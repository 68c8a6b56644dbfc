"""What is asked of a forge. One protocol for GitHub, GitLab and Gitea or Forgejo.

A forge is where people read; nothing here decides what the farm is, except approvals. Every call
has a deadline and raises `Unreachable`, `Denied`, `NotFound` or `Conflict` (what it said is in the
message); who calls decides what that means, and it is never more than a line in the log.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


class State(enum.StrEnum):
    """How it stands with a commit; every forge knows these."""

    PENDING = "pending"
    SUCCESS = "success"
    FAILURE = "failure"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class CommitStatus:
    """What is said at a commit. A new status with the same `context` takes the place of the old."""

    context: str
    state: State
    description: str
    url: str | None = None


@dataclass(frozen=True, slots=True)
class PullRequest:
    """A pull request or merge request. `head` is the commit its source branch is at.

    `is_merged` is false of those that are open, and of those that were closed without a merge.
    """

    number: int
    title: str
    source: str
    target: str
    head: str
    url: str
    author: str = ""
    is_merged: bool = False


@dataclass(frozen=True, slots=True)
class Approval:
    """Somebody approved of a pull request: who, of which commit, in which words.

    GitLab does not tell of which commit: `commit` is empty there, and only the words bind. Who says
    more than one thing there approves once with each. Only who may write to the project counts.
    """

    by: str
    commit: str
    text: str
    time: datetime


class Forge(Protocol):
    """One project on one forge."""

    def set_status(self, commit: str, status: CommitStatus) -> None:
        """Say how it stands with a commit."""
        ...

    def pull_requests(self, commit: str) -> tuple[PullRequest, ...]:
        """Those that brought the commit, or have it as their head; open and merged ones."""
        ...

    def open_pull_request(self, source: str, target: str, title: str, body: str) -> PullRequest:
        """The open pull request of these branches, made if there is none; text is brought up."""
        ...

    def comment(self, number: int, marker: str, body: str) -> str:
        """Write our comment that begins with the hidden marker, new or in place; its address.

        The marker is a word such as `reconciler/review`; who writes it into a comment of their own
        gets nothing of us.
        """
        ...

    def approvals(self, number: int) -> tuple[Approval, ...]:
        """The approvals of a pull request that stand: not dismissed, not taken back."""
        ...

    def release(self, tag: str, title: str, body: str) -> str:
        """Publish a release of a tag that is there, or bring its text up; gives its address."""
        ...
