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
    def is_failing(self) -> bool:
        """Whether something was tried and did not work; that nobody answered is no such thing."""
        tried = any(each.result is Result.FAILED for each in self.failed)
        seen = self.after.world.unknown_hosts if self.after else frozenset()
        left = [each for each in self.residue if each.address.host not in seen]
        return tried or (bool(left) and not self.failed)

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
        """What people or the policy keep from being done. What a document ignores is as git says.

        An environment that is held is not ready even if nothing differs: the next commit waits.
        """
        if self.after is None:
            return None
        plan = self.after.plan
        if plan.hold is not None:
            way_out = f"`reconciler release {self.environment}` ends it"
            return Finding("Held", f"{self.environment} is {plan.hold}; {way_out}", stalled=True)
        held = [each for each in plan.changes if each.held and not each.is_ignored]
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
