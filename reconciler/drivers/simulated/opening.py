"""A simulated farm that is sent secrets: they are opened as for real hosts, and thrown away.

So a drill fails where the farm would: for want of a key, or for a file that was tampered with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from reconciler.model.secret import SealedSecret
from reconciler.ports.acts import Act, PutFile
from reconciler.ports.facts import Facts, Question
from reconciler.ports.hypervisor import Hypervisor
from reconciler.ports.machine import Machine, Safety
from reconciler.ports.nameserver import Nameserver
from reconciler.ports.world import Ports

Opened = Callable[[str, SealedSecret], object]


@dataclass(frozen=True, slots=True)
class OpeningFarm:
    """The doors to a farm. `reveal` opens a secret for the host of a name."""

    farm: Ports
    reveal: Opened

    def hypervisor(self, host: str) -> Hypervisor:
        """The host of that name."""
        return self.farm.hypervisor(host)

    def machine(self, host: str) -> Machine:
        """The base of the host of that name."""
        return OpeningMachine(host, self.farm.machine(host), self.reveal)

    def nameserver(self, server: str) -> Nameserver:
        """The name server of that name."""
        return self.farm.nameserver(server)


@dataclass(frozen=True, slots=True)
class OpeningMachine:
    """The base of a host, to which nothing is sent before all its secrets were opened."""

    host: str
    machine: Machine
    reveal: Opened

    def look(self, questions: Iterable[Question]) -> Facts:
        """Answer everything, and what the marks ask."""
        return self.machine.look(questions)

    def do(self, acts: Sequence[Act], *, safety: Safety | None = None) -> None:
        """Do these one after the other.

        Raises:
            NotFound: there is no key for a secret.
            Denied: a secret cannot be decrypted.
        """
        for act in acts:
            for secret in act.secrets if isinstance(act, PutFile) else ():
                self.reveal(self.host, secret)
        self.machine.do(acts, safety=safety)
