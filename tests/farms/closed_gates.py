"""For each gate a commit that only this gate stops."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from reconciler.config.gates import GateFields
from reconciler.plan import gates
from reconciler.plan.evidence import Approver, Evidence, Lack, Soak
from reconciler.plan.gates import Candidate, Gate, Gates
from reconciler.plan.plan import Plan

ASKED = "0123456789abcdef"
NOON = datetime(2026, 12, 22, 12, tzinfo=UTC)
CANDIDATE = Candidate("production", "1" * 40, "2" * 40, Plan("production", "1" * 40, asked=ASKED))
OWN = Evidence(
    authors=(frozenset({"alice"}),),
    sign_offs=frozenset({"alice"}),
    approvers=(Approver("alice", "key", ASKED), Approver("bob", "key", "f" * 16)),
    soak=Soak("staging", NOON),
)


@dataclass(frozen=True)
class Closed:
    """A commit that a gate must stop. `name` is how it calls what it finds."""

    gate: Gate
    name: str
    asked: Gates
    evidence: Evidence = OWN


def asked(**fields: object) -> Gates:
    return Gates.of(GateFields.model_validate(fields))


UNSIGNED = Evidence(lacks=(Lack("commit 1111111 is not signed", "sign it"),))
FROZEN = {"from": "2026-12-20", "until": "2027-01-06", "reason": "Holidays"}
CLOSED = (
    Closed(gates.signature, "signature", asked(signatures="head"), UNSIGNED),
    Closed(gates.sign_off, "sign-off", asked(sign_offs=1)),
    Closed(gates.window, "window", asked(windows=[{"opens": "0 2 * * *", "duration": "1h"}])),
    Closed(gates.freeze, "freeze", asked(freezes=[FROZEN])),
    Closed(gates.soak, "soak", asked(soak="1d")),
    Closed(gates.approval, "approval", asked(approvals=1)),
)
