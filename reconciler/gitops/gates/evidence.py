"""What is known of a commit that asks to be applied, gathered from git, the forge and the journals.

Only what a gate asks for is looked at. What cannot be known counts against the commit, and says so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from reconciler.config.load import ENVIRONMENT_NAMES
from reconciler.errors import SourceError, Stalled
from reconciler.gitops.chronicle import Chronicle
from reconciler.gitops.forges.port import Forge
from reconciler.gitops.gates.brought import Additions, brought_by
from reconciler.gitops.gates.inquiry import GRANTING, SIGN_OFF_TRAILERS, Inquiry
from reconciler.gitops.gates.reviews import Reviews, reviews_of
from reconciler.gitops.gates.signatures import Signatures
from reconciler.gitops.refs import short
from reconciler.gitops.source import ConfigSource
from reconciler.plan.evidence import Approver, Evidence, Soak
from reconciler.plan.gates import GATES, Candidate, Gates
from reconciler.plan.guards import ALLOW_TRAILER

_REMEMBERED = 10_000


@dataclass
class Witness:
    """Gathers evidence. `forge` gives the forge, if there is one that can be asked."""

    source: ConfigSource
    chronicle: Chronicle
    signatures: Signatures
    forge: Callable[[], Forge | None]
    now: Callable[[], datetime]
    _trees: dict[str, str] = field(default_factory=dict)
    _merged: dict[tuple[str, str], str] = field(default_factory=dict)

    def inquiry(self, candidate: Candidate) -> Inquiry:
        """The candidate with what it brings.

        Raises:
            SourceError: git failed, or a commit is not here.
        """
        for remembered in (self._trees, self._merged):
            if len(remembered) > _REMEMBERED:
                remembered.clear()
        git = self.source.mirror.git()
        known = (candidate.applied,) if candidate.applied else ()
        return Inquiry(
            git,
            candidate,
            brought_by(git, candidate.revision, known),
            Additions(git, self._trees, self._merged),
            self.signatures,
            self.now(),
        )

    def evidence(self, gates: Gates, inquiry: Inquiry) -> Evidence:
        """All that these gates want to know.

        Raises:
            SourceError: git failed, or a commit is not here.
        """
        if changes_nothing(inquiry):
            return Evidence(is_free=True)
        brought = inquiry.brought
        evidence = Evidence(
            lacks=tuple(inquiry.lacks(gates.signatures)),
            soak=self._soak(inquiry) if gates.soak else None,
            claimed=frozenset(v for each in brought for v in each.all(ALLOW_TRAILER)) & {*GATES},
        )
        return self._with_people(evidence, gates, inquiry)

    def _with_people(self, evidence: Evidence, gates: Gates, inquiry: Inquiry) -> Evidence:
        if not gates.needs_people:
            return evidence
        said = list(inquiry.approvals()) if gates.approvals else []
        reviews = self._reviews(inquiry) if gates.approvals else Reviews()
        authors = [inquiry.author(each) for each in inquiry.own]
        signed = (each.mails(*SIGN_OFF_TRAILERS) for each in inquiry.brought)
        return replace(
            evidence,
            authors=tuple(dict.fromkeys((*authors, *reviews.authors))),
            sign_offs=frozenset().union(*signed),
            approvers=(*(each for each in said if isinstance(each, Approver)), *reviews.approvers),
            discounted=(*(each for each in said if isinstance(each, str)), *reviews.discounted),
        )

    def _reviews(self, inquiry: Inquiry) -> Reviews:
        forge = self.forge()
        if forge is None:
            return Reviews()
        head = inquiry.head
        # Who approves in an empty commit on top does not take the reviews below away.
        below = head.parents[:1] if inquiry.adds.keeps(head) else ()
        return reviews_of(forge, (head.sha, *below))

    def _soak(self, inquiry: Inquiry) -> Soak | None:
        """How the tree fares in the next lower environment that has a branch, or had a release."""
        heads, mine = self.source.heads(), inquiry.candidate.environment
        below = ENVIRONMENT_NAMES[: ENVIRONMENT_NAMES.index(mine)]
        lower = [name for name in below if name in heads or self._is_in_use(name)]
        if not lower:
            return None
        name = lower[-1]
        try:
            there = self.chronicle.recall(name)
            same = there.ready_revision and (
                inquiry.adds.tree(there.ready_revision) == inquiry.head.tree
            )
        except (SourceError, Stalled) as error:
            return Soak(name, instead=f"what is there cannot be told: {error}")
        if not there.ready_revision:
            return Soak(name, instead="nothing was ever Ready there")
        at = short(there.ready_revision)
        if not same:
            return Soak(name, instead=f"{at} is what was Ready there last, which is another tree")
        if not there.ready_since:
            return Soak(name, instead=f"{at}, which has this tree, is not Ready there now")
        return Soak(name, datetime.fromisoformat(there.ready_since))

    def _is_in_use(self, environment: str) -> bool:
        """Whether anything was applied there: a release branch that is merged feeds it no more."""
        try:
            return bool(self.chronicle.recall(environment).revision)
        except (SourceError, Stalled):
            return True  # what is there cannot be told, which is said then


def changes_nothing(inquiry: Inquiry) -> bool:
    """Whether the very tree is in force already, and no commit on the way permits anything.

    Raises:
        SourceError: a commit is not here.
    """
    applied = inquiry.candidate.applied
    if not applied or inquiry.adds.tree(applied) != inquiry.head.tree:
        return False
    return not any(each.all(*GRANTING) for each in inquiry.brought)
