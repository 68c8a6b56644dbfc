"""How a run of an environment ended, and what follows from that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from reconciler.engine.apply import Outcome, Result
from reconciler.engine.consequence import Consequence, consequence_of
from reconciler.engine.verify import Look
from reconciler.errors import ReconcilerError
from reconciler.model.resource import World
from reconciler.plan.conditions import Finding
from reconciler.plan.plan import Change


@dataclass(frozen=True, slots=True)
class Refusal:
    """A head that is not applied, and why. `revision` is empty if there is no such commit."""

    revision: str
    error: ReconcilerError


@dataclass(frozen=True)
class Report:
    """How a run ended. `refusal` says why the head of the branch was not applied."""

    environment: str
    revision: str
    before: Look | None = None
    after: Look | None = None
    outcomes: tuple[Outcome, ...] = ()
    residue: tuple[Change, ...] = ()
    refusal: Refusal | None = None

    @property
    def failed(self) -> tuple[Outcome, ...]:
        """The changes that did not end well."""
        return tuple(each for each in self.outcomes if each.result is not Result.DONE)

    @property
    def unknown(self) -> bool:
        """Whether something could not be looked at."""
        return self.after is not None and bool(self.after.world.unknown)

    @property
    def consequence(self) -> Consequence:
        """What the loop does next."""
        if self.failed or self.residue or self.unknown:
            return Consequence.RETRY
        return consequence_of(type(self.refusal.error)) if self.refusal else Consequence.WAIT

    @property
    def finding(self) -> Finding | None:
        """The one reason that the environment is not ready, the weightiest first."""
        stalled = self.consequence in {Consequence.STALL, Consequence.HOLD}
        if self.refusal is not None:
            error = self.refusal.error
            return Finding(type(error).__name__, str(error), stalled)
        if self.failed:
            messages = "; ".join(f"{each.address}: {each.message}" for each in self.failed[:3])
            return Finding("ApplyFailed", messages, stalled=False)
        if self.residue:
            left = ", ".join(str(change.address) for change in self.residue)
            return Finding("VerificationFailed", f"still differ: {left}", stalled=False)
        if self.unknown and self.after is not None:
            return Finding("HostUnknown", "; ".join(_reasons(self.after.world)), stalled=False)
        return self._held

    @property
    def _held(self) -> Finding | None:
        """What the policy keeps from being done: the farm is not what the commit says."""
        held = [each for each in self.after.plan.changes if each.held] if self.after else []
        if not held:
            return None
        message = f"{count(len(held), 'change')} held: {held[0].address}: {held[0].held}"
        more = f" and {len(held) - 1} more" if held[1:] else ""
        return Finding("ChangesHeld", message + more, stalled=True)


def _reasons(world: World) -> Iterator[str]:
    return (f"{scope.lock}: {reason}" for scope, reason in sorted(world.unknown.items()))


def count(number: int, noun: str) -> str:
    """So many of something, in words."""
    return f"{number} {noun}" + ("" if number == 1 else "s")
