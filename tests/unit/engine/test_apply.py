"""Changes are made in order, side by side where they may, and end with what happened."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from reconciler.engine.apply import MachineLocks, Outcome, Result, Silent, apply
from reconciler.errors import Conflict, DriverError, NotFound, Unreachable
from reconciler.kinds.protocol import Operation
from reconciler.model.address import Address
from reconciler.model.change import Action, Disruption
from reconciler.plan.plan import Cause, Change, Plan, Remark
from reconciler.ports.world import Ports
from tests.farms.specs import simulated_farm

FARM = simulated_farm()
NOTHING: Callable[[], None] = lambda: None  # noqa: E731 (as a value it reads best)


@dataclass(frozen=True)
class Step:
    """An operation that runs `act` and keeps `machines` busy."""

    act: Callable[[], None] = NOTHING
    machines: frozenset[str] = frozenset({"virt1"})
    disruption: Disruption = Disruption.LIVE

    def run(self, ports: Ports) -> None:
        del ports
        self.act()

    def __str__(self) -> str:
        return "step"


@dataclass
class Diary:
    """A reporter that remembers."""

    began: list[str] = field(default_factory=list)
    ended_with: list[Outcome] = field(default_factory=list)
    plans: list[Plan] = field(default_factory=list)

    def planned(self, plan: Plan) -> None:
        self.plans.append(plan)

    def begins(self, address: Address, operation: Operation) -> None:
        self.began.append(f"{address.name}: {operation}")

    def ended(self, outcome: Outcome) -> None:
        self.ended_with.append(outcome)


def change(name: str, *steps: Step, needs: str = "", held: str | None = None) -> Change:
    required = frozenset(Address("domain", each) for each in needs.split())
    address = Address("domain", name)
    return Change(address, Action.UPDATE, Cause.PENDING, (), steps, needs=required, held=held)


def plan(*changes: Change, remarks: tuple[Remark, ...] = ()) -> Plan:
    return Plan("production", "", changes, remarks)


def run(made: Plan, **arguments: object) -> dict[str, Outcome]:
    outcomes = apply(made, FARM, locks=MachineLocks(), **arguments)  # type: ignore[arg-type]
    return {outcome.address.name: outcome for outcome in outcomes}


def fail(error: type[DriverError]) -> Step:
    def act() -> None:
        raise error("virt1", "start domain web", "it says no")

    return Step(act)


def on(*machines: str, act: Callable[[], None] = NOTHING) -> Step:
    return Step(act, frozenset(machines))


def test_an_empty_plan_does_nothing() -> None:
    assert run(plan()) == {}


def test_the_steps_of_a_change_run_in_their_order() -> None:
    done: list[int] = []
    steps = [Step(lambda n=n: done.append(n)) for n in range(5)]  # type: ignore[misc]
    outcomes = run(plan(change("web", *steps)))
    assert done == [0, 1, 2, 3, 4]
    assert outcomes["web"] == Outcome(Address("domain", "web"), Result.DONE)


def test_a_change_runs_after_those_it_needs() -> None:
    done: list[str] = []
    names = ["a", "b", "c", "d"]
    changes = [
        change(name, on(f"virt{i}", act=lambda name=name: done.append(name)),  # type: ignore[misc]
               needs=" ".join(names[:i]))
        for i, name in enumerate(names)
    ]  # fmt: skip
    run(plan(*reversed(changes)))
    assert done == names


def test_what_is_held_is_not_done() -> None:
    done: list[str] = []
    held = change("web", Step(lambda: done.append("web")), held="drift is only reported")
    assert run(plan(held)) == {}
    assert done == []


@pytest.mark.parametrize(
    ("error", "result"),
    [
        (Conflict, Result.FAILED),
        (NotFound, Result.FAILED),
        (Unreachable, Result.UNKNOWN),
        (DriverError, Result.FAILED),
    ],
)
def test_a_change_that_fails_stops_there_and_says_why(
    error: type[DriverError], result: Result
) -> None:
    done: list[str] = []
    web = run(plan(change("web", fail(error), Step(lambda: done.append("web")))))["web"]
    assert (web.result, web.error, done) == (result, error, [])
    assert web.message == "step: virt1: start domain web: it says no"


def test_a_change_that_fails_stops_what_needs_it_and_nothing_else() -> None:
    outcomes = run(
        plan(
            change("a", fail(Conflict)),
            change("b", Step(), needs="a"),
            change("c", Step(), needs="b"),
            change("d", Step()),
        )
    )
    assert {name: outcome.result.value for name, outcome in outcomes.items()} == {
        "a": "failed",
        "b": "skipped",
        "c": "skipped",
        "d": "done",
    }
    assert outcomes["b"].message == "needs domain/a, which did not end well"


def test_an_error_that_is_nobodys_fault_is_not_hidden() -> None:
    def broken() -> None:
        raise KeyError("a mistake in the program")

    with pytest.raises(KeyError):
        run(plan(change("web", Step(broken))))


def test_two_changes_of_one_machine_never_run_at_once() -> None:
    inside: list[str] = []
    seen_at_once: list[int] = []

    def act() -> None:
        inside.append("x")
        seen_at_once.append(len(inside))
        inside.pop()

    run(plan(*(change(f"m{n}", on("virt1", act=act)) for n in range(50))))
    assert seen_at_once == [1] * 50


def test_changes_of_different_machines_run_at_once() -> None:
    meet = threading.Barrier(3, timeout=30)
    changes = [change(f"m{n}", on(f"virt{n}", act=lambda: _met(meet))) for n in range(3)]
    assert all(each.result is Result.DONE for each in run(plan(*changes)).values())


def _met(barrier: threading.Barrier) -> None:
    barrier.wait()


def test_a_host_that_hangs_takes_no_thread_from_the_others() -> None:
    """Twenty changes wait for virt1, which answers only when virt2 is all done."""
    free = threading.Event()
    stuck = [change(f"a{n:02}", on("virt1", act=lambda: _wait(free))) for n in range(20)]
    quick = [change(f"b{n:02}", on("virt2")) for n in range(20)]
    last = change("last", on("virt2", act=free.set), needs=" ".join(c.address.name for c in quick))
    outcomes = run(plan(*stuck, *quick, last), threads=2)
    assert {outcome.result for outcome in outcomes.values()} == {Result.DONE}


def _wait(event: threading.Event) -> None:
    assert event.wait(30)


def test_a_move_waits_for_both_its_hosts() -> None:
    busy: set[str] = set()

    def act(*machines: str) -> Callable[[], None]:
        def inside() -> None:
            assert not busy & {*machines}
            busy.update(machines)
            busy.difference_update(machines)

        return inside

    moves = [
        change(f"m{n}", on(*pair, act=act(*pair)))
        for n in range(30)
        for pair in [("virt1", "virt2"), ("virt2", "virt3"), ("virt3",)][n % 3 : n % 3 + 1]
    ]
    assert all(each.result is Result.DONE for each in run(plan(*moves)).values())


def test_environments_of_one_process_wait_for_each_other_on_a_host() -> None:
    locks = MachineLocks()
    order: list[str] = []
    started = threading.Event()

    def other_environment() -> None:
        started.set()
        step = on("virt1", act=lambda: order.append("other"))
        apply(plan(change("x", step)), FARM, locks=locks)

    with locks.held(frozenset({"virt1", "virt2"})):
        thread = threading.Thread(target=other_environment)
        thread.start()
        assert started.wait(30)
        order.append("first")
    thread.join(30)
    assert order == ["first", "other"]


def test_whoever_takes_locks_in_whatever_order_never_waits_for_ever() -> None:
    locks = MachineLocks()

    def take(*machines: str) -> None:
        for _ in range(200):
            with locks.held(frozenset(machines)):
                pass

    threads = [
        threading.Thread(target=take, args=pair, daemon=True)
        for pair in [("a", "b"), ("b", "a"), ("b", "c", "a")]
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not any(thread.is_alive() for thread in threads)


def test_once_it_stops_no_further_change_begins() -> None:
    stopping = threading.Event()
    done: list[str] = []
    first = change("a", Step(stopping.set), Step(lambda: done.append("a")))
    second = change("b", Step(lambda: done.append("b")), needs="a")
    remark = Remark(Address("domain", "c"), (Step(lambda: done.append("c")),))
    outcomes = run(plan(first, second, remarks=(remark,)), stopping=stopping.is_set)
    assert done == ["a"]
    assert outcomes["a"].result is Result.DONE
    assert outcomes["b"] == Outcome(
        Address("domain", "b"), Result.SKIPPED, "the reconciler is stopping"
    )


def test_marks_are_brought_up_to_date_after_all_changes() -> None:
    done: list[str] = []
    remark = Remark(Address("domain", "b"), (Step(lambda: done.append("mark")),))
    run(plan(change("a", Step(lambda: done.append("change"))), remarks=(remark,)))
    assert done == ["change", "mark"]


def test_a_mark_that_fails_is_told_and_stops_no_other() -> None:
    done: list[str] = []
    bad = Remark(Address("domain", "b"), (fail(Conflict), Step(lambda: done.append("b"))))
    good = Remark(Address("domain", "c"), (Step(lambda: done.append("c")),))
    (told,) = run(plan(remarks=(bad, good))).values()
    assert (told.result, told.error) == (Result.FAILED, Conflict)
    assert done == ["c"]


def test_the_reporter_is_told_of_each_step_and_each_end() -> None:
    diary = Diary()
    made = plan(change("a", Step(), Step()), change("b", Step(), needs="a"))
    outcomes = run(made, reporter=diary)
    assert diary.plans == [made]
    assert diary.began == ["a: step", "a: step", "b: step"]
    assert diary.ended_with == list(outcomes.values())


def test_a_silent_reporter_says_nothing() -> None:
    silent = Silent()
    silent.planned(plan())
    silent.begins(Address("domain", "a"), Step())
    silent.ended(Outcome(Address("domain", "a"), Result.DONE))
