"""What a forge is told of commits after a turn, in its few states and in few words. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from reconciler.engine.consequence import Consequence, consequence_of
from reconciler.errors import GateClosed
from reconciler.gitops.forges.port import State
from reconciler.gitops.report import Refusal, Report

WAITED_FOR = frozenset({"window", "freeze", "soak", "approval"})  # gates that open for this commit


@dataclass(frozen=True, slots=True)
class Verdict:
    """How it stands with a commit in one environment, and why."""

    state: State
    why: str


BEING_APPLIED = Verdict(State.PENDING, "is being applied")
READY = Verdict(State.SUCCESS, "Ready: the farm is what this commit says")


def context_of(environment: str) -> str:
    """The context of an environment's commit status."""
    return f"reconciler/{environment}"


def verdicts(report: Report) -> Mapping[str, Verdict]:
    """What is said of the commit in force, and of the head that is not applied."""
    found = {}
    if report.revision and report.after is not None:
        found[report.revision] = _standing(report)
    if report.refusal is not None and report.refusal.revision:
        found[report.refusal.revision] = refused(report.refusal)
    return found


def refused(refusal: Refusal) -> Verdict:
    """What is said of a head that is not applied."""
    error = refusal.error
    lines = str(error).splitlines() or [""]
    more = f" (and {len(lines) - 1} more)" if lines[1:] else ""
    why = f"{type(error).__name__}: {lines[0]}{more}"
    waits = consequence_of(type(error)) is Consequence.RETRY or _only_waits(refusal)
    return Verdict(State.PENDING if waits else State.FAILURE, why)


def _only_waits(refusal: Refusal) -> bool:
    error = refusal.error
    if not isinstance(error, GateClosed) or not error.violations:
        return False
    return {getattr(each, "name", "") for each in error.violations} <= WAITED_FOR


def _standing(report: Report) -> Verdict:
    """The commit in force, whatever is said of a newer one. It cannot help that a host is away."""
    finding = replace(report, refusal=None).finding
    if finding is None:
        return READY
    is_away = report.unknown and not report.failed and not report.residue
    state = State.PENDING if is_away and not finding.stalled else State.FAILURE
    return Verdict(state, f"{finding.reason}: {finding.message}")
