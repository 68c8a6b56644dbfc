"""F28: some hosts of many fail: the others go on, and it is told exactly what became of each."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.drivers.simulated.faults import Fault, Mode
from reconciler.engine.apply import Result
from reconciler.engine.verify import Look, undo_plan
from reconciler.model.resource import Desired
from tests.farms import truth
from tests.farms.rounds import Environment
from tests.farms.specs import machine, simulated_farm
from tests.farms.sync import settle

HOSTS = tuple(f"virt{number}" for number in range(6))
BROKEN = ("virt2", "virt4")


def fleet(**fields: Any) -> list[Desired[Any]]:
    return [each for host in HOSTS for each in machine(f"on-{host}", host=host, **fields)]


def rolled_out(mode: Mode) -> tuple[Environment, Look, dict[str, Result]]:
    """A change of every machine, while some hosts are broken."""
    environment = Environment(simulated_farm(hosts=HOSTS), fleet())
    settle(environment)
    for host in BROKEN:
        environment.farm.add_fault(Fault(host, "define_domain", mode))
    environment.desired = fleet(vcpus=4)
    look = environment.look()
    outcomes = environment.apply(look)
    return environment, look, {each.address.name: each.result for each in outcomes}


@pytest.mark.parametrize(
    ("mode", "result"), [("fails-before", Result.FAILED), ("unreachable", Result.UNKNOWN)]
)
def test_each_machine_is_told_how_it_ended(mode: Mode, result: Result) -> None:
    environment, _, results = rolled_out(mode)
    assert results == {f"on-{host}": result if host in BROKEN else Result.DONE for host in HOSTS}
    newer = {
        host
        for (host, _), domain in truth.domains(environment.farm.state).items()
        if domain.definition.vcpus == 4
    }
    assert newer == set(HOSTS) - set(BROKEN)


def test_the_next_turn_does_only_what_is_left() -> None:
    environment, _, _ = rolled_out("fails-before")
    environment.farm.remove_faults()
    left = {change.address.name for change in environment.look().plan.changes}
    assert left == {f"on-{host}" for host in BROKEN}
    settle(environment)
    assert environment.look().plan.changes == ()


def test_the_way_back_touches_only_hosts_that_were_changed() -> None:
    environment, look, _ = rolled_out("fails-before")
    environment.farm.remove_faults()
    now = environment.look()
    back = undo_plan(look.plan, look.world, now.world)
    assert {machine for change in back.changes for machine in change.machines} == (
        set(HOSTS) - set(BROKEN)
    )
    environment.apply(replace(now, plan=back))
    assert {d.definition.vcpus for d in truth.domains(environment.farm.state).values()} == {2}


def test_what_needs_a_broken_host_is_skipped_with_the_reason() -> None:
    environment = Environment(simulated_farm(hosts=HOSTS), fleet())
    environment.farm.add_fault(Fault("virt2", "create_volume", "fails-before"))
    outcomes = {str(each.address): each for each in environment.apply(environment.look())}
    assert outcomes["volume/on-virt2-root"].result is Result.FAILED
    assert outcomes["domain/on-virt2"].result is Result.SKIPPED
    assert outcomes["domain/on-virt2"].message == (
        "needs volume/on-virt2-root, which did not end well"
    )
    done = [name for name, each in outcomes.items() if each.result is Result.DONE]
    assert len(done) == 2 * (len(HOSTS) - 1)
