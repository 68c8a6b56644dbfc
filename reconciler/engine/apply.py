"""Carry a plan out: the only writer.

Changes run as soon as those they need are done, several at a time, but never two on one host or
server. A failed change stops what needs it and nothing else.
"""

from __future__ import annotations

import enum
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Protocol

from reconciler.errors import DriverError, Unreachable
from reconciler.kinds.protocol import Operation
from reconciler.model.address import Address
from reconciler.plan.plan import Change, Plan, Remark
from reconciler.ports.world import Ports

THREADS = 8


class Result(enum.StrEnum):
    """How a change ended. `unknown`: nobody knows whether it took effect."""

    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one change ended, and why if not well."""

    address: Address
    result: Result
    message: str = ""
    error: type[DriverError] | None = None


class Reporter(Protocol):
    """Is told what goes on, from several threads."""

    def planned(self, plan: Plan) -> None:
        """The active changes of this plan are about to be made."""
        ...

    def begins(self, address: Address, operation: Operation) -> None:
        """An operation is about to run."""
        ...

    def ended(self, outcome: Outcome) -> None:
        """A change has ended."""
        ...


class Silent:
    """A reporter that says nothing."""

    def planned(self, plan: Plan) -> None:
        """Say nothing."""

    def begins(self, address: Address, operation: Operation) -> None:
        """Say nothing."""

    def ended(self, outcome: Outcome) -> None:
        """Say nothing."""


@dataclass(frozen=True)
class MachineLocks:
    """One lock per host or server, shared by all environments of the process."""

    _locks: dict[str, threading.Lock] = field(default_factory=dict)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def held(self, machines: frozenset[str]) -> Iterator[None]:
        """Hold all, taken in the order of their names so that two never wait for each other."""
        with self._guard:
            locks = [self._locks.setdefault(name, threading.Lock()) for name in sorted(machines)]
        with ExitStack() as stack:
            for lock in locks:
                stack.enter_context(lock)
            yield


def apply(
    plan: Plan,
    ports: Ports,
    *,
    locks: MachineLocks,
    reporter: Reporter | None = None,
    stopping: Callable[[], bool] = lambda: False,
    threads: int = THREADS,
) -> tuple[Outcome, ...]:
    """Do what the plan says, in its order, and tell how each change ended.

    `stopping` is asked before each change; once it says yes, no further one begins.
    """
    run = _Run(ports, locks, reporter or Silent(), stopping)
    run.reporter.planned(plan)
    queue = _Queue.of(plan.active)
    outcomes: dict[Address, Outcome] = {}
    with ThreadPoolExecutor(threads, "apply") as pool:
        running: dict[Future[Outcome], Change] = {}
        while running or queue.ready:
            for change in queue.take(running.values()):
                running[pool.submit(run.change, change, outcomes)] = change
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                change = running.pop(future)
                outcomes[change.address] = future.result()
                queue.release(change.address)
    failed = run.remarks(plan)
    return (*(outcomes[change.address] for change in plan.active), *failed)


@dataclass(frozen=True)
class _Queue:
    """Which changes still wait for which.

    `ready` are those that wait for nothing, by machines, in the order of their `places` in
    the plan.
    """

    changes: Mapping[Address, Change]
    waits_for: dict[Address, set[Address]]
    followers: dict[Address, list[Address]]
    ready: dict[frozenset[str], list[tuple[int, Change]]]
    places: Mapping[Address, int]

    @classmethod
    def of(cls, changes: Sequence[Change]) -> _Queue:
        followers: dict[Address, list[Address]] = defaultdict(list)
        for change in changes:
            for need in change.needs:
                followers[need].append(change.address)
        waits_for = {change.address: set(change.needs) for change in changes}
        places = {change.address: place for place, change in enumerate(changes)}
        by_address = {change.address: change for change in changes}
        queue = cls(by_address, waits_for, followers, {}, places)
        for change in changes:
            if not change.needs:
                queue._is_ready(change)
        return queue

    def take(self, running: Iterable[Change]) -> Iterator[Change]:
        """The changes that may begin: a thread that waited for a busy machine would help nobody."""
        busy = set[str]().union(*(change.machines for change in running))
        for machines in list(self.ready):
            if not machines & busy:
                busy |= machines
                yield heappop(self.ready[machines])[1]
                if not self.ready[machines]:
                    del self.ready[machines]

    def release(self, ended: Address) -> None:
        """Let those begin that waited for nothing but this change, which ended well or not."""
        for follower in self.followers.get(ended, ()):
            self.waits_for[follower].discard(ended)
            if not self.waits_for[follower]:
                self._is_ready(self.changes[follower])

    def _is_ready(self, change: Change) -> None:
        waiting = self.ready.setdefault(change.machines, [])
        heappush(waiting, (self.places[change.address], change))


@dataclass(frozen=True)
class _Run:
    ports: Ports
    locks: MachineLocks
    reporter: Reporter
    stopping: Callable[[], bool]

    def change(self, change: Change, outcomes: Mapping[Address, Outcome]) -> Outcome:
        """Run one change from its first operation to its last."""
        failed = sorted(n for n in change.needs if outcomes[n].result is not Result.DONE)
        if failed:
            message = f"needs {', '.join(map(str, failed))}, which did not end well"
            outcome = Outcome(change.address, Result.SKIPPED, message)
        else:
            with self.locks.held(change.machines):
                outcome = self._operations(change)
        self.reporter.ended(outcome)
        return outcome

    def _operations(self, change: Change) -> Outcome:
        if self.stopping():
            return Outcome(change.address, Result.SKIPPED, "the reconciler is stopping")
        for operation in change.operations:
            self.reporter.begins(change.address, operation)
            try:
                operation.run(self.ports)
            except Unreachable as error:
                return Outcome(change.address, Result.UNKNOWN, f"{operation}: {error}", type(error))
            except DriverError as error:
                return Outcome(change.address, Result.FAILED, f"{operation}: {error}", type(error))
        return Outcome(change.address, Result.DONE)

    def remarks(self, plan: Plan) -> tuple[Outcome, ...]:
        """Bring marks up to date; give what failed. It is tried again by the next plan."""
        failed = []
        for remark in plan.remarks:
            if not self.stopping():
                change_machines = frozenset[str]().union(*(o.machines for o in remark.operations))
                with self.locks.held(change_machines):
                    failed += self._remark(remark)
        return tuple(failed)

    def _remark(self, remark: Remark) -> list[Outcome]:
        for operation in remark.operations:
            try:
                operation.run(self.ports)
            except DriverError as error:
                message = f"{operation}: {error}"
                return [Outcome(remark.address, Result.FAILED, message, type(error))]
        return []
