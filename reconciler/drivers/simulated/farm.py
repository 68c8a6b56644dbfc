"""The simulated farm as a whole: the doors to its hosts and servers, its file and its faults."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from reconciler.drivers.simulated.cell import Cell
from reconciler.drivers.simulated.faults import Call, CrashAfter, CrashBefore, Fault, Wire
from reconciler.drivers.simulated.hypervisor import SimulatedHypervisor
from reconciler.drivers.simulated.machine import Clock, Fences, SimulatedMachine
from reconciler.drivers.simulated.nameserver import SimulatedNameserver
from reconciler.drivers.simulated.state import BEGINNING, FarmState
from reconciler.drivers.simulated.worldfile import WorldFile
from reconciler.errors import NotFound
from reconciler.ports.world import Ports


class SimulatedFarm:
    """Hosts and name servers that refuse what real ones refuse. Safe to use from many threads."""

    def __init__(
        self,
        state: FarmState | None = None,
        *,
        sleep: Callable[[float], None] | None = None,
        now: Callable[[], datetime] | None = None,
        file: WorldFile | None = None,
    ) -> None:
        """A farm in `state`, kept in `file` if there is one.

        `sleep` is what a slow fault does; without it slowness is told in the outcome only. `now`
        is the clock of its hosts; without it their time stands still.
        """
        self._now = now or (lambda: BEGINNING)
        self._has_clock = now is not None
        self._sleep = sleep or _not_at_all
        self._fences = Fences()
        self._cell = Cell(state or FarmState(), file)
        self._wire = Wire(self._cell.take_faults, self._sleep)

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        sleep: Callable[[float], None],
        now: Callable[[], datetime] | None = None,
    ) -> SimulatedFarm:
        """The farm of a world file. Each change is in the file when the call returns.

        Raises:
            SettingsError: the file cannot be read, or describes no farm.
        """
        file = WorldFile(path, sleep)
        return cls(file.read(), sleep=sleep, now=now, file=file)

    @classmethod
    def create(
        cls,
        path: Path,
        state: FarmState,
        *,
        sleep: Callable[[float], None],
        now: Callable[[], datetime] | None = None,
    ) -> SimulatedFarm:
        """A farm in `state` that is kept in a world file, new or replaced.

        Raises:
            SettingsError: the file cannot be written.
        """
        file = WorldFile(path, sleep)
        with file.locked():
            file.write(state)
        return cls(state, sleep=sleep, now=now, file=file)

    def neighbour(self) -> SimulatedFarm:
        """Another process that uses the same farm: it counts and remembers for itself."""
        other = copy(self)
        other._wire = Wire(self._cell.take_faults, self._sleep)  # noqa: SLF001 (our own)
        other._fences = Fences()  # noqa: SLF001 (our own)
        return other

    @property
    def state(self) -> FarmState:
        """All of the farm as it is now; later changes do not touch what was given out."""
        return self._cell.state

    @property
    def time(self) -> datetime:
        """What the clocks of its hosts and servers show."""
        return self._now()

    def change(self, change: Callable[[FarmState], FarmState]) -> None:
        """Change the farm from outside, past all ports and faults.

        Raises:
            SettingsError: the world file cannot be read or written.
        """
        self._cell.change(change)

    def hypervisor(self, host: str) -> SimulatedHypervisor:
        """The host of that name.

        Raises:
            NotFound: there is no such host.
        """
        if host not in self.state.hosts:
            raise NotFound(host, "find the host", "there is no such host in the simulated farm")
        return SimulatedHypervisor(host, self._cell, self._wire, self._now, self._is_past)

    def machine(self, host: str) -> SimulatedMachine:
        """The base of the host of that name.

        Raises:
            NotFound: there is no such host.
        """
        if host not in self.state.hosts:
            raise NotFound(host, "find the host", "there is no such host in the simulated farm")
        clock = Clock(self._now, self._is_past, self._sleep)
        return SimulatedMachine(host, self._cell, self._wire, self._fences, clock)

    def nameserver(self, server: str) -> SimulatedNameserver:
        """The name server of that name.

        Raises:
            NotFound: there is no such server.
        """
        if server not in self.state.nameservers:
            cause = "there is no such name server in the simulated farm"
            raise NotFound(server, "find the name server", cause)
        return SimulatedNameserver(server, self._cell, self._wire, self._now)

    def add_fault(self, fault: Fault) -> None:
        """Let something go wrong from now on."""
        self._cell.change(lambda farm: replace(farm, faults=(*farm.faults, fault)))

    def remove_faults(self, where: str = "*") -> None:
        """End the faults that were added with exactly this `where`; `*` ends all."""
        self._cell.change(
            lambda farm: replace(
                farm,
                faults=tuple(each for each in farm.faults if where not in {"*", each.where}),
            )
        )

    @property
    def calls(self) -> int:
        """How many calls of ports were made since the start or the last `revive`."""
        return self._wire.count

    @property
    def log(self) -> tuple[Call, ...]:
        """The latest calls of ports, oldest first."""
        return self._wire.log

    def revive(self, crash: CrashBefore | CrashAfter | None = None) -> None:
        """Begin a new life of the process that uses the farm, to end at `crash`.

        The count and the log of calls start anew, and what it knew of who changed what is lost;
        the farm stays as it is.
        """
        self._wire.revive(crash)
        self._fences = Fences()

    def _is_past(self, moment: datetime) -> bool:
        """Whether the hosts have seen that moment: without a clock, any that is spoken of."""
        return not self._has_clock or self._now() >= moment


def _not_at_all(seconds: float) -> None:
    del seconds


def _are_ports(farm: SimulatedFarm) -> Ports:
    return farm
