"""Gates: what must be true of a new commit before it is applied.

A guard judges what a plan would do; a gate judges who asks for it, and when. Gates are asked only
of a commit that is not in force yet: what is in force stays so and is repaired, whatever they say.
"""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.plan.plan import Plan


@dataclass(frozen=True, slots=True)
class Candidate:
    """A commit that asks to be applied: what it follows, and what it would do.

    `applied` is the commit in force, empty if there is none.
    """

    environment: str
    revision: str
    applied: str
    plan: Plan
