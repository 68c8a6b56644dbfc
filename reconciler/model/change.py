"""How two specs of one resource differ, and what it costs to make them equal."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any


class Disruption(enum.IntEnum):
    """What a change costs the people who use the thing, from least to most."""

    LIVE = 0
    RESTART = 1
    REPLACE = 2
    DATA_LOSS = 3

    @property
    def label(self) -> str:
        """The word that people read and write: `live`, `restart`, `replace`, `data-loss`."""
        return self.name.lower().replace("_", "-")

    @classmethod
    def of(cls, label: str) -> Disruption:
        """The disruption that `label` names.

        Raises:
            KeyError: no disruption has that label.
        """
        return cls[label.upper().replace("-", "_")]


class Action(enum.StrEnum):
    """What happens to a resource."""

    CREATE = "create"
    UPDATE = "update"
    MOVE = "move"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field that differs. `path` is dotted, named items by their name: `disks.data.pool`.

    `before` is what was seen and `after` what is wanted, both as plain JSON values;
    None means that the field is not there.
    """

    path: str
    before: Any
    after: Any

    def __str__(self) -> str:
        return f"{self.path}: {_show(self.before)} -> {_show(self.after)}"


def _show(value: Any) -> str:
    return "(none)" if value is None else str(value)
