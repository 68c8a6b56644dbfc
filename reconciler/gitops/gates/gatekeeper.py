"""The gatekeeper of all environments: asks every gate that somebody has set up.

Three people set up gates: the operator, whoever wrote what is in force, and the author of the
commit itself. All of it counts, so no commit takes away the gates that stand in its own way.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from reconciler.config.gates import GateFloor
from reconciler.config.repository import Documents
from reconciler.errors import ConfigError, SourceError
from reconciler.gitops.gates.evidence import Witness, changes_nothing
from reconciler.gitops.gates.inquiry import Inquiry
from reconciler.gitops.gates.signatures import Signer
from reconciler.gitops.refs import short
from reconciler.model.condition import Condition, ConditionType, Status
from reconciler.plan.gates import SIGNATURE, Candidate, Gates, closed
from reconciler.plan.guards import Violation

GATES_IN_FORCE = "gates"
_log = logging.getLogger(__name__)


@dataclass
class Gatekeeper:
    """Tells which gates are closed for a commit, and what is known of signatures.

    `floors` gives the operator's gates of an environment.
    """

    witness: Witness
    floors: Callable[[str], GateFloor]
    now: Callable[[], datetime]
    _said: dict[str, tuple[Condition, ...]] = field(default_factory=dict)

    def closed(self, candidate: Candidate, documents: Documents) -> tuple[Violation, ...]:
        """Every gate that is closed for a commit that is not in force yet.

        Raises:
            SourceError: git failed, or a commit is not here.
            Stalled: the operator's keys cannot be read.
        """
        environment, floor = candidate.environment, self.floors(candidate.environment)
        if candidate.revision in floor.let_through:
            _log.warning("%s: the operator lets %s through", environment, candidate.revision)
            return ()
        try:
            gates = self.gates(candidate, documents)
        except ConfigError as error:
            return (_unreadable(candidate, error),)
        if gates == Gates():
            self._said[environment] = ()
            return ()
        if gates.approvals or "tag" in gates.signatures:
            self._fetch()
        inquiry = self.witness.inquiry(candidate)
        found = closed(gates, self.witness.evidence(gates, inquiry), candidate, self.now())
        if not changes_nothing(inquiry):
            self._said[environment] = self._verified(gates, inquiry, found)
        return found

    def gates(self, candidate: Candidate, documents: Documents) -> Gates:
        """What is asked of a commit: by the operator, by what is in force, and by itself.

        Raises:
            ConfigError: what is in force cannot be read any more.
            SourceError: git failed, or a commit is not here.
        """
        environment, applied = candidate.environment, candidate.applied
        gates = Gates.of(self.floors(environment)).with_all_of(Gates.of(documents.policy.gates))
        if not applied:
            return gates
        source = self.witness.source
        before = source.documents(environment, applied, {environment: applied})
        return gates.with_all_of(Gates.of(before.policy.gates))

    def said(self, environment: str) -> tuple[Condition, ...] | None:
        """What can be said of signatures; None if nothing was asked since the start."""
        return self._said.get(environment)

    def _verified(
        self, gates: Gates, inquiry: Inquiry, found: tuple[Violation, ...]
    ) -> tuple[Condition, ...]:
        if not gates.signatures:
            return ()
        time = self.now().strftime("%Y-%m-%dT%H:%M:%SZ")
        kind, at = ConditionType.SOURCE_VERIFIED, short(inquiry.head.sha)
        if bad := [each.message for each in found if each.name == SIGNATURE]:
            return (Condition(kind, Status.FALSE, "SignatureMissing", "; ".join(bad), time),)
        signer = inquiry.signatures.of_commit(inquiry.head.sha, self.now())
        whose = f"{at} is signed by {signer}"
        message = whose if isinstance(signer, Signer) else f"a signed tag points at {at}"
        return (Condition(kind, Status.TRUE, "SignatureVerified", message, time),)

    def _fetch(self) -> None:
        """Bring the tags: that one is new moves no branch, so nobody has fetched because of it."""
        try:
            self.witness.source.mirror.fetch()
        except SourceError as error:
            _log.warning("%s; going on with the tags that are known", error)


def _unreadable(candidate: Candidate, error: ConfigError) -> Violation:
    return Violation(
        GATES_IN_FORCE,
        f"nobody knows the gates of {short(candidate.applied)}, which is in force and cannot be "
        f"read: {str(error).splitlines()[0]}",
        f"the operator names {candidate.revision} in gates.{candidate.environment}.let_through",
    )
