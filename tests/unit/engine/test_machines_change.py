"""Machines that run, end to end on a simulated farm: order of starts, live changes, snapshots."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from reconciler.drivers.simulated import by_hand
from reconciler.drivers.simulated.farm import SimulatedFarm
from reconciler.drivers.simulated.faults import Fault
from reconciler.engine.apply import Result
from reconciler.engine.verify import undo_plan
from reconciler.model.change import Disruption
from reconciler.model.resource import Desired
from tests.farms.rounds import Environment
from tests.farms.specs import GIB, machine, simulated_farm
from tests.farms.sync import settle, with_seed
from tests.farms.town import ANYTHING_GOES

ROOM: dict[str, Any] = {"vcpus_maximum": 4, "memory_maximum_bytes": 4 * GIB}
CAREFUL: dict[str, Any] = {"snapshot_from": Disruption.RESTART}
CHAIN = (
    *machine("web", after=("app",), autostart=False),
    *machine("app", after=("db", "cache"), autostart=False),
    *machine("db"),
    *machine("cache"),
)


def environment_of(*desired: Desired[Any]) -> Environment:
    return Environment(simulated_farm(), desired, policy=ANYTHING_GOES)


def calls(farm: SimulatedFarm, operation: str) -> list[str]:
    return [call.subject for call in farm.log if call.operation == operation]


def settled(*desired: Desired[Any]) -> Environment:
    environment = environment_of(*desired)
    settle(environment)
    environment.farm.revive()
    return environment


def test_a_machine_is_started_after_those_that_it_needs() -> None:
    environment = environment_of(*CHAIN)
    environment.turn()
    started = calls(environment.farm, "start_domain")
    assert set(started[:2]) == {"production-db", "production-cache"}
    assert started[2:] == ["production-app", "production-web"]


def test_a_machine_is_not_started_when_what_it_needs_is_not() -> None:
    environment = environment_of(*CHAIN)
    environment.farm.add_fault(Fault("virt1", "start_domain", "fails-before", times=1))
    outcomes = {str(each.address): each.result for each in environment.turn()}
    assert Result.FAILED in outcomes.values()
    assert calls(environment.farm, "start_domain").count("production-app") == 0
    assert settle(environment) == 1


def test_after_a_power_failure_machines_are_started_in_their_order() -> None:
    environment = settled(*CHAIN)
    by_hand.reboot_host(environment.farm, "virt1")
    running = environment.farm.state.hosts["virt1"].domains
    assert {name for name, each in running.items() if each.running} == {
        "production-db",
        "production-cache",
    }
    environment.turn()
    assert calls(environment.farm, "start_domain") == ["production-app", "production-web"]


def test_a_machine_goes_before_those_that_it_was_started_after() -> None:
    environment = settled(*CHAIN)
    environment.desired = [each for each in CHAIN if not each.address.name.startswith("web")]
    environment.turn()
    assert calls(environment.farm, "undefine_domain") == ["production-web"]


def test_a_machine_grows_and_shrinks_and_is_plugged_without_a_restart() -> None:
    environment = settled(*machine("web", **ROOM))
    grown = machine("web", disks=("root", "data"), vcpus=4, memory_bytes=4 * GIB, **ROOM)
    for wanted in (grown, machine("web", memory_bytes=GIB, **ROOM, vcpus=4)):
        environment.desired = wanted
        settle(environment)
    assert calls(environment.farm, "stop_domain") == []
    domain = environment.farm.state.hosts["virt1"].domains["production-web"]
    assert (domain.live.vcpus, domain.live.memory_bytes, domain.runs_on) == (4, GIB, None)


def test_what_is_live_is_done_while_the_rest_waits_for_a_person() -> None:
    environment = settled(*machine("web", **ROOM))
    environment.desired = machine("web", memory_bytes=GIB, tpm=True, pending_restart=None, **ROOM)
    assert settle(environment) == 1
    domain = environment.farm.state.hosts["virt1"].domains["production-web"]
    assert (domain.live.memory_bytes, domain.live.tpm) == (GIB, None)
    assert domain.definition.tpm


def test_a_guest_that_did_not_comply_is_asked_again() -> None:
    environment = settled(*machine("web", **ROOM))
    environment.farm.add_fault(Fault("virt1", "adjust_guest", "fails-before", times=1))
    environment.desired = machine("web", memory_bytes=GIB, **ROOM)
    settle(environment)
    assert len(calls(environment.farm, "adjust_guest")) == 2
    assert calls(environment.farm, "stop_domain") == []


def test_other_first_boot_data_are_written_before_the_restart() -> None:
    environment = settled(*with_seed(machine("web"), "a1" * 8))
    environment.desired = with_seed(machine("web"), "b2" * 8)
    assert settle(environment) == 1
    operations = [call.operation for call in environment.farm.log]
    assert operations.index("write_seed") < operations.index("stop_domain")
    assert calls(environment.farm, "start_domain") == ["production-web"]


def test_a_snapshot_is_made_before_a_restart_and_goes_when_all_went_well() -> None:
    environment = settled(*machine("web", **CAREFUL))
    environment.desired = machine("web", tpm=True, **CAREFUL)
    environment.turn()
    operations = [call.operation for call in environment.farm.log]
    assert operations.index("snapshot_domain") < operations.index("define_domain")
    settle(environment)
    assert environment.farm.hypervisor("virt1").domains()[0].snapshots == ()
    assert len(calls(environment.farm, "forget_snapshot")) == 1


def test_undo_goes_back_to_the_snapshot() -> None:
    environment = settled(*machine("web", **CAREFUL))
    before = environment.look()
    environment.desired = machine("web", tpm=True, vcpus=4, autostart=False, **CAREFUL)
    look = environment.look()
    environment.apply(look)
    back = undo_plan(look.plan, before.world, environment.look().world)
    environment.apply(replace(look, plan=back))
    assert calls(environment.farm, "revert_domain") == ["production-web"]
    environment.desired = machine("web", **CAREFUL)
    assert environment.look().plan.changes == ()
    settle(environment)
    assert environment.farm.hypervisor("virt1").domains()[0].snapshots == ()


def test_undo_takes_a_deleted_disk_out_of_the_trash() -> None:
    environment = settled(*machine("web", disks=("root", "data")))
    before = environment.look()
    environment.desired = machine("web")
    look = environment.look()
    environment.apply(look)
    back = undo_plan(look.plan, before.world, environment.look().world)
    environment.apply(replace(look, plan=back))
    assert calls(environment.farm, "restore_volume") != []
    assert environment.farm.hypervisor("virt1").trash() == ()


def test_undo_leaves_a_seed_as_it_is() -> None:
    """What was in it before nobody knows; the sync of the older commit writes it again."""
    environment = settled(*with_seed(machine("web"), "a1" * 8))
    before = environment.look()
    environment.desired = with_seed(machine("web"), "b2" * 8)
    look = environment.look()
    environment.apply(look)
    back = undo_plan(look.plan, before.world, environment.look().world)
    assert {each.result for each in environment.apply(replace(look, plan=back))} == {Result.DONE}
    environment.desired = with_seed(machine("web"), "a1" * 8)
    settle(environment)
    assert environment.farm.hypervisor("virt1").trash() == ()
