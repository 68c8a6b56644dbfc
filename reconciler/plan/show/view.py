"""Which part of a plan is shown: all of it, or only what drifted and what is foreign."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Iterator, Sequence

from reconciler.kinds.base.kind import ChangeBase
from reconciler.kinds.base.pool import RemovePool
from reconciler.kinds.domain_operations import DefineDomain, SnapshotDomain
from reconciler.model.address import Address
from reconciler.model.change import Action
from reconciler.model.position import Problem
from reconciler.plan.plan import Change, Plan
from reconciler.plan.show.escape import shortened

SHORT_REVISION = 7
NAMED_TOGETHER = 3
_COMMIT = re.compile(r"\A[0-9a-f]{40,64}\Z")


class View(enum.StrEnum):
    """What is shown. `drift` leaves out what only git changed, and names what is nobody's."""

    PLAN = "plan"
    DRIFT = "drift"


def changes_in(plan: Plan, view: View) -> tuple[Change, ...]:
    """The changes that the view shows, in the order of doing."""
    return plan.changes if view is View.PLAN else plan.drifted


def foreign_in(plan: Plan, view: View) -> tuple[Address, ...]:
    """The foreign resources that the view shows."""
    return plan.foreign if view is View.DRIFT else ()


def notes_in(plan: Plan, view: View) -> tuple[Problem, ...]:
    """What whoever wrote the commit should know."""
    return (*plan.notes, *plan.waiting) if view is View.PLAN else ()


def notes(change: Change) -> Iterator[str]:
    """What the fields of a change do not tell: what comes before it, and what only later."""
    for step in change.operations:
        if isinstance(step, SnapshotDomain):
            yield f"first a snapshot: {step.snapshot}"
        elif isinstance(step, DefineDomain) and step.waits:
            yield f"waits for a restart: {step.waits}"
        elif isinstance(step, RemovePool):
            yield "its data stay"
        elif isinstance(step, ChangeBase):
            yield from _of_base(change, step)


def _of_base(change: Change, step: ChangeBase) -> Iterator[str]:
    """What becomes of a part of a host that nobody wants any more, and whether it finds back."""
    if change.action is Action.DELETE and len(change.operations) == 1:
        yield step.told
    if step.safety:
        yield "with the way back armed"


def count(changes: Iterable[Change], action: Action) -> int:
    """How many of the changes do this."""
    return sum(change.action is action for change in changes)


def title(plan: Plan, view: View) -> tuple[str, str, str]:
    """What is shown, of which environment, and the revision as people write it, if any."""
    revision = plan.revision
    if _COMMIT.match(revision):
        revision = revision[:SHORT_REVISION]
    words = {View.PLAN: "Plan for", View.DRIFT: "Drift of"}
    return words[view], shortened(plan.environment), shortened(revision)


def summary(plan: Plan, view: View) -> str:
    """The one line that says how much there is."""
    changes = changes_in(plan, view)
    counts = [f"{count(changes, action)} to {action}" for action in Action]
    if view is View.PLAN:
        counts.append(f"{plan.unchanged} unchanged")
    else:
        counts.append(f"{len(plan.foreign)} foreign")
    held = sum(change.held is not None for change in changes)
    more = {"held": held, "unknown": len(plan.unknown), "marks to renew": len(plan.remarks)}
    if view is View.DRIFT:
        more.pop("marks to renew")
    else:
        more["foreign"] = len(plan.foreign)
    said = [f"{number} {what}" for what, number in more.items() if number]
    return f"{view.capitalize()}: " + ", ".join(counts + said)


def unknown_in(plan: Plan) -> tuple[str, ...]:
    """What nobody can say anything about now; together what is so for one reason."""
    reasons: dict[str, list[str]] = {}
    for each in plan.unknown:
        reasons.setdefault(each.reason, []).append(str(each.address))
    return tuple(f"{_several(names)}: {reason}" for reason, names in reasons.items())


def _several(names: Sequence[str]) -> str:
    rest = len(names) - NAMED_TOGETHER
    return ", ".join(names[:NAMED_TOGETHER]) + (f" and {rest} more" if rest > 0 else "")
