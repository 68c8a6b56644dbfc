"""A commit that asks to be applied, and what it brings: who signed, and who approves by key."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from reconciler.gitops.gates.brought import Additions, Brought
from reconciler.gitops.gates.signatures import Signatures, Signer
from reconciler.gitops.gates.tags import Tag, tags_at, tags_below
from reconciler.gitops.git import Git
from reconciler.gitops.refs import short
from reconciler.plan.evidence import Approver, Lack
from reconciler.plan.gates import APPROVE_TRAILER, LEAST_OF_DIGEST, Candidate
from reconciler.plan.guards import ALLOW_TRAILER

SIGN_OFF_TRAILERS = ("Signed-off-by", "Reviewed-by")
GRANTING = (ALLOW_TRAILER, APPROVE_TRAILER)
APPROVALS = "approve/"
BY_KEY = "key"
TOLD_AT_MOST = 5
_DIGEST = re.compile(rf"(?<![0-9a-f])[0-9a-f]{{{LEAST_OF_DIGEST},64}}(?![0-9a-f])")


def digests_in(text: str) -> tuple[str, ...]:
    """What may be the digest of a plan in somebody's words."""
    return tuple(dict.fromkeys(_DIGEST.findall(text.casefold())))


@dataclass(frozen=True)
class Inquiry:
    """A candidate with the commits it brings, newest first."""

    here: Git
    candidate: Candidate
    brought: tuple[Brought, ...]
    adds: Additions
    signatures: Signatures
    now: datetime

    @property
    def head(self) -> Brought:
        """The commit that is to be applied."""
        return self.brought[0]

    @cached_property
    def own(self) -> tuple[Brought, ...]:
        """The commits in which somebody has written something."""
        return tuple(each for each in self.brought if self.adds.is_own(each))

    def lacks(self, forms: Collection[str]) -> Iterator[Lack]:
        """What the signatures that are asked for do not prove; at most a few of a kind."""
        if "tag" in forms and (lack := self._tag_lack()):
            yield lack
        asked = self.brought if "every" in forms else self.brought[:1] if "head" in forms else ()
        bad = [
            said
            for each in asked
            if not self._is_harmless(each)
            and isinstance(said := self.signatures.of_commit(each.sha, self.now), Lack)
        ]
        yield from bad[:TOLD_AT_MOST]
        if more := len(bad[TOLD_AT_MOST:]):
            yield Lack(f"so it is with {more} more commits", "sign them too")

    def author(self, commit: Brought) -> frozenset[str]:
        """All that the author of a commit is called: as the commit says, and by his key."""
        said = self.signatures.of_commit(commit.sha, self.now)
        return commit.names | (said.names if isinstance(said, Signer) else frozenset())

    def approvals(self) -> Iterator[Approver | str]:
        """Who approves by a key; of an approval that does not count the reason."""
        for each in self.brought:
            yield from self._by_trailer(each)
        for tag in tags_below(self.here, f"{APPROVALS}{self.candidate.environment}/"):
            yield from self._by_tag(tag)

    def _is_harmless(self, commit: Brought) -> bool:
        """Whether it need not be signed: it adds nothing, gives back what was, permits nothing.

        Such are the commits that this program itself makes of a rollback. The head counts always.
        """
        if commit is self.head or commit.all(*GRANTING, *SIGN_OFF_TRAILERS):
            return False
        applied = self.candidate.applied
        was = applied and self.adds.tree(applied) == commit.tree
        return bool(was) or self.adds.keeps(commit)

    def _tag_lack(self) -> Lack | None:
        revision = self.candidate.revision
        tags = [tag for tag in tags_at(self.here, revision) if not tag.name.startswith(APPROVALS)]
        reasons: list[Lack] = []
        for tag in tags:
            said = self._signer_of(tag)
            if isinstance(said, Signer):
                return None
            reasons.append(said)
        remedy = f"sign one: `git tag -s NAME {short(revision)}`, and push it"
        if not reasons:
            return Lack(f"no tag points at {short(revision)}", remedy)
        return Lack("; ".join(each.message for each in reasons[:TOLD_AT_MOST]), remedy)

    def _signer_of(self, tag: Tag) -> Signer | Lack:
        if not tag.object:
            return Lack(f"tag {tag.name} is a lightweight one, which bears no signature", "")
        if tag.inner != tag.name:
            return Lack(f"tag {tag.name} calls itself {tag.inner}: somebody has renamed it", "")
        return self.signatures.of_tag(tag.object, self.now)

    def _by_trailer(self, commit: Brought) -> Iterator[Approver | str]:
        values = commit.all(APPROVE_TRAILER)
        if not values:
            return
        where = f"the {APPROVE_TRAILER} of {short(commit.sha)} does not count"
        if commit is not self.head and not self.adds.keeps(commit):
            yield f"{where}: the commit changes something; approve in an empty one"
            return
        said = self.signatures.of_commit(commit.sha, self.now)
        if isinstance(said, Lack):
            yield f"{where}: {said.message}"
            return
        found = [digest for value in values for digest in digests_in(value)]
        yield from (_approver(said, digest) for digest in found)
        if not found:
            yield f"{where}: it names no digest of at least {LEAST_OF_DIGEST} digits"

    def _by_tag(self, tag: Tag) -> Iterator[Approver | str]:
        digest = tag.name.removeprefix(f"{APPROVALS}{self.candidate.environment}/")
        is_meant = tag.target in {each.sha for each in self.brought}
        if digests_in(digest) != (digest,):
            if is_meant:
                yield f"tag {tag.name} names no digest of at least {LEAST_OF_DIGEST} digits"
        elif not is_meant:
            if self.candidate.plan.approval_digest.startswith(digest):
                yield f"tag {tag.name} points at {short(tag.target)}, which is not applied here"
        elif isinstance(said := self._signer_of(tag), Lack):
            yield f"tag {tag.name} does not count: {said.message}"
        else:
            yield _approver(said, digest)


def _approver(signer: Signer, digest: str) -> Approver:
    return Approver(signer.person, BY_KEY, digest, signer.names)
