"""F11: a host or server is lost in the middle: each call refused, lost, or done without an answer.

Nobody knows what became of the step; the next look does, and nothing is made twice or elsewhere.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from reconciler.drivers.simulated.faults import Fault, Mode
from reconciler.drivers.simulated.state import FarmState
from reconciler.engine.apply import Result
from tests.farms import truth
from tests.farms.rounds import Environment
from tests.farms.specs import machine, simulated_farm
from tests.farms.sync import begin, converged, end_of, is_seen_as_wanted, settle

READS = frozenset({"domains", "volumes", "zones", "zone"})


@cache
def start() -> tuple[FarmState, Environment]:
    return converged()


@cache
def undisturbed() -> tuple[dict[Any, Any], tuple[tuple[str, str], ...]]:
    """How the sync ends, and which machine is asked for which operation on the way."""
    environment = begin(*start())
    environment.turn()
    calls = {(call.machines[0], call.operation) for call in environment.farm.log}
    settle(environment)
    return end_of(environment.farm.state), tuple(sorted(calls))


@pytest.mark.parametrize("mode", ["unreachable", "fails-before", "fails-after"])
@pytest.mark.parametrize("times", [1, 2])
def test_every_operation_may_go_wrong_on_every_machine(mode: Mode, times: int) -> None:
    expected, calls = undisturbed()
    state, before = start()
    assert len(calls) > 20
    for machine_name, operation in calls:
        environment = begin(state, before)
        environment.farm.add_fault(Fault(machine_name, operation, mode, times))
        for _ in range(times + 1):
            environment.turn()
        settle(environment)
        assert end_of(environment.farm.state) == expected, (machine_name, operation)
        assert is_seen_as_wanted(environment), (machine_name, operation)


@pytest.mark.parametrize("host", ["virt1", "virt2", "ns1"])
def test_a_machine_that_is_lost_from_some_call_on_comes_back_to_the_same_end(host: str) -> None:
    expected, calls = undisturbed()
    state, before = start()
    for operation in sorted({operation for _, operation in calls} - READS):
        environment = begin(state, before)
        environment.farm.add_fault(Fault(host, operation, "fails-after", 1))
        environment.farm.add_fault(Fault(host, operation))
        environment.turn()
        environment.farm.remove_faults()
        settle(environment)
        assert end_of(environment.farm.state) == expected, operation


@pytest.mark.parametrize("mode", ["unreachable", "fails-after"])
def test_a_step_without_an_answer_is_unknown_and_not_failed(mode: Mode) -> None:
    farm = simulated_farm()
    environment = Environment(farm, machine())
    farm.add_fault(Fault("virt1", "start_domain", mode, 1))
    look = environment.look()
    outcomes = {str(each.address): each.result for each in environment.apply(look)}
    assert outcomes == {"volume/web-1-root": Result.DONE, "domain/web-1": Result.UNKNOWN}


def test_a_machine_whose_host_is_lost_while_it_is_made_is_not_started_elsewhere() -> None:
    farm = simulated_farm()
    environment = Environment(farm, machine(host=None, accelerator=None))
    farm.add_fault(Fault("virt1", "define_domain", "fails-after", 1))
    farm.add_fault(Fault("virt1", "[!dv]*"))
    environment.turn()
    farm.add_fault(Fault("virt1"))
    for _ in range(3):
        environment.turn()
    assert not farm.state.hosts["virt2"].domains
    assert not farm.state.hosts["virt2"].pools["default"].volumes
    farm.remove_faults()
    settle(environment)
    assert [name for _, name in truth.domains(farm.state)] == ["production-web-1"]
    assert farm.state.hosts["virt1"].domains["production-web-1"].running
