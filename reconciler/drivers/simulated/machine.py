"""The machine port of a simulated host.

Each act crosses the wire by itself, so that a fault or a crash may strike between two acts as it
may on a real host, where one program does them all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from reconciler.drivers.refusal import Refused
from reconciler.drivers.simulated.arrival import arrive, on_base
from reconciler.drivers.simulated.base import switch
from reconciler.drivers.simulated.base.acts import done
from reconciler.drivers.simulated.base.look import look
from reconciler.drivers.simulated.base.state import Base
from reconciler.drivers.simulated.cell import Cell
from reconciler.drivers.simulated.faults import Call, Wire
from reconciler.drivers.simulated.moves import host_named
from reconciler.drivers.simulated.plugs import expect_unplugged
from reconciler.errors import Conflict, Unreachable
from reconciler.ports.acts import Act, Forget, PutMark, RestartService, SetService
from reconciler.ports.facts import Facts, Question
from reconciler.ports.machine import Machine, Safety

TAKEN = "another reconciler has changed this host since it was looked at; nothing was done"
_CAPITAL = re.compile(r"(?<!^)(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class Clock:
    """The time of a host, what of it is past, and how to wait."""

    now: Callable[[], datetime]
    is_past: Callable[[datetime], bool]
    sleep: Callable[[float], None]


@dataclass(slots=True)
class Fences:
    """What one process knows of who changed each host last: the count that it saw there."""

    seen: dict[str, int] = field(default_factory=dict)
    own: dict[str, int] = field(default_factory=dict)

    def passed(self, host: str, base: Base) -> Base:
        """The base with our count on it.

        Raises:
            Refused: somebody else has changed it since we looked.
        """
        if base.fence == self.own.get(host):
            return base
        if base.fence != self.seen.setdefault(host, base.fence):
            raise Refused(TAKEN)
        return replace(base, fence=base.fence + 1)


class SimulatedMachine:
    """The base of one simulated host."""

    def __init__(self, name: str, cell: Cell, wire: Wire, fences: Fences, clock: Clock) -> None:
        """Nothing is looked at yet."""
        self._name = name
        self._cell = cell
        self._wire = wire
        self._fences = fences
        self._clock = clock

    def look(self, questions: Iterable[Question]) -> Facts:
        """Answer everything, and what the marks ask."""
        asked = frozenset(questions)
        with self._arriving(self._call("look", "at its base", *sorted(asked))):
            base = self._base
            self._fences.seen[self._name] = base.fence
            return look(base, asked)

    def do(self, acts: Sequence[Act], *, safety: Safety | None = None) -> None:
        """Do these one after the other, with the way back armed if there is one."""
        if safety is None:
            self._do(acts)
            return
        with self._arriving(self._call("arm", "the way back", safety)):
            self._change(lambda base: switch.armed(base, safety, self._clock.now()))
        try:
            self._do(acts, has_arrived=True)
        except Conflict:
            self._come_back(safety, read_anew=False)
            raise
        read_anew = any(isinstance(act, RestartService | SetService) for act in acts)
        self._come_back(safety, read_anew=read_anew)

    def _do(self, acts: Sequence[Act], *, has_arrived: bool = False) -> None:
        cross = self._wire.crossing if has_arrived else self._arriving
        for act in acts:
            with cross(self._call(_CAPITAL.sub("_", type(act).__name__).lower(), _about(act), act)):
                expect_unplugged(host_named(self._cell.state, self._name), act)
                self._change(partial(done, act=act))
            cross = self._wire.crossing  # one program does them all, whatever the first ones do
        if not has_arrived and self._base.cut:
            cause = f"the connection was lost when {', '.join(self._base.cut)} changed"
            raise Unreachable(self._name, str(acts[-1]), cause)

    def _come_back(self, safety: Safety, *, read_anew: bool) -> None:
        """Get in anew and say that all is well, or wait until the machine has gone back by itself.

        Raises:
            Unreachable: the machine was cut off.
        """
        try:
            with self._arriving(self._call("disarm", "the way back", safety), lets_pass=True):
                self._change(partial(switch.disarmed, read_anew=read_anew))
        except Unreachable as lost:
            seconds = safety.deadline.total_seconds()
            self._clock.sleep(seconds)
            if self._base.switch is None:
                raise
            self._cell.change(lambda farm: on_base(farm, self._name, _given_up))
            cause = f"{lost.cause}; after {seconds:g} s it took the change back by itself"
            raise Unreachable(self._name, "change the way in", cause) from lost

    @contextmanager
    def _arriving(self, call: Call, *, lets_pass: bool = False) -> Iterator[None]:
        """Cross the wire and get in. With `lets_pass` no time has passed since we were there."""
        with self._wire.crossing(call):
            arrive(self._cell, self._name, _never if lets_pass else self._clock.is_past)
            yield

    def _call(self, operation: str, subject: str, *arguments: object) -> Call:
        return Call((self._name,), operation, subject, arguments)

    @property
    def _base(self) -> Base:
        return host_named(self._cell.state, self._name).base

    def _change(self, change: Callable[[Base], Base]) -> None:
        """Change the base unless somebody else has changed it since it was looked at."""

        def fenced(base: Base) -> Base:
            return change(self._fences.passed(self._name, base))

        self._cell.change(lambda farm: on_base(farm, self._name, fenced))
        self._fences.own[self._name] = self._base.fence


def _given_up(base: Base) -> Base:
    return switch.fired(base, times=switch.ENOUGH)


def _never(moment: datetime) -> bool:
    del moment
    return False


def _about(act: Act) -> str:
    """What an act is about, for people."""
    if isinstance(act, PutMark):
        return f"{act.mark.kind} {act.mark.question.name}"
    if isinstance(act, Forget):
        return f"{act.kind} {act.question.name}"
    for name in ("path", "name", "unit"):
        if hasattr(act, name):
            return str(getattr(act, name))
    return ""


def _is_a_machine(simulated: SimulatedMachine) -> Machine:
    return simulated
