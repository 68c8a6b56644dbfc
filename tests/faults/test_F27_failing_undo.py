"""F27: the way back fails too: it stops where it is, says so, and can be asked for again."""

from __future__ import annotations

from dataclasses import replace

from reconciler.drivers.simulated.faults import Fault
from reconciler.engine.apply import Result
from reconciler.engine.verify import Look, undo_plan
from tests.farms import truth
from tests.farms.rounds import Environment
from tests.farms.specs import machine, simulated_farm
from tests.farms.sync import settle

GOOD = (*machine("a", host="virt1"), *machine("b", host="virt2"))
BAD = (*machine("a", host="virt1", vcpus=4), *machine("b", host="virt2", vcpus=4))


def applied() -> tuple[Environment, Look, Look]:
    """A bad commit has been applied; the looks before and after it."""
    environment = Environment(simulated_farm(), GOOD)
    settle(environment)
    environment.desired = BAD
    before = environment.look()
    environment.apply(before)
    return environment, before, environment.look()


def back(environment: Environment, before: Look) -> dict[str, Result]:
    """One attempt to undo: what became of each change."""
    now = environment.look()
    plan = undo_plan(before.plan, before.world, now.world)
    outcomes = environment.apply(replace(now, plan=plan))
    return {outcome.address.name: outcome.result for outcome in outcomes}


def test_what_cannot_be_undone_is_reported_and_the_rest_is_undone() -> None:
    environment, before, _ = applied()
    environment.farm.add_fault(Fault("virt2", "define_domain", "fails-before"))
    assert back(environment, before) == {"a": Result.DONE, "b": Result.FAILED}


def test_a_second_attempt_does_only_what_is_left() -> None:
    environment, before, _ = applied()
    environment.farm.add_fault(Fault("virt2", "define_domain", "fails-before"))
    back(environment, before)
    environment.farm.remove_faults()
    environment.farm.revive()
    assert back(environment, before) == {"b": Result.DONE}
    assert back(environment, before) == {}
    environment.desired = GOOD
    settle(environment)
    assert truth.misfits("production", GOOD, environment.farm.state) == []


def test_nothing_swings_between_two_commits() -> None:
    """However often the way back is tried, each attempt does less or nothing."""
    environment, before, _ = applied()
    environment.farm.add_fault(Fault("virt2", "start_domain", "fails-before"))
    attempts = [back(environment, before) for _ in range(4)]
    assert attempts[0] == {"a": Result.DONE, "b": Result.FAILED}
    assert attempts[1:] == [{"b": Result.FAILED}] * 3


def test_the_way_back_waits_for_a_host_that_cannot_be_seen() -> None:
    environment, before, _ = applied()
    environment.farm.add_fault(Fault("virt2"))
    assert back(environment, before) == {"a": Result.DONE}
    environment.farm.remove_faults()
    assert back(environment, before) == {"b": Result.DONE}


def test_only_what_the_bad_commit_changed_is_touched() -> None:
    environment, before, _ = applied()
    environment.desired = (*BAD, *machine("later", host="virt1"))
    environment.turn()
    assert set(back(environment, before)) == {"a", "b"}
    assert "production-later" in environment.farm.state.hosts["virt1"].domains
