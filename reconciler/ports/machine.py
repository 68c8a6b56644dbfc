"""What may be asked of the base of one machine: its packages, files, services and settings.

Errors as in `reconciler.ports.hypervisor`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from reconciler.model.address import Address
from reconciler.ports.acts import Act
from reconciler.ports.facts import Facts, Question

SWITCH_DEADLINE = timedelta(seconds=120)


@dataclass(frozen=True, slots=True)
class Safety:
    """How a machine finds back if a change cuts it off: what it restores by itself.

    `files` get the content with which `services` last ran well, and the services are restarted.
    `concerns` are the resources with the digest of the spec that is being tried, so that it is
    known afterwards what was taken back. `network`: its interfaces, addresses, routes and switches
    are kept and put back too.
    """

    files: tuple[str, ...]
    services: tuple[str, ...]
    concerns: tuple[tuple[Address, str], ...]
    deadline: timedelta = SWITCH_DEADLINE
    network: bool = False


class Machine(Protocol):
    """The base of one machine."""

    def look(self, questions: Iterable[Question]) -> Facts:
        """Answer everything in one exchange; what carries a mark is told of unasked.

        Raises:
            DriverError: it does not answer, or not in a way that can be understood.
        """
        ...

    def do(self, acts: Sequence[Act], *, safety: Safety | None = None) -> None:
        """Do these one after the other, in one exchange, while nobody else changes the machine.

        With `safety` a dead man's switch is armed first, and disarmed over a new connection.

        Raises:
            Conflict: one of them failed, those before it were done; or somebody else has changed
                the machine since it was last looked at, and nothing was done.
            Unreachable: nobody knows how far it came. With `safety`: the machine was cut off, and
                takes the change back by itself.
        """
        ...
