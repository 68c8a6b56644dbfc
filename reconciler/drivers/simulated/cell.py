"""The one mutable thing of a simulated farm: which state is its state now."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace

from reconciler.drivers.simulated.faults import Call, Fault
from reconciler.drivers.simulated.state import FarmState
from reconciler.drivers.simulated.worldfile import WorldFile


class Cell:
    """Holds a state that readers take whole and writers replace one at a time.

    One lock is enough: a change is a computation of microseconds, and what is slow on purpose
    sleeps on the wire. With a file each change is written before it is seen, and what others
    wrote to the file is seen at the next look.
    """

    def __init__(self, state: FarmState, file: WorldFile | None = None) -> None:
        """Begin with `state`, which is what `file` says, if there is one."""
        self._state = state
        self._file = file
        self._lock = threading.RLock()

    @property
    def state(self) -> FarmState:
        """The state now.

        Raises:
            SettingsError: the file has changed and describes no farm.
        """
        if self._file is not None and self._file.has_changed:
            with self._lock:
                self._state = self._file.read()
        return self._state

    def change(self, change: Callable[[FarmState], FarmState]) -> None:
        """Replace the state by what `change` makes of it; wholly, or not at all if that raises.

        Raises:
            SettingsError: the file cannot be read or written.
        """
        with self._lock, self._file.locked() if self._file else nullcontext():
            before = self.state
            after = change(before)
            if self._file is not None and after is not before:
                self._file.write(after)
            self._state = after

    def take_faults(self, call: Call) -> tuple[Fault, ...]:
        """The faults that strike the call; those with an end come one nearer to it."""
        if not any(fault.strikes(call) for fault in self.state.faults):
            return ()
        taken: list[Fault] = []

        def count_down(state: FarmState) -> FarmState:
            taken[:] = [fault for fault in state.faults if fault.strikes(call)]
            left = tuple(
                each
                for fault in state.faults
                for each in (_left_of(fault) if fault in taken else (fault,))
            )
            return state if left == state.faults else replace(state, faults=left)

        self.change(count_down)
        return tuple(taken)


def _left_of(fault: Fault) -> tuple[Fault, ...]:
    if fault.times is None:
        return (fault,)
    return (replace(fault, times=fault.times - 1),) if fault.times > 1 else ()
