"""A process that brings hosts of the lab to what is wanted, and is killed at its n-th change.

Every call of every libvirt object and every command on a host is seen. Those that only look leave
the world as it was after the change before them, so it is the changes that are counted.
"""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import libvirt

from reconciler.cli.repository import pause
from reconciler.drivers.farm import RealFarm
from reconciler.drivers.libvirt_.hypervisor import Patience
from reconciler.drivers.ssh.files import reading
from reconciler.engine.apply import MachineLocks, apply
from reconciler.model.address import Address
from reconciler.model.resource import Applied, Desired
from reconciler.placement.spread import Room
from tests.farms.rounds import Environment
from tests.farms.town import ANYTHING_GOES
from tests.system.crash_scenes import ENVIRONMENT
from tests.system.driven import MIB, POOL, driven
from tests.system.lab import Lab

Memory = Mapping[Address, Applied]
When = Literal["before", "within", "after"]
CALLS = "calls.json"
NOTHING_LEFT = "nothing is left to do"
ROUNDS = 12
ROOM_BYTES = 4096 * MIB
PAUSE_SECONDS = 1.0
NO_ACPI = timedelta(seconds=1)  # a guest without a system hears no request to shut down

_OBJECTS = (
    libvirt.virConnect,
    libvirt.virDomain,
    libvirt.virDomainSnapshot,
    libvirt.virNetwork,
    libvirt.virStoragePool,
    libvirt.virStorageVol,
    libvirt.virStream,
)
_LOOKS = (
    *("XMLDesc", "info", "name", "path", "state", "autostart", "jobStats", "UUID", "refresh"),
    *("get", "is", "list", "lookup", "storagePoolLookup", "storageVolLookup", "snapshotLookup"),
    *("newStream", "download", "recv", "setKeepAlive", "close", "registerClose", "metadata"),
)


@dataclass(frozen=True, slots=True)
class Errand:
    """What a process is to do, and where it dies: at change `number` (0: nowhere)."""

    lab: Lab
    state: Path
    desired: tuple[Desired[Any], ...]
    memory: Memory
    number: int = 0
    when: When = "before"
    seconds: float = 0.0
    """How long after the beginning of the call, for `within`."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call that changed something, and how long it took."""

    name: str
    seconds: float


@dataclass
class Tally:
    """Sees the changes, and strikes once, at the one that it is told by number or name."""

    at: int | str = 0
    when: When = "before"
    seconds: float = 0.0
    strike: Callable[[], object] = field(default_factory=lambda: die)
    calls: list[Call] = field(default_factory=list)
    count: int = 0
    struck: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def call(self, name: str, work: Callable[[], Any]) -> Any:
        """Do it, and strike if this is the one."""
        with self.lock:
            self.count += 1
            is_it = self.at in {self.count, name} and not self.struck
        if is_it and self.when == "before":
            self.once()
        timer = threading.Timer(self.seconds, self.once)
        if is_it and self.when == "within":
            timer.start()
        begun = time.monotonic()
        try:
            return work()
        finally:
            seconds = time.monotonic() - begun
            if is_it:
                self.once()
            with self.lock:
                self.calls.append(Call(name, seconds))

    def once(self) -> None:
        """Strike, unless that was done."""
        with self.lock:
            was, self.struck = self.struck, True
        if not was:
            self.strike()


def die() -> None:
    """As kill -9 has it: nothing is tidied up."""
    os.kill(os.getpid(), signal.SIGKILL)


class Counted:
    """A libvirt object whose calls are counted, and those of what it gives."""

    def __init__(self, raw: Any, tally: Tally) -> None:
        self._raw = raw
        self._tally = tally

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._raw, name)
        if not callable(found):
            return found

        def call(*arguments: Any) -> Any:
            plain = [each._raw if isinstance(each, Counted) else each for each in arguments]
            if name.startswith(_LOOKS):
                return self._wrapped(found(*plain))
            called = f"{type(self._raw).__name__}.{name}"
            return self._wrapped(self._tally.call(called, lambda: found(*plain)))

        return call

    def _wrapped(self, result: Any) -> Any:
        if isinstance(result, list):
            return [self._wrapped(each) for each in result]
        return Counted(result, self._tally) if isinstance(result, _OBJECTS) else result


@dataclass(frozen=True)
class CountedDial:
    """A line to libvirt whose calls are counted."""

    dial: Any
    tally: Tally

    def open(self) -> Any:
        return Counted(self.dial.open(), self.tally)

    def cut(self) -> None:
        self.dial.cut()

    def clear(self) -> None:
        self.dial.clear()


@dataclass(frozen=True)
class CountedProgram:
    """What a farm dials its hosts with, counted."""

    program: Any
    tally: Tally

    def dial(self, address: str) -> CountedDial:
        return CountedDial(self.program.dial(address), self.tally)

    def close(self) -> None:
        self.program.close()


def sync(errand: Errand) -> None:
    """What the process does: all there is to do, or as much as it lives for."""
    tally = Tally(errand.number, errand.when, errand.seconds)
    with driven(errand.lab, errand.state) as farm:
        plant(farm, errand.lab.hosts, tally)
        wish = environment_on(farm, errand.lab.hosts, errand.desired, errand.memory)
        story = converge(wish)
    calls = [asdict(each) for each in tally.calls]
    (errand.state / CALLS).write_text(json.dumps(calls))
    assert story[-1] == NOTHING_LEFT, "\n".join(story)


def converge(environment: Environment) -> list[str]:
    """Turn after turn until nothing is left to do, or for `ROUNDS`; gives what happened."""
    story: list[str] = []
    for _ in range(ROUNDS):
        look = environment.look()
        environment.remember(look)
        plan, unknown = look.plan, look.world.unknown
        if not (plan.changes or plan.remarks or unknown):
            return [*story, NOTHING_LEFT]
        outcomes = apply(plan, environment.farm, locks=MachineLocks(), threads=1)
        story += [f"{scope} is unknown: {reason}" for scope, reason in unknown.items()]
        story += [f"{each.address} {each.result} {each.message}" for each in outcomes]
        story += [str(operation) for each in plan.remarks for operation in each.operations]
        if unknown or any(outcome.error for outcome in outcomes):
            pause(PAUSE_SECONDS)  # a daemon may still be ending what a dead client had begun
    return story


def environment_on(
    farm: RealFarm, hosts: Iterable[str], desired: Sequence[Desired[Any]], memory: Memory
) -> Environment:
    """Who wants this there, and remembers how it was."""
    rooms = tuple(Room(host, ROOM_BYTES, frozenset({POOL}), "qemu") for host in hosts)
    return Environment(
        farm,  # type: ignore[arg-type] # of a farm it asks for ports alone, if it is told the rooms
        desired,
        ENVIRONMENT,
        ANYTHING_GOES,
        rooms,
        dict(memory),
    )


def plant(farm: RealFarm, hosts: Iterable[str], tally: Tally) -> None:
    """Let the tally see all that the farm does to its hosts."""
    hurry(farm)
    farm._ssh = CountedProgram(farm._ssh, tally)  # type: ignore[assignment] # what is used of it
    for host in hosts:
        farm._door(host).connection.close()  # the next one is counted
        shell = farm.shell(host)
        shell.run = counted_commands(shell.run, tally)  # type: ignore[method-assign] # that is it


def hurry(farm: RealFarm) -> None:
    """Let no guest be waited for that does not hear."""
    farm._patience = Patience(pause, time.monotonic, shutdown_deadline=NO_ACPI)


def counted_commands(run: Any, tally: Tally) -> Any:
    look = reading("")[:-1]

    def counted(argv: Any, **options: Any) -> Any:
        if list(argv[: len(look)]) == look:
            return run(argv, **options)
        name = options.get("operation") or argv[0]
        return tally.call(f"ssh {name}", lambda: run(argv, **options))

    return counted
