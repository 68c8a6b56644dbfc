"""The commits that a head brings: who wrote what, and what each of them adds of its own."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from reconciler.gitops.commits import rows, trailer_pairs
from reconciler.gitops.git import Git
from reconciler.gitops.merging import merge_trees, tree_of

_FIELDS = ("%H", "%T", "%P", "%an", "%ae", "%(trailers:only=true,unfold=true)")
_MAIL = re.compile(r"<(?P<mail>[^<>\s]+@[^<>\s]+)>\s*$")
_TWO = 2


@dataclass(frozen=True, slots=True)
class Brought:
    """One commit: its tree, its parents, its author, and its trailers in their order."""

    sha: str
    tree: str
    parents: tuple[str, ...]
    author: str
    email: str
    trailers: tuple[tuple[str, str], ...]

    def all(self, *keys: str) -> tuple[str, ...]:
        """The values of these trailers, whose keys may be in any case."""
        wanted = {key.casefold() for key in keys}
        return tuple(value for name, value in self.trailers if name.casefold() in wanted)

    def mails(self, *keys: str) -> frozenset[str]:
        """The mail addresses in these trailers, in lower case."""
        found = (_MAIL.search(value) for value in self.all(*keys))
        return frozenset(each["mail"].casefold() for each in found if each)

    @property
    def names(self) -> frozenset[str]:
        """What the author is called, in lower case; perhaps so at the forge, too."""
        email = self.email.casefold()
        local = email.partition("@")[0]
        account = local.rpartition("+")[2]  # of `123+account@users.noreply.` of a forge
        return frozenset({self.author.casefold(), email, local, account} - {""})


def brought_by(git: Git, head: str, known: Collection[str]) -> tuple[Brought, ...]:
    """The commits that lead to `head` and to none of `known`, newest first, `head` among them.

    With nothing known it is `head` alone: what was before it nobody can answer for.

    Raises:
        SourceError: a commit is missing or broken.
    """
    only_head = () if known else ("--max-count=1",)
    return tuple(_read(rows(git, head, _FIELDS, "--topo-order", *only_head, known=known)))


@dataclass(frozen=True, slots=True)
class Additions:
    """Tells what a commit adds of its own. Trees do not change, so answers are remembered."""

    here: Git
    trees: dict[str, str]
    merged: dict[tuple[str, str], str]

    def tree(self, commit: str) -> str:
        """The tree of a commit."""
        if commit not in self.trees:
            self.trees[commit] = tree_of(self.here, commit)
        return self.trees[commit]

    def keeps(self, commit: Brought) -> bool:
        """Whether it leaves everything as its first parent has it: an empty commit, say."""
        return bool(commit.parents) and self.tree(commit.parents[0]) == commit.tree

    def is_own(self, commit: Brought) -> bool:
        """Whether its author has written something: not if git alone makes just that merge.

        Of a merge it is not enough that it keeps one side: who drops the other has chosen that.
        """
        if len(commit.parents) == 1:
            return not self.keeps(commit)
        return len(commit.parents) != _TWO or self._merge(*commit.parents) != commit.tree

    def _merge(self, ours: str, theirs: str) -> str:
        if (ours, theirs) not in self.merged:
            result = merge_trees(self.here, ours, theirs)
            self.merged[ours, theirs] = result.tree if result.is_clean else ""
        return self.merged[ours, theirs]


def _read(found: Iterable[list[str]]) -> Iterator[Brought]:
    for sha, tree, parents, author, email, trailers in found:
        yield Brought(
            sha, tree, tuple(parents.split()), author, email, tuple(trailer_pairs(trailers))
        )
