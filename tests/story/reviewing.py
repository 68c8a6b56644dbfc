"""A reviewer's machine: a clone of the repository, and neither hosts, secrets nor settings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import Result

from tests.remotes.origin import git
from tests.story.desk import Desk, program


@dataclass(frozen=True)
class Review:
    """How a review ended, and what it wrote."""

    done: Result
    out: Path

    def text(self, name: str) -> str:
        return (self.out / name).read_text("utf-8")

    @property
    def page(self) -> str:
        return self.text("plan.md")

    @property
    def plan(self) -> Any:
        return json.loads(self.text("plan.json"))

    @property
    def changes(self) -> set[str]:
        """The addresses of the changes that the branch makes by itself."""
        already = set(self.plan["background"]["already"])
        return {each["address"] for each in self.plan["changes"]} - already

    @property
    def words(self) -> dict[str, str]:
        """What to know before merging, by name."""
        said = self.plan["background"]["before_merging"]
        return {each["name"]: each["message"] for each in said}


def review(desk: Desk, branch: str, *options: str, into: str = "production") -> Review:
    """A review as CI runs it."""
    out = desk.root / "out"
    places = ("--repo", str(desk.remote), "--state", str(desk.root / "ci"))
    what = ("--branch", branch, "--into", into, "--out", str(out))
    return Review(program("review", *places, *what, *options), out)


def branch(desk: Desk, name: str, start: str = "production") -> None:
    """Begin a branch."""
    desk.git("branch", name, start)


def merge(desk: Desk, into: str, *branches: str, squash: bool = False) -> str:
    """Merge branches as a person does, and push; gives the commit."""
    clone = desk._clone(into)
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@farm.internal")
    refs = [f"origin/{each}" for each in branches]
    if squash:
        git(clone, *who, "merge", "--quiet", "--squash", *refs)
        git(clone, *who, "commit", "--quiet", "--message=Squash")
    else:
        git(clone, *who, "merge", "--quiet", "--no-ff", "--no-edit", *refs)
    git(clone, "push", "--quiet", "origin", into)
    return git(clone, "rev-parse", "HEAD")


def replaced(desk: Desk, path: str, changes: Mapping[str, str], at: str = "production") -> str:
    """A file of the repository with some of its text replaced."""
    text = desk.git("show", f"{at}:{path}") + "\n"
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    return text
