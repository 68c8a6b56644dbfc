"""Whether the loop still turns, told from its slots. Pure; for `/healthz` and the supervisor.

Health is about the loop, not about the farm: an environment that cannot be reached is failing,
but the loop that says so is well.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from reconciler.daemon.slots import Slot

TOO_LATE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class SlotHealth:
    """What one slot is at; `last_turn_monotonic` is when its last turn ended, if one has."""

    name: str
    running: bool
    last_turn_monotonic: float | None
    failures: int
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Health:
    """What all slots are at, and what is wrong with the loop (nothing: it is well)."""

    slots: tuple[SlotHealth, ...]
    troubles: tuple[str, ...]

    @property
    def well(self) -> bool:
        """Whether the loop may go on; a supervisor should restart it if not."""
        return not self.troubles


def check_health(
    slots: Mapping[str, Slot], last_beat: float, now: float, longest_turn: timedelta
) -> Health:
    """Judge the heartbeat at the monotonic time `now`, and the slots as of the last heartbeat.

    After a pause of the whole process (a stopped machine) slots look late until the heartbeat has
    woken them; that is not their fault. A turn that lasts longer than `longest_turn` hangs, since
    each call of a turn has a deadline.
    """
    looked_at = tuple(
        SlotHealth(
            name=name,
            running=bool(slot.running),
            last_turn_monotonic=slot.ended,
            failures=slot.failures,
            trouble=_trouble(slot, last_beat, longest_turn),
        )
        for name, slot in slots.items()
    )
    troubles = [f"{slot.name}: {slot.trouble}" for slot in looked_at if slot.trouble]
    if now - last_beat > TOO_LATE.total_seconds():
        troubles.append(f"the loop itself stands still for more than {_seconds(TOO_LATE)}")
    return Health(looked_at, tuple(troubles))


def _trouble(slot: Slot, now: float, longest_turn: timedelta) -> str:
    """What is wrong, in words that stay the same while it is wrong."""
    if slot.running and slot.began is not None:
        hangs = now - slot.began > longest_turn.total_seconds()
        return f"its turn lasts for more than {_seconds(longest_turn)}" if hangs else ""
    late = now - max(slot.due, slot.rests_until) > TOO_LATE.total_seconds()
    return f"its turn is late by more than {_seconds(TOO_LATE)}" if late else ""


def _seconds(duration: timedelta) -> str:
    return f"{duration.total_seconds():.0f} s"
