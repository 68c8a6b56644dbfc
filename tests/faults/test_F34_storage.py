"""F34: a pool is missing or full: no half machine, nothing deleted to make room, others go on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.drivers.simulated import by_hand
from reconciler.drivers.simulated.farm import SimulatedFarm
from reconciler.drivers.simulated.state import FarmState, Pool, Volume
from reconciler.engine.apply import Result
from reconciler.plan.guards import check
from tests.farms import truth
from tests.farms.rounds import Environment
from tests.farms.specs import GIB, farm_state, machine
from tests.farms.sync import settle

STRAY = Volume("raw", 90 * GIB)


def with_pool(pool: Pool | None) -> FarmState:
    """A farm whose first host has this pool, or none."""
    state = farm_state()
    pools = {"default": pool} if pool else {}
    return replace(
        state, hosts={**state.hosts, "virt1": replace(state.hosts["virt1"], pools=pools)}
    )


def test_a_pool_that_no_host_has_is_refused_before_anything_is_done() -> None:
    farm = SimulatedFarm(with_pool(None))
    environment = Environment(farm, machine(host="virt1"))
    (violation,) = check(environment.look().plan, environment.policy)
    assert violation.name == "no-room"
    assert "virt1 has no pool default" in violation.message
    before = farm.state
    environment.turn()
    assert farm.state == before


def test_a_machine_that_may_run_anywhere_goes_where_its_pool_is() -> None:
    farm = SimulatedFarm(with_pool(None))
    settle(Environment(farm, machine(host=None, accelerator=None)))
    assert [host for host, _ in truth.domains(farm.state)] == ["virt2"]


@pytest.mark.parametrize("size", [7 * GIB, 12 * GIB])
def test_a_full_pool_makes_no_half_machine_and_holds_up_no_other(size: int) -> None:
    """Of two disks the first may still fit."""
    farm = SimulatedFarm(with_pool(Pool(size)))
    environment = Environment(
        farm, (*machine("big", host="virt1", disks=("root", "data")), *machine("b", host="virt2"))
    )
    outcomes = {str(o.address): o.result for o in environment.apply(environment.look())}
    assert outcomes["domain/big"] is Result.SKIPPED
    assert Result.FAILED in {outcomes["volume/big-root"], outcomes["volume/big-data"]}
    assert [name for _, name in truth.domains(farm.state)] == ["production-b"]


def test_nothing_is_deleted_to_make_room_and_it_heals_when_there_is_room() -> None:
    farm = SimulatedFarm(with_pool(Pool(94 * GIB)))
    by_hand.add_volume(farm, "virt1", "default", "stray", STRAY)
    environment = Environment(farm, machine(host="virt1"))
    for _ in range(3):
        environment.turn()
    assert truth.volumes(farm.state) == {("virt1", "default", "stray"): STRAY}
    by_hand.delete_volume(farm, "virt1", "default", "stray")
    settle(environment)
    assert truth.misfits("production", tuple(environment.desired), farm.state) == []


def test_a_volume_that_cannot_grow_stays_as_it_is_with_its_machine_running() -> None:
    farm = SimulatedFarm(with_pool(Pool(10 * GIB)))
    environment = Environment(farm, machine(host="virt1"))
    settle(environment)
    before = farm.state
    root, domain = machine(host="virt1")
    environment.desired = (
        replace(root, spec=replace(root.spec, capacity_bytes=20 * GIB)),
        domain,
    )
    (outcome,) = environment.apply(environment.look())
    assert outcome.result is Result.FAILED
    assert "pool default has 2 GiB left" in outcome.message
    assert farm.state == before
