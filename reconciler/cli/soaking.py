"""What the soak gate of the upper environment has against a promotion."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

from reconciler.cli.repository import Repository
from reconciler.daemon.clock import SystemClock
from reconciler.gitops.flow.promotion import Place
from reconciler.gitops.merging import tree_of
from reconciler.gitops.refs import short
from reconciler.plan.evidence import Evidence, Soak
from reconciler.plan.gates import Candidate, Case, Gates, soak
from reconciler.plan.guards import Violation
from reconciler.plan.plan import Plan
from reconciler.reconcile import REFUSALS


def soaking(
    repository: Repository, upper: str
) -> Callable[[Place, str, str], tuple[Violation, ...]]:
    """The question whether a commit has been Ready long enough in a lower place."""

    def unsoaked(lower: Place, commit: str, tree: str) -> tuple[Violation, ...]:
        seen = _seen(repository, lower, tree)
        if not lower.is_followed:
            seen = Soak(lower.environment, instead="no environment follows that branch")
        elif seen.since is None and not _was_ready(repository, lower, tree):
            return (_never_tried(lower, commit),)
        case = Case(
            _gates(repository, upper, commit),
            Evidence(soak=seen),
            Candidate(upper, commit, "", Plan(upper, commit)),
            SystemClock().now(),
        )
        return tuple(soak(case))

    return unsoaked


def _gates(repository: Repository, upper: str, commit: str) -> Gates:
    """What the promoted commit asks of itself in the upper environment, and what the operator."""
    floors = repository.settings.gates.by_environment().items()
    gates = next(Gates.of(floor) for name, floor in floors if name == upper)
    with suppress(*REFUSALS):  # that it does not load is told by the plan
        documents = repository.source.documents(upper, commit, {upper: commit})
        gates = gates.with_all_of(Gates.of(documents.policy.gates))
    return gates


def _seen(repository: Repository, lower: Place, tree: str) -> Soak:
    """Since when just this tree has been Ready in the lower place."""
    past = lower.past
    if past.ready_since and _was_ready(repository, lower, tree):
        return Soak(lower.environment, since=datetime.fromisoformat(past.ready_since))
    return Soak(lower.environment, instead="it is not Ready there now")


def _was_ready(repository: Repository, lower: Place, tree: str) -> bool:
    """Whether the tree is that of the commit that was Ready last."""
    ready = lower.past.ready_revision
    return bool(ready) and tree_of(repository.mirror.git(), ready) == tree


def _never_tried(lower: Place, commit: str) -> Violation:
    ready = short(lower.past.ready_revision) or "nothing"
    return Violation(
        "not-ready",
        f"{short(commit)} is not what was Ready in {lower.environment} last; that is {ready}",
        "promote that: leave --revision out",
    )
