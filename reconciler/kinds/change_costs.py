"""What a change costs that is none of a guest's definition: the rest of the table of the docs."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.model.change import Disruption

LIVE, RESTART, REPLACE, DATA_LOSS = Disruption


@dataclass(frozen=True, slots=True)
class ChangeCost:
    """What a change of a field of a resource costs; None: nothing is changed for it."""

    kind: str
    field: str
    when: str
    disruption: Disruption | None
    effect: str


CHANGE_COSTS: tuple[ChangeCost, ...] = (
    ChangeCost("domain", "running", "to `true`", LIVE, "it is started"),
    ChangeCost("domain", "running", "to `false`", RESTART, "it is shut down"),
    ChangeCost("domain", "autostart", "always", LIVE, ""),
    ChangeCost("domain", "host", "always", LIVE, "it moves with its volumes, while it runs"),
    ChangeCost("domain", "host", "and the new host only emulates", RESTART, "it moves shut down"),
    ChangeCost("domain", "libvirt_name", "always", REPLACE, "it is defined anew on its volumes"),
    ChangeCost("domain", "uuid", "always", REPLACE, "it is defined anew on its volumes"),
    ChangeCost("domain", "after", "always", None, "it matters when it is started"),
    ChangeCost("domain", "name", "it is taken away", REPLACE, "it is shut down and forgotten"),
    ChangeCost("volume", "capacity_bytes", "larger", LIVE, "it grows under its guest"),
    ChangeCost("volume", "capacity_bytes", "smaller", DATA_LOSS, "a new one, the old to the trash"),
    ChangeCost("volume", "pool", "always", DATA_LOSS, "a new one, the old to the trash"),
    ChangeCost("volume", "format", "always", DATA_LOSS, "a new one, the old to the trash"),
    ChangeCost("volume", "name", "always", DATA_LOSS, "a new one, the old to the trash"),
    ChangeCost("volume", "host", "always", LIVE, "it goes where its machine goes"),
    ChangeCost("volume", "image", "always", None, "it matters when the disk is made"),
    ChangeCost(
        "volume", "content", "`on_change: replace`", DATA_LOSS, "the root disk is made anew"
    ),
    ChangeCost("volume", "disks", "one is taken away", DATA_LOSS, "it goes to the trash"),
    ChangeCost("volume", "content", "else", LIVE, "the seed is written, for the next start"),
)
