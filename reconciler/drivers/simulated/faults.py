"""What goes wrong on purpose: faults of a host or server, and crashes of this process.

Every call of a port crosses the one `Wire`, where it is counted, logged and, on demand, goes wrong.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import Literal

from pydantic import NonNegativeFloat, PositiveInt

from reconciler.drivers.refusal import Forbidden, Missing, Refused
from reconciler.errors import Conflict, Denied, NotFound, SettingsError, Unreachable

Mode = Literal["unreachable", "fails-before", "fails-after", "slow"]
LOG_LENGTH = 10_000
DEADLINE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that goes wrong with calls to the machines and operations that the globs match.

    `unreachable`: no answer, nothing done. `fails-before`: an answer, nothing done. `fails-after`:
    done, but no answer. `slow`: done after `seconds`, and no answer if that is past the deadline.
    `times` None is for ever.
    """

    where: str = "*"
    operation: str = "*"
    mode: Mode = "unreachable"
    times: PositiveInt | None = None
    seconds: NonNegativeFloat = 0.0

    def strikes(self, call: Call) -> str | None:
        """The machine of the call that the fault strikes, if it does."""
        if not fnmatchcase(call.operation, self.operation):
            return None
        return next((each for each in call.machines if fnmatchcase(each, self.where)), None)


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a port. `machines` are those it needs, the one that was asked first.

    `subject` names what it is about, for people.
    """

    machines: tuple[str, ...]
    operation: str
    subject: str = ""
    arguments: tuple[object, ...] = field(default=(), repr=False)

    @property
    def words(self) -> str:
        """The operation as people say it: `define domain production-web-1`."""
        return f"{self.operation.replace('_', ' ')} {self.subject}".rstrip()

    def __str__(self) -> str:
        return f"{self.machines[0]}: {self.words}"


@dataclass(frozen=True, slots=True)
class CrashBefore:
    """The process dies when the n-th call (from 1) is about to be made."""

    call: int


@dataclass(frozen=True, slots=True)
class CrashAfter:
    """The process dies when the n-th call (from 1) has taken effect, before anybody knows."""

    call: int


class CutOff(Exception):
    """The machine lets nobody in. Leaves the port as `Unreachable`."""


class SimulatedCrash(BaseException):
    """The process has died. No `except Exception` may stop this."""


class Wire:
    """What lies between the ports and the farm.

    After a crash the process is dead: every later call crashes too, until `revive`.
    """

    def __init__(
        self,
        take_faults: Callable[[Call], tuple[Fault, ...]],
        sleep: Callable[[float], None],
        deadline: timedelta = DEADLINE,
    ) -> None:
        """`take_faults` gives the faults that hit a call, and counts down those with an end."""
        self._take_faults = take_faults
        self._sleep = sleep
        self._deadline_seconds = deadline.total_seconds()
        self._lock = threading.Lock()
        self._log: deque[Call] = deque(maxlen=LOG_LENGTH)
        self._count = 0
        self._crash: CrashBefore | CrashAfter | None = None
        self._is_dead = False

    @property
    def count(self) -> int:
        """How many calls were made since the start or the last `revive`."""
        return self._count

    @property
    def log(self) -> tuple[Call, ...]:
        """The latest calls, oldest first; no more than `LOG_LENGTH`."""
        with self._lock:
            return tuple(self._log)

    def revive(self, crash: CrashBefore | CrashAfter | None = None) -> None:
        """Begin a new life: count and log start anew, and `crash` is the next death."""
        with self._lock:
            self._log.clear()
            self._count, self._crash, self._is_dead = 0, crash, False

    @contextmanager
    def crossing(self, call: Call) -> Iterator[None]:
        """Run the body as the effect of a call.

        Raises:
            SimulatedCrash: the process died before or after the body.
            Unreachable: a fault, and the body ran or not; or the world file cannot be used.
            Conflict: the body refused, or a fault of mode `fails-before`.
            Denied: who asked may not.
            NotFound: the body missed something.
        """
        number = self._register(call)
        with as_driver_errors(call):
            faults = self._take_faults(call)
        seconds = sum(fault.seconds for fault in faults if fault.mode == "slow")
        if seconds:
            self._sleep(min(seconds, self._deadline_seconds))
        _fail_before(call, faults)
        with as_driver_errors(call):
            yield
        self._crash_if(CrashAfter(number))
        late = [fault for fault in faults if fault.mode == "fails-after"]
        if late or seconds > self._deadline_seconds:
            raise Unreachable(_struck(call, faults), call.words, "no answer before the deadline")

    def _register(self, call: Call) -> int:
        self._crash_if(None)
        with self._lock:
            self._count += 1
            self._log.append(call)
            number = self._count
        self._crash_if(CrashBefore(number))
        return number

    def _crash_if(self, moment: CrashBefore | CrashAfter | None) -> None:
        if moment is not None and moment == self._crash:
            self._is_dead = True
        if self._is_dead:
            raise SimulatedCrash(str(self._crash))


def _fail_before(call: Call, faults: tuple[Fault, ...]) -> None:
    for fault in faults:
        if fault.mode == "unreachable":
            raise Unreachable(_struck(call, (fault,)), call.words, "it cannot be reached")
        if fault.mode == "fails-before":
            raise Conflict(_struck(call, (fault,)), call.words, "a fault makes it refuse")


def _struck(call: Call, faults: tuple[Fault, ...]) -> str:
    return next(filter(None, (fault.strikes(call) for fault in faults)), call.machines[0])


@contextmanager
def as_driver_errors(call: Call) -> Iterator[None]:
    """Give what the body refuses or misses with where it was and what was asked.

    Raises:
        Conflict: the body refused.
        Denied: who asked may not.
        NotFound: the body missed something.
        Unreachable: the machine lets nobody in, or the world file cannot be used.
    """
    try:
        yield
    except Refused as refusal:
        raise Conflict(call.machines[0], call.words, str(refusal)) from None
    except Forbidden as refusal:
        raise Denied(call.machines[0], call.words, str(refusal)) from None
    except Missing as missing:
        raise NotFound(call.machines[0], call.words, str(missing)) from None
    except CutOff as cut:
        raise Unreachable(call.machines[0], call.words, str(cut)) from None
    except SettingsError as error:
        raise Unreachable(call.machines[0], call.words, str(error)) from error
